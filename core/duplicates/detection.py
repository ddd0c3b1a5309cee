"""What each detector sees: a class for every product, and the near pairs of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.duplicates import hashing
from core.duplicates.detectors import COPIES, Near, codes, detector
from core.duplicates.nearest import near_hashes, near_vectors
from core.duplicates.texts import near_texts, one_text
from core.embeddings.store import EmbeddingSet, open_set, sets, unit
from core.errors import DuplicatesError
from core.progress import Progress, no_progress

BLOCK = 65_536


@dataclass(frozen=True)
class Seen:
    """One detector's view of a dataset of n products."""

    key: str
    code: NDArray[np.int64]  # (n,) class; -1 where the detector cannot see
    item: NDArray[np.int64]  # (n,) listings of one thing have one number
    near: Near
    notes: tuple[str, ...] = ()
    vectors: str = ""
    made: str = ""


def see(
    products: Products,
    key: str,
    vectors: str = "",
    loosest: float | None = None,
    progress: Progress = no_progress,
) -> Seen:
    """
    Args:
        loosest: threshold to look down to; the detector's own otherwise.

    Raises:
        DuplicatesError: pictures, vectors or texts that it needs are not there.
    """
    least = detector(key).loosest if loosest is None else loosest
    if key in ("bytes", "hash"):
        return _by_picture(products, key, int(least), progress)
    if key == "pixels":
        from core.duplicates.pixels import see_pixels

        return see_pixels(products, least, progress)
    if key in COPIES:
        from core.duplicates.copies import see_copies

        return see_copies(products, key, least, progress)
    if key == "vectors":
        return _by_vectors(products, vectors, least, progress)
    if key == "glami":
        from core.duplicates.glami import see_glami

        return see_glami(products, vectors, least, progress)
    return _by_text(products, least, progress)


def _by_picture(products: Products, key: str, most_bits: int, progress: Progress) -> Seen:
    measured = hashing.measure(products.info, progress)
    table = measured.table
    column = "md5" if key == "bytes" else "hash"
    there = np.flatnonzero(table[column].is_valid().to_numpy())
    bits = hashing.flat(table[column].take(there))
    of_picture = np.full(table.num_rows, -1, np.int64)
    of_picture[there] = codes(bits.view("V16").ravel())
    picture = pictures_of(products, table["image_id"].to_pylist())
    code = np.where(picture >= 0, of_picture[picture], -1)
    near = Near.none()
    if key == "hash" and len(there):
        stand = np.full(int(of_picture.max()) + 1, -1, np.int64)
        stand[of_picture[there[::-1]]] = np.arange(len(there))[::-1]
        turned = hashing.flat(table["mirrored"].take(there))
        splits = class_splits(products, code, len(stand))
        near = near_hashes(bits[stand], turned[stand], splits, most_bits, progress)
    notes: tuple[str, ...] = ()
    if measured.broken:
        notes = (f"{measured.broken:,} pictures cannot be opened, and were not compared.",)
    return Seen(key, code, picture, near, notes)


def _shown(products: Products) -> list[str | None]:
    """(n,) the image_id of each product's picture; None where it has none."""
    sql = "SELECT CASE WHEN image IS NULL THEN NULL ELSE image_id END AS shown FROM cohort ORDER BY row_id"
    found: list[str | None] = products.table(sql)["shown"].to_pylist()
    return found


def pictures_of(products: Products, image_ids: Sequence[str] = ()) -> NDArray[np.int64]:
    """(n,) a number for each picture that products show, its place in `image_ids`; -1 where a product has none."""
    place: dict[str, int] = {image_id: number for number, image_id in enumerate(image_ids)}
    known = bool(place)
    return np.array(
        [
            -1 if one is None else place.get(one, -1) if known else place.setdefault(one, len(place))
            for one in _shown(products)
        ],
        np.int64,
    )


def split_codes(products: Products) -> tuple[list[str], NDArray[np.int64]]:
    """The splits there are, training first, and (n,) which each product is of."""
    column = products.table("SELECT split FROM cohort ORDER BY row_id")["split"].to_pylist()
    known = ["train", "validation", "test"]
    named = ["none" if split is None else split for split in column]
    names = sorted(set(named), key=lambda name: (known.index(name) if name in known else len(known), name))
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place[name] for name in named], np.int64)


