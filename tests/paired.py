"""A dataset with vectors that were made elsewhere, of which pairs can be generated within a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.embeddings.imported import import_vectors
from core.pairs.table import PairSettings

SETTINGS = PairSettings(image_vectors="pictures", text_vectors="texts", split="train", clusters=3)


def make(
    folder: Path, image: np.ndarray, text: np.ndarray, train: int | None = None, called: str = "Item {}"
) -> str:
    """A dataset of as many products, whose vectors were made elsewhere; rows of NaN have none."""
    n = len(image)
    split = np.where(np.arange(n) < (n if train is None else train), "train", "test")
    source = folder / "shop.csv"
    pd.DataFrame(
        {"item_id": np.arange(n), "name": [called.format(k) for k in range(n)], "split": split}
    ).to_csv(source, index=False)
    import_dataset("table", [str(source)], "shop")
    for name, vectors in (("pictures", image), ("texts", text)):
        vectors_of(folder, name, vectors)
    return "shop"


def vectors_of(folder: Path, name: str, vectors: np.ndarray) -> None:
    there = np.isfinite(vectors).all(axis=1)
    np.savez(folder / f"{name}.npz", row_id=np.flatnonzero(there), vectors=vectors[there].astype(np.float32))
    import_vectors(Products.open("shop"), folder / f"{name}.npz", name, "row_id")


def three(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around three directions each, the texts' independent of the pictures'."""
    rng = np.random.default_rng(seed)
    centres = np.eye(3, 8) * 4
    return tuple(centres[rng.integers(0, 3, n)] + rng.normal(scale=0.5, size=(n, 8)) for _ in range(2))  # type: ignore[return-value]
