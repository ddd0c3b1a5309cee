"""Evaluate the label alignment rule of MEP-3M on the two platforms of the Chinese dataset.

`python -m core.demo.alignment 6000` prints the figures of docs/reference/demo-dataset.md. No pictures are drawn.

Source: MEP-3M (2021), section 3: sub-classes of one first-level class are merged if their names are equal, or if
S_label >= 0.50 and S_content > 0.75.
"""

from __future__ import annotations

import difflib
import sys
from itertools import product

import numpy as np
import pandas as pd

from core.demo import chinese

LABEL, CONTENT = 0.50, 0.75
CHARACTERS = 22_000  # of a sub-class's titles, as in the paper


def s_label(one: str, other: str) -> float:
    """Similarity of two names in [0, 1]: the maximum over both orders, since difflib's ratio is not symmetric.

    >>> s_label("连衣裙", "女士连衣裙")
    0.75
    """
    return max(difflib.SequenceMatcher(None, *names).ratio() for names in ((one, other), (other, one)))


def s_content(one: str, other: str) -> float:
    """Cosine in [0, 1] of the counts of words (jieba, two characters or more) in the titles of two sub-classes."""
    from sklearn.feature_extraction.text import CountVectorizer

    counts = CountVectorizer().fit_transform([one, other]).toarray().astype(np.float64)
    return float(counts[0] @ counts[1] / (np.linalg.norm(counts[0]) * np.linalg.norm(counts[1])))


def pairs(items: int, seed: int = 0) -> pd.DataFrame:
    """All pairs of sub-classes, one of each platform, within a first-level class.

    Returns:
        a, b (names), belong (ground truth: one sub-class after alignment), s_label, s_content, joined (by the rule).
    """
    import jieba

    jieba.setLogLevel("ERROR")
    rows = chinese.plan(items, seed)
    seeds = rows["seed"].to_numpy()[rows["title_of"].to_numpy()]
    rows["title"] = [chinese.title(kind, int(own)) for kind, own in zip(rows["kind"], seeds, strict=True)]
    texts = {
        number: " ".join(jieba.lcut(" ".join(titles)[:CHARACTERS]))
        for number, titles in rows.groupby("sub_class_id")["title"]
    }
    there = [sub for sub in chinese.sub_classes().values() if sub.number in texts]
    found = []
    for a, b in product(
        [sub for sub in there if sub.platform == "a"], [sub for sub in there if sub.platform == "b"]
    ):
        if a.class_id != b.class_id:
            continue
        label = s_label(a.name, b.name)
        content = s_content(texts[a.number], texts[b.number])
        joined = a.name == b.name or (label >= LABEL and content > CONTENT)
        found.append((a.name, b.name, a.aligned == b.aligned, label, content, joined))
    return pd.DataFrame(found, columns=["a", "b", "belong", "s_label", "s_content", "joined"])


def report(items: int, seed: int = 0) -> str:
    """The figures as a sentence."""
    table = pairs(items, seed)
    alike = table[table["a"] == table["b"]]
    wrong = table[table["joined"] & ~table["belong"]].sort_values("s_content", ascending=False)
    examples = ", ".join(f"{row.a} and {row.b}" for row in wrong.head(3).itertuples())
    return (
        f"{items:,} items: {int((table['joined'] & table['belong']).sum())} of the {int(table['belong'].sum())} pairs that "
        f"belong together are joined, and {len(wrong)} that do not ({examples}). Identical names: mean S_content "
        f"{alike['s_content'].mean():.2f} ({len(alike)} pairs)."
    )


def main() -> None:
    for items in sys.argv[1:] or ["6000"]:
        print(report(int(items)))


if __name__ == "__main__":
    main()
