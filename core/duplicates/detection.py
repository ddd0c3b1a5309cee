"""Run the detectors on a dataset."""

from __future__ import annotations

import numpy as np

from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.duplicates import hashing
from core.duplicates.detectors import COPIES, NearPairs, codes, detector
from core.duplicates.glami import detect_glami
from core.duplicates.inputs import (
    Detection,
    class_splits,
    distinct_vectors,
    picture_set,
    pictures_of,
    text_set,
    texts_of,
)
from core.duplicates.nearest import near_hashes, near_vectors
from core.duplicates.pixels import detect_pixels
from core.duplicates.texts import near_texts
from core.errors import DuplicatesError
from core.progress import Progress, no_progress


def detect(
    products: Products,
    key: str,
    vectors: str = "",
    loosest: float | None = None,
    progress: Progress = no_progress,
) -> Detection:
    """
    Args:
        loosest: loosest threshold; default: the detector's.

    Raises:
        DuplicatesError: pictures, vectors or texts that it needs are missing.
    """
    least = detector(key).loosest if loosest is None else loosest
    if key in ("bytes", "hash"):
        return _by_picture(products, key, int(least), progress)
    if key == "pixels":
        return detect_pixels(products, least, progress)
    if key in COPIES:
        from core.duplicates.copies import detect_copies  # torch

        return detect_copies(products, key, least, progress)
    if key == "vectors":
        return _by_vectors(products, vectors, least, progress)
    if key == "glami":
        return detect_glami(products, vectors, least, progress)
    return _by_text(products, least, progress)


def _by_picture(products: Products, key: str, most_bits: int, progress: Progress) -> Detection:
    measured = hashing.measure(products.info, progress)
    table = measured.table
    column = "md5" if key == "bytes" else "hash"
    there = np.flatnonzero(table[column].is_valid().to_numpy())
    bits = hashing.flat(table[column].take(there))
    of_picture = np.full(table.num_rows, -1, np.int64)
    of_picture[there] = codes(bits.view("V16").ravel())
    picture = pictures_of(products, table["image_id"].to_pylist())
    code = np.where(picture >= 0, of_picture[picture], -1)
    near = NearPairs.none()
    if key == "hash" and len(there):
        stand = np.full(int(of_picture.max()) + 1, -1, np.int64)
        stand[of_picture[there[::-1]]] = np.arange(len(there))[::-1]
        turned = hashing.flat(table["mirrored"].take(there))
        splits = class_splits(products, code, len(stand))
        near = near_hashes(bits[stand], turned[stand], splits, most_bits, progress)
    notes: tuple[str, ...] = ()
    if measured.broken:
        notes = (f"{measured.broken:,} pictures cannot be opened and were not compared.",)
    return Detection(key, code, picture, near, notes)


def sets_for(info: DatasetInfo, key: str, vectors: str = "") -> tuple[str, str]:
    """The sets of vectors that a detector compares, as names and times; empty if it needs none or there are none."""
    if key not in ("vectors", "glami"):
        return "", ""
    try:
        chosen = [picture_set(info, vectors)]
        if key == "glami":
            chosen.append(text_set(info))
    except DuplicatesError:
        return "", ""
    return " + ".join(one.name for one in chosen), " + ".join(one.description.created for one in chosen)


def _by_vectors(products: Products, vectors: str, least: float, progress: Progress) -> Detection:
    chosen = picture_set(products.info, vectors)
    progress(0, 0, "Reading vectors")
    code, wide = distinct_vectors(chosen)
    near = NearPairs.none()
    if len(wide):
        near = near_vectors(wide, class_splits(products, code, len(wide)), least, progress)
    item = pictures_of(products)
    notes: tuple[str, ...] = ()
    if len(wide) == 1 and (code >= 0).sum() > 1:
        notes = ("All vectors are identical: to this detector all products are duplicates.",)
    lonely = item < 0
    item = np.where(
        lonely, item.max(initial=-1) + 1 + np.arange(len(item)), item
    )  # each product without a picture
    return Detection("vectors", code, item, near, notes, chosen.name, chosen.description.created)


def _by_text(products: Products, least: float, progress: Progress) -> Detection:
    progress(0, 0, "Reading texts")
    texts = texts_of(products)
    number: dict[str, int] = {}
    code = np.array([number.setdefault(text, len(number)) if text else -1 for text in texts], np.int64)
    if not number:
        raise DuplicatesError(f"{products.info.name} has no names and no descriptions to compare.")
    near = near_texts(list(number), least, progress)
    return Detection("text", code, np.arange(len(texts), dtype=np.int64), near)
