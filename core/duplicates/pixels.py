"""Detect pictures that are identical up to compression, size and mirroring: candidates by hash, verified by pixels.

Product pictures share backgrounds and shapes, so hashes of different products are often near. Among
each picture's nearest by hash, the root mean square difference of 64 x 64 RGB pictures decides: on the
built-in dataset precision rose from 0.30 to 0.94 at the same recall (docs/development/results.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.catalog.products import Products
from core.duplicates import hashing
from core.duplicates.detectors import NearPairs, codes, gathered
from core.duplicates.inputs import Detection, class_splits, pictures_of
from core.duplicates.nearest import near_hashes
from core.embeddings.pixels import PixelCache
from core.progress import Progress, no_progress

SIDE_PX = 64
CANDIDATE_BITS = 16  # of 128, that a hash may differ by
BLOCK = 2_000  # pairs at a time
MOST = 200_000  # pictures; their 64 x 64 pixels take 12 kB each on the disk


def detect_pixels(products: Products, most_difference: float, progress: Progress = no_progress) -> Detection:
    """Pictures whose pixels differ by `most_difference` of 255 or less, as they are or one of them mirrored.

    Raises:
        DuplicatesError: there is no picture, or the pictures are on the web.
        StorageError: the decoded pictures cannot be stored.
    """
    files = picture_files(products, progress)
    near = NearPairs.none()
    if len(files.stand):
        bits, turned = (hashing.flat(files.table[name].take(files.stand)) for name in ("hash", "mirrored"))
        splits = class_splits(products, files.code, len(files.stand))
        near = near_hashes(bits, turned, splits, CANDIDATE_BITS, progress)
        near = _decided(products, near, files.ids, most_difference, progress)
    return Detection("pixels", files.code, files.picture, near, files.notes)


@dataclass(frozen=True)
class PictureFiles:
    """The m distinct picture files of a dataset that can be opened."""

    code: NDArray[np.int64]  # (n,) index of each product's file; -1 for none
    picture: NDArray[np.int64]  # (n,) index of its picture among all; -1 for none
    stand: NDArray[np.int64]  # (m,) row of `table` of a representative picture of each file
    ids: list[str]  # (m,) its image_id
    table: pa.Table  # hashing.HASHES
    notes: tuple[str, ...]  # how many cannot be opened


def picture_files(products: Products, progress: Progress = no_progress) -> PictureFiles:
    """
    Raises:
        DuplicatesError: there is no picture, or the pictures are on the web.
    """
    measured = hashing.measure(products.info, progress)
    table = measured.table
    there = np.flatnonzero(table["hash"].is_valid().to_numpy())
    files = codes(hashing.flat(table["md5"].take(there)).view("V16").ravel())
    of_picture = np.full(table.num_rows, -1, np.int64)
    of_picture[there] = files
    ids = table["image_id"].to_pylist()
    picture = pictures_of(products, ids)
    code = np.where(picture >= 0, of_picture[picture], -1)
    stand = there[np.unique(files, return_index=True)[1]]
    notes = (
        (f"{measured.broken:,} pictures cannot be opened and were not compared.",) if measured.broken else ()
    )
    return PictureFiles(code, picture, stand, [ids[row] for row in stand], table, notes)


def _decided(
    products: Products, near: NearPairs, ids: list[str], most_difference: float, progress: Progress
) -> NearPairs:
    """The candidates with near pixels."""
    cache = PixelCache(products.info, SIDE_PX, SIDE_PX)
    wanted = np.unique(np.concatenate([near.a, near.b]))
    cache.fill([ids[row] for row in wanted], progress=progress)
    place = np.full(len(ids), -1, np.int64)
    place[wanted] = cache.rows([ids[row] for row in wanted])
    difference = np.full(len(near.a), np.inf, np.float32)
    for start in range(0, len(near.a), BLOCK):
        some = slice(start, start + BLOCK)
        difference[some] = rms(cache.pixels[place[near.a[some]]], cache.pixels[place[near.b[some]]])
        progress(start, len(near.a), "Comparing pixels")
    taken = (difference <= most_difference) & (place[near.a] >= 0) & (place[near.b] >= 0)
    return gathered(near.a[taken], near.b[taken], 255 - difference[taken], near.notes)


def rms(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(m,) root mean square difference of pictures, 0 to 255; the minimum of plain and mirrored.

    Args:
        first, second: (m, height, width, 3).

    >>> black, grey = np.zeros((1, 2, 2, 3), np.uint8), np.full((1, 2, 2, 3), 9, np.uint8)
    >>> rms(black, grey).tolist()
    [9.0]
    """
    a = first.astype(np.float32)
    ways = [((a - second[:, :, ::way].astype(np.float32)) ** 2).mean(axis=(1, 2, 3)) for way in (1, -1)]
    return np.asarray(np.sqrt(np.minimum(*ways)), np.float32)
