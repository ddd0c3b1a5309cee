"""Likeness and words on photos, one row a dataset: python -m benchmarks.likeness clip-tiny imagenet-lite0 -- DATASETS

Of a dataset with a test split its test products count, of others all; each picture once. Picture to picture: the
nearest other picture is of the same category. Words: a category's own name (of glami-mini and the built-in dataset the
lexicon's usual word, in each language) finds pictures of it, for categories of ten pictures or more. Titles: a
product's name and description find its own picture.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.demo import words
from core.embeddings.clip import Encoder, encoder
from core.embeddings.loading import load_encoder
from core.embeddings.store import unit
from core.embeddings.vectors import vectors_of
from core.models.data import product_text
from core.settings import go_offline
from trainers.captions import CHINESE, KINDS_OF_CATEGORY, LANGUAGES, _chinese

SPLIT = ("glami-mini", "demo")


def usual(kind: str, language: str) -> str:
    return str(
        _chinese()["kinds"][kind]["nouns"][0]
        if language == CHINESE
        else words.lexicon()[language]["kinds"][kind][0]
    )


def asked(name: str, category: str, language: str) -> str | None:
    """The word for a category; None where there is none in this language."""
    if name == "demo":
        return usual(category, language)
    if name == "glami-mini":
        kinds = KINDS_OF_CATEGORY.get(category)
        return usual(kinds[-1], language) if kinds else None
    return category.replace("-", " ").lower() if language == "en" else None


def row(name: str, coder: Encoder) -> dict[str, Any]:
    products = Products.open(name)
    frame: pd.DataFrame = products.frame(
        "SELECT row_id, image_id, name, description, category FROM cohort WHERE image IS NOT NULL ORDER BY row_id",
        Cohort(name, split=("test",) if name in SPLIT else ()),
    ).drop_duplicates("image_id", ignore_index=True)
    found = vectors_of(products, frame, coder, "image", raw=False, workers=1)
    frame, pictures = frame[found.present].reset_index(drop=True), unit(found.vectors[found.present])[0]
    kinds = frame.category.to_numpy()
    nearest = np.zeros(len(kinds), np.int64)
    for at in range(0, len(kinds), 512):
        likeness = pictures[at : at + 512] @ pictures.T
        likeness[np.arange(len(likeness)), at + np.arange(len(likeness))] = -np.inf
        nearest[at : at + 512] = likeness.argmax(axis=1)
    made: dict[str, Any] = {"pictures": len(kinds), "same kind @1": float((kinds[nearest] == kinds).mean())}
    if not coder.spec.takes_texts:
        return made
    counts = frame.category.value_counts()
    chosen = [category for category in counts.index if counts[category] >= 10]
    for language in LANGUAGES:
        queries = {c: word for c in chosen if (word := asked(name, c, language)) is not None}
        if queries:
            made[f"word {language}"] = shares(
                coder.encode_texts(list(queries.values())), pictures, kinds, list(queries)
            )
    texts = [
        product_text(*(part if isinstance(part, str) else None for part in pair))
        for pair in zip(frame.name, frame.description, strict=True)
    ]
    cosines = coder.encode_texts(texts) @ pictures.T
    own = np.diag(cosines)[:, None]
    rank = (cosines >= own).sum(axis=1)
    for k in (1, 5, 10):
        made[f"R@{k}"] = float((rank <= k).mean())
    others = cosines[~np.eye(len(cosines), dtype=bool)]
    made["chance"] = float(np.quantile(others, 0.95))
    return made


def shares(
    queries: NDArray[np.float32], pictures: NDArray[np.float32], kinds: NDArray[Any], wanted: list[str]
) -> tuple[float, float]:
    """Right at first, and the share that is right of the nearest ten."""
    nearest = np.argsort(-(queries @ pictures.T), axis=1, kind="stable")[:, :10]
    right = kinds[nearest] == np.array(wanted)[:, None]
    return float(right[:, 0].mean()), float(right.mean())


def main() -> None:
    go_offline()
    cut = sys.argv.index("--")
    for coder in (load_encoder(encoder(name)) for name in sys.argv[1:cut]):
        for name in sys.argv[cut + 1 :]:
            shown = {
                key: tuple(round(part, 3) for part in value) if isinstance(value, tuple) else
                round(value, 3) if isinstance(value, float) else value
                for key, value in row(name, coder).items()
            }  # fmt: skip
            print(coder.spec.name, name, shown, flush=True)


if __name__ == "__main__":
    main()
