"""Duplicates and leakage of a cohort, from what was looked for already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.duplicates.detectors import DETECTORS, Detector
from core.duplicates.finding import Found, load
from core.duplicates.leakage import Splits, groups
from core.reports.samples import Album, Sample

PAIRS = 4  # that are shown of a detector


@dataclass(frozen=True)
class Copies:
    """One detector at its default threshold, counted in the cohort's products.

    Attributes:
        across: products of each split with a duplicate in another split of the dataset.
        inside: products with a duplicate in their own split only.
        pairs: some across splits, the nearest first; within a split where there are none.
        not_seen: the cohort's products that could not be compared.
    """

    detector: Detector
    means: str
    across: dict[str, int]
    inside: int
    pairs: tuple[tuple[Sample, Sample], ...]
    not_seen: int

    @property
    def leaking(self) -> int:
        """Products with a duplicate in another split."""
        return sum(self.across.values())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "detector": self.detector.key, "means": self.means, "in_another_split": self.across,
            "in_own_split_only": self.inside, "not_compared": self.not_seen, "gives": "duplicates" if self.detector.precise else "candidates",
        }  # fmt: skip


def copies(products: Products, cohort: Cohort, album: Album) -> list[Copies]:
    """Every detector that was run on this dataset."""
    founds = [(kind, load(products.info, kind.key)) for kind in DETECTORS]
    there = [(kind, found) for kind, found in founds if found is not None]
    if not there:
        return []
    splits, mask = Splits(products), products.mask(cohort)
    return [_counted(products, kind, found, splits, mask, album) for kind, found in there]


def _counted(
    products: Products, kind: Detector, found: Found, splits: Splits, mask: NDArray[np.bool_], album: Album
) -> Copies:
    taken = found.within(kind.default)
    a, b = found.a[taken], found.b[taken]
    crossing = splits.code[a] != splits.code[b]
    units = np.unique(found.unit[np.concatenate([a[crossing], b[crossing]])])
    touched = np.isin(found.unit, units[units >= 0])
    grouped = np.zeros(len(found.unit), np.bool_)
    for place in range(len(splits.names)):
        within = (splits.code[a] == place) & (splits.code[b] == place)
        for group in groups(found, a[within], b[within], splits.code == place):
            grouped[group.rows] = True
    across = {
        name: int((touched & mask & (splits.code == place)).sum()) for place, name in enumerate(splits.names)
    }
    of_here = mask[a] | mask[b]
    shown = np.flatnonzero(crossing & of_here) if (crossing & of_here).any() else np.flatnonzero(of_here)
    return Copies(
        kind, kind.describe(kind.default), across, int((grouped & ~touched & mask).sum()),
        _pairs(products, found, a[shown], b[shown], album), int(((found.unit < 0) & mask).sum()),
    )  # fmt: skip


def _pairs(
    products: Products, found: Found, a: NDArray[np.int64], b: NDArray[np.int64], album: Album
) -> tuple[tuple[Sample, Sample], ...]:
    """The first pairs, no product twice."""
    chosen: list[tuple[int, int]] = []
    seen: set[int] = set()
    for one, other in zip(a[:200].tolist(), b[:200].tolist(), strict=True):
        things = {int(found.item[one]), int(found.item[other])}
        if len(chosen) < PAIRS and not things & seen:
            chosen.append((one, other))
            seen |= things
    rows = {row["row_id"]: row for row in products.by_row([row for pair in chosen for row in pair])}
    return tuple((_sample(rows[one], album), _sample(rows[other], album)) for one, other in chosen)


def _sample(row: dict[str, Any], album: Album) -> Sample:
    image_id = str(row["image_id"] or "") if row["image"] else ""
    name = f"{row['split'] or 'no split'}: {row['name'] or row['item_id'] or ''}"[:100]
    return Sample(int(row["row_id"]), image_id, name, album.picture(image_id) if image_id else "")
