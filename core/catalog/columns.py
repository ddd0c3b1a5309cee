"""The narrow columns of a product table in memory, for Browse: filter, count and sort products.
About 25 bytes per product; texts and names stay on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.catalog.cohort import CHOICES, NONE, Cohort, by_length

Order = Literal["dataset", "name", "category", "shortest", "longest", "shuffle"]
ORDERS: tuple[Order, ...] = ("dataset", "name", "category", "shortest", "longest", "shuffle")

Mask = NDArray[np.bool_]  # (n,) true where a product is meant


@dataclass(frozen=True)
class Coded:
    """A dictionary-encoded column: `values[codes[row_id]]` is a product's value."""

    codes: NDArray[np.integer[Any]]  # (n,)
    values: Sequence[Any]

    def where(self, chosen: Callable[[Any], bool]) -> Mask:
        allowed = np.fromiter(map(chosen, self.values), bool, len(self.values))
        return allowed[self.codes]

    def counts(self, mask: Mask | None) -> list[tuple[Any, int]]:
        """(value, count) in the order of the values, without empty ones."""
        codes = self.codes if mask is None else self.codes[mask]
        found = np.bincount(codes, minlength=len(self.values)).tolist()
        return [(value, count) for value, count in zip(self.values, found, strict=True) if count]


class Columns:
    """The columns of one dataset, read once. Thread-safe."""

    def __init__(self, table: Path, name_rank: Path) -> None:
        narrow = pq.read_table(
            table, columns=[*CHOICES, "category_path", "image", "name_length", "description_length"]
        )
        self.rows = narrow.num_rows
        self.choices = {column: _coded(narrow.column(column)) for column in CHOICES}
        self.category = _coded_paths(narrow.column("category_path"))
        self.picture: Mask = np.asarray(narrow.column("image").is_valid())
        self.length: NDArray[np.int32] = sum(
            np.asarray(narrow.column(f"{text}_length").fill_null(0)) for text in ("name", "description")
        )  # type: ignore[assignment]
        self.name_rank: NDArray[np.int32] = np.load(name_rank, mmap_mode="r")

    def masks(self, cohort: Cohort) -> dict[str, Mask]:
        """The mask of each of the cohort's filters, except ids and text, which are queried in SQL."""
        found: dict[str, Mask] = {}
        for column in CHOICES:
            if chosen := set(getattr(cohort, column)):
                chosen |= {None} if NONE in chosen else set()
                found[column] = self.choices[column].where(chosen.__contains__)
        if cohort.category:
            paths = {length: set(these) for length, these in by_length(cohort.category).items()}
            found["category"] = self.category.where(
                lambda value: any(value[:length] in these for length, these in paths.items())
            )
        if cohort.picture is not None:
            found["picture"] = self.picture == cohort.picture
        return found

    def page(self, mask: Mask | None, order: Order, seed: int, offset: int, limit: int) -> list[int]:
        """The row_ids at offset..offset+limit of the selected products in that order.

        Only this slice is sorted: its ends are found in linear time, so that all pages cost the same.
        """
        rows = np.arange(self.rows) if mask is None else np.flatnonzero(mask)
        offset = max(0, offset)
        last = min(offset + limit, len(rows)) - 1
        if last < offset:
            return []
        if order == "dataset":
            return list(rows[offset : last + 1].tolist())
        keys = self._keys(rows, order, seed)
        stretch = np.argpartition(keys, (offset, last))[offset : last + 1]
        return list(rows[stretch[np.argsort(keys[stretch], kind="stable")]].tolist())

    def _keys(self, rows: NDArray[np.int64], order: Order, seed: int) -> NDArray[Any]:
        """Unique sort keys; ties are broken by row_id."""
        if order == "shuffle":
            return _mixed(rows, seed)
        if order == "name":
            return np.asarray(self.name_rank)[rows]
        first = self.category.codes if order == "category" else self.length
        sign = -1 if order == "longest" else 1
        return first[rows].astype(np.int64) * (sign * self.rows) + rows


def _mixed(rows: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """A pseudo-random permutation key for each row, fixed by the seed.

    Source: SplitMix64 (Steele, Lea and Flood 2014), whose steps are each one-to-one.
    """
    start = hashlib.blake2b(str(seed).encode(), digest_size=8).digest()  # seeds that are near start far apart
    mixed = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(
        int.from_bytes(start, "little")
    )
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _coded(column: pa.ChunkedArray) -> Coded:
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    values = encoded.dictionary.to_pylist()
    return Coded(_narrow(np.asarray(encoded.indices), len(values)), values)


def _coded_paths(column: pa.ChunkedArray) -> Coded:
    """Category paths, in the tree's order."""
    lists = column.combine_chunks()
    levels = lists.value_lengths().fill_null(0)
    labels = lists.flatten().dictionary_encode()
    codes, starts = np.asarray(labels.indices), np.concatenate(([0], np.cumsum(np.asarray(levels))[:-1]))
    paths = np.zeros(len(lists), np.int64)  # a number for the path down to this level, without gaps
    for level in range(np.max(levels, initial=0)):
        has = np.asarray(levels) > level
        paths *= len(labels.dictionary) + 1
        paths[has] += codes[starts[has] + level] + 1
        paths = pd.factorize(paths)[0]
    first = np.zeros(np.max(paths, initial=-1) + 1, np.int64)  # a row that has it
    first[paths[::-1]] = np.arange(len(paths))[::-1]
    values = [tuple(lists[row].as_py() or ()) for row in first.tolist()]
    order = sorted(range(len(values)), key=values.__getitem__)
    place = np.empty(len(values), np.int64)
    place[order] = np.arange(len(values))
    return Coded(_narrow(place[paths], len(values)), [values[index] for index in order])


def _narrow(codes: NDArray[Any], values: int) -> NDArray[np.integer[Any]]:
    """The array in the smallest integer type."""
    return codes.astype(np.min_scalar_type(max(values - 1, 0)))
