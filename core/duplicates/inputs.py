"""Inputs of detectors (pictures, splits, vectors, texts) and their common output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.duplicates.detectors import NearPairs, codes
from core.duplicates.texts import one_text
from core.embeddings.store import EmbeddingSet, open_set, sets, unit
from core.errors import DuplicatesError

BLOCK = 65_536


@dataclass(frozen=True)
class Detection:
    """The raw output of one detector on n products."""

    key: str
    code: NDArray[np.int64]  # (n,) class; -1 if the product cannot be compared
    item: NDArray[np.int64]  # (n,) products that share a picture or text have one number
    near: NearPairs
    notes: tuple[str, ...] = ()
    vectors: str = ""
    made: str = ""


def _shown(products: Products) -> list[str | None]:
    """(n,) the image_id of each product's picture; None if it has none."""
    sql = "SELECT CASE WHEN image IS NULL THEN NULL ELSE image_id END AS shown FROM cohort ORDER BY row_id"
    found: list[str | None] = products.table(sql)["shown"].to_pylist()
    return found


def pictures_of(products: Products, image_ids: Sequence[str] = ()) -> NDArray[np.int64]:
    """(n,) the position of each product's picture in `image_ids`; -1 if it has none."""
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
    """The splits, training first, and (n,) the split of each product."""
    column = products.table("SELECT split FROM cohort ORDER BY row_id")["split"].to_pylist()
    known = ["train", "validation", "test"]
    named = ["none" if split is None else split for split in column]
    names = sorted(set(named), key=lambda name: (known.index(name) if name in known else len(known), name))
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place[name] for name in named], np.int64)


def class_splits(products: Products, code: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """(m, s) the splits in which each class occurs."""
    names, split = split_codes(products)
    found = np.zeros((count, len(names)), bool)
    there = code >= 0
    found[code[there], split[there]] = True
    return found


def picture_set(info: DatasetInfo, vectors: str = "") -> EmbeddingSet:
    """The named set of vectors, else the newest of pictures, else the newest import.

    Raises:
        DuplicatesError: there are no vectors yet.
        EmbeddingError: the named one is missing, outdated or broken.
    """
    if vectors:
        return open_set(info, vectors)
    ranked = sorted(sets(info), key=lambda entry: {"image": 0, "imported": 1, "text": 2}[entry[1].tower])
    if not ranked or ranked[0][1].tower == "text":
        raise DuplicatesError(
            f"{info.name} has no picture vectors yet. Compute them: vitrine embed {info.name}, "
            "or leave them out: --by bytes,hash,text"
        )
    return open_set(info, ranked[0][0])


def distinct_vectors(chosen: EmbeddingSet) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(n,) which of the distinct vectors each product has, -1 for none, and those, (m, d) of length 1."""
    n, d = chosen.vectors.shape
    odd = np.random.default_rng(0).integers(0, 2**63, d, dtype=np.uint64) | np.uint64(1)
    keys = np.zeros(n, np.uint64)
    for start in range(0, n, BLOCK):  # by a 64-bit hash
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


def text_set(info: DatasetInfo) -> EmbeddingSet:
    """The newest vectors of texts.

    Raises:
        DuplicatesError: there are none yet.
    """
    for name, described in sets(info):
        if described.tower == "text":
            return open_set(info, name)
    raise DuplicatesError(
        f"GLAMI's rule needs text vectors, and {info.name} has none yet. "
        f"Make them: vitrine embed {info.name} --tower text"
    )


def texts_of(products: Products) -> list[str]:
    """(n,) each product's name and description as one folded line."""
    table = products.table("SELECT name, description FROM cohort ORDER BY row_id")
    return [
        one_text(name, description)
        for name, description in zip(table["name"].to_pylist(), table["description"].to_pylist(), strict=True)
    ]
