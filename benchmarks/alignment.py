"""Precision and recall of both rules of label alignment, where the truth is known: the two shops of the Chinese dataset.

`python -m benchmarks.alignment [ITEMS ...]` prints precision and recall. No pictures are drawn.
"""

from __future__ import annotations

import sys

from core.demo import chinese
from core.labels.alignment import CHARACTERS, Alignment, Pair, compared
from core.labels.similarity import CHARACTERS as TEXT_CHARACTERS
from core.labels.subclasses import SubClass


def shops(items: int, seed: int = 0) -> tuple[list[SubClass], dict[tuple[str, str, str], str]]:
    """The sub-classes of both shops, and of each its name after alignment."""
    rows = chinese.plan(items, seed)
    seeds = rows["seed"].to_numpy()[rows["title_of"].to_numpy()]
    rows["title"] = [chinese.title(kind, int(own)) for kind, own in zip(rows["kind"], seeds, strict=True)]
    classes, truth = [], {}
    titles = {number: list(some) for number, some in rows.groupby("sub_class_id")["title"]}
    for sub in chinese.sub_classes().values():
        if sub.number not in titles:
            continue
        some = titles[sub.number]
        made = SubClass(
            "demo", sub.platform, str(sub.class_id), sub.name, len(some), len(some), " ".join(some)[:TEXT_CHARACTERS]
        )  # fmt: skip
        classes.append(made)
        truth[made.key] = sub.aligned
    return classes, truth


def figures(found: Alignment, truth: dict[tuple[str, str, str], str], rule: str) -> dict[str, float]:
    """How many pairs a rule joins, how many of them belong together, and of how many."""

    def belong(pair: Pair) -> bool:
        return truth[pair.a.key] == truth[pair.b.key]

    joined = [pair for pair in found.pairs if getattr(pair, rule)]
    right, there = sum(map(belong, joined)), sum(map(belong, found.pairs))
    return {
        "joined": len(joined), "right": right, "belong": there,
        "precision": right / max(1, len(joined)), "recall": right / max(1, there),
    }  # fmt: skip


def main() -> None:
    words = sys.argv[1:]
    encoders = [word for word in words if not word.isdigit()]
    for items in [int(word) for word in words if word.isdigit()] or [6000]:
        classes, truth = shops(items)
        for content in (0.75, None):
            found = compared(classes, by="shop", content=content)
            print(
                items, f"published rule, S_content > {found.content:.3f}", figures(found, truth, "published")
            )
        for encoder in (CHARACTERS, *encoders):
            found = compared(classes, by="shop", encoder=encoder)
            print(items, f"vectors: {encoder}", figures(found, truth, "modern"))


if __name__ == "__main__":
    main()
