"""Look-alikes of other classes, by pixels and by vectors (MEP-3M, Figure 6).

The paper says "pixel-wise distance" and no more; here it is the Euclidean distance of 64 x 64 RGB pictures, found
exactly (docs/development/results.md). Pictures are decoded once, to the array that training shares.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.catalog.products import Products
from core.embeddings.pixels import UNSEEN, PixelCache
from core.embeddings.store import EmbeddingSet, unit
from core.errors import DuplicatesError, UsageError
from core.progress import Progress, no_progress

SIDE_PX = 64
BLOCK = 4_096
MOST = 200_000  # largest number of pictures to compare by pixels: 2.5 GB are read per query


@dataclass(frozen=True)
class LookAlike:
    """One product of another class."""

    row: int
    pixels: float | None  # root mean square difference per channel, 0 to 255; None without a picture
    cosine: float | None  # of the vectors; None without


class LookAlikes:
    """Nearest neighbours of other classes in one dataset."""

    def __init__(
        self, products: Products, vectors: EmbeddingSet | None, progress: Progress = no_progress
    ) -> None:
        """Decode missing pictures.

        Raises:
            DuplicatesError: there are more pictures than are compared by pixels, or none.
            StorageError: the decoded pictures cannot be stored.
        """
        self.products, self.vectors = products, vectors
        table = products.table(
            "SELECT category, CASE WHEN image IS NULL THEN NULL ELSE image_id END AS shown FROM cohort ORDER BY row_id"
        )
        shown = table["shown"].to_pylist()
        ids = sorted({one for one in shown if one is not None})
        if not ids:
            raise DuplicatesError(f"{products.info.name} has no pictures to compare.")
        if len(ids) > MOST:
            raise DuplicatesError(
                f"{products.info.name} has {len(ids):,} pictures; {MOST:,} at most are compared pixel by pixel."
            )
        self.category = np.array([one or "" for one in table["category"].to_pylist()], object)
        self._cache = PixelCache(products.info, SIDE_PX, SIDE_PX)
        self._cache.fill(ids, progress=progress)
        self._place = self._cache.rows(shown)  # (n,) of each product's picture

    def by_pixels(self, row: int, k: int = 6) -> list[LookAlike]:
        """The nearest neighbours of other classes by pixels, one product per picture.

        Raises:
            UsageError: the product has no picture that can be opened.
        """
        place = self._place[row]
        if place < 0:
            raise UsageError("This product has no picture that can be opened.")
        wanted = self._cache.pixels[place].reshape(-1).astype(np.float32)
        distance = np.full(len(self._cache.pixels), np.inf, np.float32)
        for start in range(0, len(distance), BLOCK):
            block = self._cache.pixels[start : start + BLOCK].reshape(-1, wanted.size).astype(np.float32)
            block -= wanted
            distance[start : start + BLOCK] = np.einsum("ij,ij->i", block, block)
        each = np.where(self._place >= 0, distance[self._place], np.inf)
        return self._others(row, each, k)

    def by_vectors(self, row: int, k: int = 6) -> list[LookAlike]:
        """The nearest neighbours of other classes by vectors; empty without vectors."""
        if self.vectors is None or not self.vectors.present[row]:
            return []
        wanted = unit(self.vectors.vectors[[row]])[0][0]
        cosine = np.concatenate(
            [
                unit(self.vectors.vectors[start : start + BLOCK])[0] @ wanted
                for start in range(0, len(self._place), BLOCK)
            ]
        )
        return self._others(row, np.where(self.vectors.present, -cosine, np.inf), k)

    def _others(self, row: int, distance: NDArray[np.floating], k: int) -> list[LookAlike]:
        distance = np.where(self.category == self.category[row], np.inf, distance)
        found: list[LookAlike] = []
        pictures = {int(self._place[row])}
        for other in np.argsort(distance, kind="stable")[: 50 * k].tolist():
            if not np.isfinite(distance[other]) or len(found) == k:
                break
            if int(self._place[other]) in pictures:
                continue
            pictures.add(int(self._place[other]))
            found.append(LookAlike(other, self.pixel_distance(row, other), self.cosine(row, other)))
        return found

    def pixel_distance(self, row: int, other: int) -> float | None:
        """Root mean square difference of the two 64 x 64 pictures, 0 to 255."""
        if self._place[row] < 0 or self._place[other] < 0:
            return None
        first, second = (self._cache.pixels[self._place[one]].astype(np.float32) for one in (row, other))
        return float(np.sqrt(((first - second) ** 2).mean()))

    def cosine(self, row: int, other: int) -> float | None:
        """Of the two products' vectors."""
        if self.vectors is None or not (self.vectors.present[row] and self.vectors.present[other]):
            return None
        first, second = unit(self.vectors.vectors[[row, other]])[0]
        return float(first @ second)


def ready(products: Products) -> bool:
    """Whether all pictures are decoded."""
    folder = products.info.folder / "pixels" / f"{SIDE_PX}x{SIDE_PX}"
    try:
        stamp = json.loads((folder / "pixels.json").read_text(encoding="utf-8"))
        state = np.fromfile(folder / "state.bin", np.uint8)
    except (OSError, ValueError):
        return False
    shown = int(
        products.frame("SELECT count(DISTINCT image_id) AS n FROM cohort WHERE image IS NOT NULL").n[0]
    )
    return stamp.get("fingerprint") == products.info.fingerprint and int((state != UNSEEN).sum()) >= shown
