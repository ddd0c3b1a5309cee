"""The pictures that a retriever is trained on, and what is known of each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.demo.looks import Look
from core.embeddings.pixels import PixelCache
from core.errors import TrainingError
from trainers.captions import Subject


@dataclass(frozen=True)
class Corpus:
    """What is trained on: pictures in several caches, and what is known of each."""

    caches: list[PixelCache]
    place: NDArray[np.int64]  # (n, 2) cache, row in it
    subjects: list[Subject]

    def __len__(self) -> int:
        return len(self.subjects)

    def pixels(self, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(n, 3, height, width)."""
        place = self.place[positions]
        first = self.caches[0].pixels
        pixels = np.zeros((len(positions), *first.shape[1:]), np.uint8)
        for number, cache in enumerate(self.caches):
            mine = place[:, 0] == number
            pixels[mine] = cache.batch(place[mine, 1])
        return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))


def read_corpus(datasets: Sequence[str], stored_px: int, workers: int | None) -> Corpus:
    """The training split of every dataset; pictures that cannot be opened are left out."""
    caches: list[PixelCache] = []
    places: list[tuple[int, int]] = []
    subjects: list[Subject] = []
    for name in datasets:
        products = Products.open(name)
        columns = "item_id, image_id, geo, name, description, category, label_kind"
        frame = products.frame(
            f"SELECT {columns} FROM cohort WHERE image IS NOT NULL ORDER BY row_id",  # noqa: S608
            Cohort(name, split=("train",)),
        )
        looks = looks_of(products)
        cache = PixelCache(products.info, stored_px, stored_px)
        cache.fill(
            list(frame.image_id.unique()),
            workers,
            lambda done, total, what: print(f"{what} {done} of {total}", file=sys.stderr),
        )
        rows = cache.rows(list(frame.image_id))
        number = len(caches)
        caches.append(cache)
        for row, product in zip(rows.tolist(), frame.to_dict("records"), strict=True):
            if row < 0:
                continue
            look = looks.get((product["item_id"], product["geo"], product["image_id"]))
            human = product["label_kind"] == "human" and not looks
            category = text_of(product["category"]) if human else None
            subjects.append(
                Subject(text_of(product["name"]), text_of(product["description"]), category, look)
            )
            places.append((number, row))
    if len(subjects) < 2:
        raise TrainingError("There are no pictures to train on.")
    return Corpus(caches, np.array(places, np.int64), subjects)


def text_of(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def looks_of(products: Products) -> dict[tuple[str, str, str], Look]:
    """What was really drawn, where the dataset is Vitrine's own."""
    truth = products.info.folder / "truth.parquet"
    if not truth.exists():
        return {}
    import pandas as pd

    frame = pd.read_parquet(truth)
    records: list[dict[str, Any]] = frame[frame.split == "train"].to_dict("records")  # type: ignore[assignment]
    return {
        (str(row["item_id"]), row["geo"], str(row["image_id"])): Look(
            row["kind"], row["colour"], row["pattern"], row["material"], int(row["look_seed"])
        )
        for row in records
    }