def class_splits(products: Products, code: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """(m, s) which splits the products of each class are in."""
    names, split = split_codes(products)
    found = np.zeros((count, len(names)), bool)
    there = code >= 0
    found[code[there], split[there]] = True
    return found


def sets_for(info: DatasetInfo, key: str, vectors: str = "") -> tuple[str, str]:
    """The sets of vectors that a detector compares, as names and as times; empty where it needs none or has none."""
    if key not in ("vectors", "glami"):
        return "", ""
    try:
        chosen = [picture_set(info, vectors)]
        if key == "glami":
            from core.duplicates.glami import text_set

            chosen.append(text_set(info))
    except DuplicatesError:
        return "", ""
    return " + ".join(one.name for one in chosen), " + ".join(one.description.created for one in chosen)


def picture_set(info: DatasetInfo, vectors: str = "") -> EmbeddingSet:
    """The named set of vectors, else the newest of pictures, else the newest import.

    Raises:
        DuplicatesError: there are no vectors yet.
        EmbeddingError: the named one is not there, stale or broken.
    """
    if vectors:
        return open_set(info, vectors)
    ranked = sorted(sets(info), key=lambda entry: {"image": 0, "imported": 1, "text": 2}[entry[1].tower])
    if not ranked or ranked[0][1].tower == "text":
        raise DuplicatesError(
            f"{info.name} has no vectors of its pictures yet. Make them: vitrine embed {info.name}, "
            "or leave them out: --by bytes,hash,text"
        )
    return open_set(info, ranked[0][0])


def distinct_vectors(chosen: EmbeddingSet) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(n,) which of the distinct vectors each product has, -1 for none, and those, (m, d) of length 1."""
    n, d = chosen.vectors.shape
    odd = np.random.default_rng(0).integers(0, 2**63, d, dtype=np.uint64) | np.uint64(1)
    keys = np.zeros(n, np.uint64)
    for start in range(
        0, n, BLOCK
    ):  # by 64 bits: two unlike ones of a million share them once in 40 million datasets
        block = np.ascontiguousarray(chosen.vectors[start : start + BLOCK]) + np.float16(0)  # -0 is 0
        keys[start : start + BLOCK] = (block.view(np.uint16).astype(np.uint64) * odd).sum(
            axis=1, dtype=np.uint64
        )
    there = np.flatnonzero(chosen.present)
    code = np.full(n, -1, np.int64)
    code[there] = codes(keys[there])
    stand = np.full(int(code.max(initial=-1)) + 1, -1, np.int64)
    stand[code[there[::-1]]] = there[::-1]
    return code, unit(chosen.vectors[stand])[0]


def _by_vectors(products: Products, vectors: str, least: float, progress: Progress) -> Seen:
    chosen = picture_set(products.info, vectors)
    progress(0, 0, "Reading vectors")
    code, wide = distinct_vectors(chosen)
    near = Near.none()
    if len(wide):
        near = near_vectors(wide, class_splits(products, code, len(wide)), least, progress)
    item = pictures_of(products)
    notes: tuple[str, ...] = ()
    if len(wide) == 1 and (code >= 0).sum() > 1:
        notes = ("All vectors are equal: to this detector everything is one product.",)
    lonely = item < 0
    item = np.where(
        lonely, item.max(initial=-1) + 1 + np.arange(len(item)), item
    )  # each product without a picture
    return Seen("vectors", code, item, near, notes, chosen.name, chosen.description.created)


def texts_of(products: Products) -> list[str]:
    """(n,) each product's name and description as one folded line."""
    table = products.table("SELECT name, description FROM cohort ORDER BY row_id")
    return [
        one_text(name, description)
        for name, description in zip(table["name"].to_pylist(), table["description"].to_pylist(), strict=True)
    ]


def _by_text(products: Products, least: float, progress: Progress) -> Seen:
    progress(0, 0, "Reading texts")
    texts = texts_of(products)
    number: dict[str, int] = {}
    code = np.array([number.setdefault(text, len(number)) if text else -1 for text in texts], np.int64)
    if not number:
        raise DuplicatesError(f"{products.info.name} has no names and no descriptions to compare.")
    near = near_texts(list(number), least, progress)
    return Seen("text", code, np.arange(len(texts), dtype=np.int64), near)
