"""Find duplicates, and cache the pairs with the dataset until it changes."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.duplicates import detection, hashing, pixels
from core.duplicates.detectors import COPIES, PICTURE_FILES, USUAL, detector
from core.duplicates.inputs import split_codes
from core.errors import DuplicatesError
from core.progress import Progress, no_progress
from core.statistics.picture_stats import is_remote
from core.storage import load_array, replace_folder, storage_errors

MOST_PAIRS = 1_000_000  # the nearest pairs that a detector stores
MOST_COPIES = 50_000  # pictures up to which copies are detected by default: about half an hour
VERSION = 1  # increase it when the meaning of the cache changes


@dataclass(frozen=True)
class Described:
    """The metadata of one detector's run, from found.json."""

    detector: str
    fingerprint: str  # of the dataset
    loosest: float  # threshold down to which pairs are stored
    vectors: str = ""  # the sets of vectors that were compared
    made: str = ""  # when those were made
    absent: int = 0  # products that the detector could not compare
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    created: str = ""
    version: int = VERSION


@dataclass(frozen=True)
class Found:
    """The pairs of one detector in a dataset of n products."""

    described: Described
    unit: NDArray[np.int32]  # (n,) identical products of one split share a unit; -1 if not compared
    item: NDArray[np.int32]  # (n,) products that share an item, such as one picture in several countries
    a: NDArray[np.int64]  # (m,) row_ids, nearest pairs first
    b: NDArray[np.int64]
    likeness: NDArray[np.float32]  # (m,)

    def within(self, threshold: float) -> slice:
        """The pairs within a threshold.

        Raises:
            UsageError: the threshold is looser than the detector's loosest.
        """
        kind = detector(self.described.detector)
        least = kind.likeness(kind.check(threshold))
        return slice(0, int(np.searchsorted(-self.likeness, -(least - 1e-6), side="right")))

    def duplicates_of(self, row: int, threshold: float) -> NDArray[np.int64]:
        """Rows of the products that are duplicates of one, itself left out."""
        unit = self.unit[row]
        if unit < 0:
            return np.empty(0, np.int64)
        near = self.within(threshold)
        a, b = self.unit[self.a[near]], self.unit[self.b[near]]
        units = np.concatenate(([unit], b[a == unit], a[b == unit]))
        rows = np.flatnonzero(np.isin(self.unit, units))
        return rows[rows != row].astype(np.int64)

    def touching(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(m,) which pairs have one of these products on a side; a side stands for all products of its unit.

        Args:
            mask: (n,) the products.
        """
        units = np.zeros(
            int(self.unit.max(initial=-1)) + 2, bool
        )  # the last is that of products not compared
        units[self.unit[mask]] = True
        units[-1] = False
        return units[self.unit[self.a]] | units[self.unit[self.b]]


def find(
    products: Products,
    by: Sequence[str],
    vectors: str = "",
    loosest: Mapping[str, float] | None = None,
    again: bool = False,
    progress: Progress = no_progress,
) -> dict[str, Found]:
    """The pairs of each detector, from the cache or computed and cached.

    Args:
        by: keys of DETECTORS.
        vectors: set of picture vectors; the newest otherwise.
        loosest: loosest thresholds by key, instead of the detectors' own.

    Raises:
        UsageError: there is no such detector.
        DuplicatesError: pictures, vectors or texts that it needs are not there, or another process is running.
        StorageError: the folder cannot be written.
    """
    for key in by:
        detector(key)
    found = {}
    for key in dict.fromkeys(by):
        kept = None if again else load(products.info, key)
        wanted = (loosest or {}).get(key, detector(key).loosest)
        if kept is not None and _serves(products.info, kept.described, vectors, wanted):
            found[key] = kept
            continue
        with hashing.alone(products.info), storage_errors(products.info.folder):
            found[key] = _search(products, key, vectors, wanted, progress)
            _keep(products.info, found[key])
    return found


def possible(info: DatasetInfo) -> tuple[list[str], tuple[str, ...]]:
    """The default detectors that a dataset allows, and the reasons why others are skipped."""
    chosen, why = list(USUAL), []
    if info.with_picture > MOST_COPIES:
        chosen = [key for key in chosen if key not in COPIES]
        why.append(
            f"Cropped and recoloured copies were skipped: the dataset has more than {MOST_COPIES:,} pictures "
            f"(--by {','.join(COPIES)} computes them anyway)."
        )
    if info.with_picture > pixels.MOST:
        chosen.remove("pixels")
        why.append(f"Pixel comparison was skipped: the dataset has more than {pixels.MOST:,} pictures.")
    if not info.with_picture or is_remote(info):
        chosen = [key for key in chosen if key not in PICTURE_FILES]
        why.append(
            "File, pixel and hash comparison was skipped: the dataset "
            + ("has its pictures on the web." if info.with_picture else "has no pictures.")
        )
    if not detection.sets_for(info, "vectors")[0]:
        chosen.remove("vectors")
        why.append(
            f"Vector comparison was skipped: the dataset has no vectors yet (vitrine embed {info.name})."
        )
    return chosen, tuple(why)


def _serves(info: DatasetInfo, kept: Described, vectors: str, loosest: float) -> bool:
    kind = detector(kept.detector)
    if kind.likeness(kept.loosest) > kind.likeness(loosest):
        return False
    return not kept.vectors or (kept.vectors, kept.made) == detection.sets_for(info, kept.detector, vectors)


def _search(products: Products, key: str, vectors: str, loosest: float, progress: Progress) -> Found:
    started = time.monotonic()
    seen = detection.detect(products, key, vectors, loosest, progress)
    unit, item, a, b, likeness = _pairs(products, seen)
    notes = list(seen.near.notes)
    if len(a) > MOST_PAIRS:
        notes.append(f"{len(a):,} pairs were found; the nearest {MOST_PAIRS:,} were kept.")
        a, b, likeness = a[:MOST_PAIRS], b[:MOST_PAIRS], likeness[:MOST_PAIRS]
    described = Described(
        key, products.info.fingerprint, loosest, seen.vectors, seen.made,
        absent=int((seen.code < 0).sum()), notes=(*seen.notes, *notes),
        seconds=round(time.monotonic() - started, 2), created=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    return Found(described, unit, item, a, b, likeness)


Pairs = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]


def _pairs(products: Products, seen: detection.Detection) -> Pairs:
    """Split the classes by split, and represent their pairs by pairs of products."""
    names, split = split_codes(products)
    count = len(names)
    there = seen.code >= 0
    keys = np.where(there, seen.code * count + split, -1)
    units, first = np.unique(keys[there], return_index=True)
    stands = np.flatnonzero(there)[first]  # the first product of each unit
    unit = np.full(len(keys), -1, np.int32)
    unit[there] = np.searchsorted(units, keys[there])
    unit_of = np.full((int(seen.code.max(initial=-1)) + 1, count), -1, np.int64)
    unit_of[units // count, units % count] = np.arange(len(units))
    exact = detector(seen.key).likeness(detector(seen.key).exact)

    rows_a, rows_b, scores = [], [], []

    def add(a: NDArray[np.int64], b: NDArray[np.int64], score: NDArray[np.float32]) -> None:
        rows_a.append(a)
        rows_b.append(b)
        scores.append(score)

    for one in range(count):
        for other in range(count):
            left, right = unit_of[seen.near.a, one], unit_of[seen.near.b, other]
            both = (left >= 0) & (right >= 0)
            add(stands[left[both]], stands[right[both]], seen.near.likeness[both])
            if one < other:
                left, right = unit_of[:, one], unit_of[:, other]
                both = (left >= 0) & (right >= 0)
                add(
                    stands[left[both]],
                    stands[right[both]],
                    np.full(int(both.sum()), exact, np.float32),
                )
    # Different items of one unit, such as two picture files with the same bytes, are linked in a chain.
    order = np.lexsort((np.arange(len(unit)), seen.item, unit))
    order = order[unit[order] >= 0]
    starts = np.ones(len(order), bool)
    starts[1:] = (unit[order][1:] != unit[order][:-1]) | (seen.item[order][1:] != seen.item[order][:-1])
    heads = order[starts]
    chained = np.flatnonzero(unit[heads][1:] == unit[heads][:-1])
    add(heads[chained], heads[chained + 1], np.full(len(chained), exact, np.float32))

    a, b, likeness = np.concatenate(rows_a), np.concatenate(rows_b), np.concatenate(scores)
    low, high = np.minimum(a, b), np.maximum(a, b)
    nearest = np.lexsort((high, low, -likeness))
    return unit, seen.item.astype(np.int32), low[nearest], high[nearest], likeness[nearest]


def _keep(info: DatasetInfo, found: Found) -> None:
    """Write atomically."""
    target = hashing.folder_of(info) / found.described.detector
    aside = target.with_name(f".{target.name}-{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        np.save(aside / "units.npy", np.stack([found.unit, found.item]))
        pq.write_table(
            pa.table({"a": found.a, "b": found.b, "likeness": found.likeness}), aside / "pairs.parquet"
        )
        text = json.dumps(asdict(found.described), ensure_ascii=False, indent=2)
        (aside / "found.json").write_text(text + "\n", encoding="utf-8")
        replace_folder(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def load(info: DatasetInfo, key: str) -> Found | None:
    """The cached pairs of a detector; None if missing or of an earlier import."""
    described = describe(info, key)
    if described is None:
        return None
    folder = hashing.folder_of(info) / key
    try:
        units = load_array(folder / "units.npy", mmap=False)
        pairs = pq.read_table(folder / "pairs.parquet")
        columns = [pairs[name].to_numpy() for name in ("a", "b", "likeness")]
        if units.shape != (2, info.rows):
            return None
    except (OSError, ValueError, EOFError, KeyError, pa.ArrowException):
        return None
    return Found(described, units[0], units[1], *columns)


def describe(info: DatasetInfo, key: str) -> Described | None:
    """The metadata of a detector's cached pairs, without reading the pairs."""
    path: Path = hashing.folder_of(info) / detector(key).key / "found.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        known = {entry.name for entry in fields(Described)}
        said = {name: value for name, value in said.items() if name in known}
        described = Described(**{**said, "notes": tuple(said["notes"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if described.fingerprint != info.fingerprint or described.version != VERSION:
        return None
    return described


def needed(info: DatasetInfo, key: str) -> Found:
    """
    Raises:
        DuplicatesError: it was not looked for yet.
    """
    found = load(info, key)
    if found is None:
        raise DuplicatesError(
            f"Duplicates of {info.name} by {key} are not computed yet: "
            f"vitrine duplicates {info.name} --by {key}"
        )
    return found
