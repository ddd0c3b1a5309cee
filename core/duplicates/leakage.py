"""At a threshold: duplicates within each split, leakage between splits, and products to drop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalog.products import Products
from core.duplicates.detectors import detector
from core.duplicates.finding import Found
from core.duplicates.inputs import split_codes

Keep = Literal["test", "train"]


@dataclass(frozen=True)
class Group:
    """Products linked by pairs: duplicates of each other."""

    rows: NDArray[np.int64]
    things: int  # of them, distinct items: pictures, or products with different texts


@dataclass(frozen=True)
class Leakage:
    """The counts of one detector at one threshold."""

    detector: str
    threshold: float
    pairs: int  # number of rows in the table of pairs; a pair represents all products identical to its two
    within: dict[str, dict[str, int]]  # split -> pairs, groups, products, surplus, largest
    across: dict[
        tuple[str, str], dict[str, int]
    ]  # (split, other) -> pairs, products of split with a duplicate in other
    leaking: dict[str, int]  # products of each split with a duplicate in any other
    own_only: int  # products with a duplicate in their own split only
    absent: int
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """A dictionary for JSON."""
        return {
            "detector": self.detector,
            "threshold": self.threshold,
            "means": detector(self.detector).describe(self.threshold),
            "pairs": self.pairs,
            "within": self.within,
            "across": [
                {"split": one, "other": other, **counts} for (one, other), counts in self.across.items()
            ],
            "leaking": self.leaking,
            "in_own_split_only": self.own_only,
            "not_seen": self.absent,
            "notes": list(self.notes),
        }


class Splits:
    """The splits of a dataset, read once."""

    def __init__(self, products: Products) -> None:
        self.names, self.code = split_codes(products)
        self.sizes = {
            name: int(count)
            for name, count in zip(self.names, np.bincount(self.code, minlength=len(self.names)), strict=True)
        }


def leakage(found: Found, splits: Splits, threshold: float) -> Leakage:
    """
    Raises:
        UsageError: the threshold is looser than the detector's loosest.
    """
    taken = found.within(threshold)
    a, b = found.a[taken], found.b[taken]
    one, other = splits.code[a], splits.code[b]
    within: dict[str, dict[str, int]] = {}
    grouped = np.zeros(len(found.unit), bool)
    for place, name in enumerate(splits.names):
        inside = (one == place) & (other == place)
        members = groups(found, a[inside], b[inside], splits.code == place)
        for group in members:
            grouped[group.rows] = True
        within[name] = {
            "pairs": int(inside.sum()),
            "groups": len(members),
            "products": sum(len(group.rows) for group in members),
            "surplus": sum(group.things - 1 for group in members),
            "largest": max((len(group.rows) for group in members), default=0),
        }
    across: dict[tuple[str, str], dict[str, int]] = {}
    crossing = one != other
    units = np.unique(found.unit[np.concatenate([a[crossing], b[crossing]])])
    touched = np.isin(found.unit, units[units >= 0])
    leaking = {name: int((touched & (splits.code == place)).sum()) for place, name in enumerate(splits.names)}
    for first in range(len(splits.names)):
        for second in range(len(splits.names)):
            if first == second:
                continue
            forth, back = (one == first) & (other == second), (one == second) & (other == first)
            units = np.unique(np.concatenate([found.unit[a[forth]], found.unit[b[back]]]))
            across[splits.names[first], splits.names[second]] = {
                "pairs": int(forth.sum() + back.sum()),
                "products": int(np.isin(found.unit, units[units >= 0]).sum()),
            }
    notes = found.described.notes
    if len(splits.names) == 1:
        notes = (
            *notes,
            f"All products are in one split ({splits.names[0]}): there can be no leakage between splits.",
        )
    return Leakage(
        found.described.detector,
        threshold,
        len(a),
        within,
        across,
        leaking,
        int((grouped & ~touched).sum()),
        found.described.absent,
        notes,
    )


def groups(
    found: Found, a: NDArray[np.int64], b: NDArray[np.int64], among: NDArray[np.bool_] | None = None
) -> list[Group]:
    """Connected components of pairs and identical products, largest first; only groups of several items.

    Args:
        a, b: (m,) row_ids of the pairs.
        among: (n,) products that count; all otherwise.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    units = int(found.unit.max(initial=-1)) + 1
    if not units or not len(a):
        return []
    links = coo_array((np.ones(len(a), bool), (found.unit[a], found.unit[b])), shape=(units, units))
    _, label = connected_components(links, directed=False)
    touched = np.zeros(units, bool)
    touched[found.unit[a]] = touched[found.unit[b]] = True
    there = (found.unit >= 0) & touched[found.unit]
    if among is not None:
        there &= among
    rows = np.flatnonzero(there)
    of = label[found.unit[rows]]
    order = np.lexsort((rows, of))
    rows, of = rows[order], of[order]
    starts = np.flatnonzero(np.concatenate(([True], of[1:] != of[:-1])))
    parts = np.split(rows, starts[1:])
    made = [Group(part, len(np.unique(found.item[part]))) for part in parts if len(part) > 1]
    return sorted((group for group in made if group.things > 1), key=lambda group: -len(group.rows))


def to_drop(
    founds: Mapping[str, Found],
    thresholds: Mapping[str, float],
    splits: Splits,
    keep: Keep = "test",
    within: bool = False,
) -> pd.DataFrame:
    """The products to drop so that no split shares a duplicate with another.

    Args:
        keep: `test` drops duplicates of test products from train; `train` the other way round, as GLAMI did.
        within: also drop all but the first item of each group within a split.

    Returns:
        row_id, split, detector, likeness, like (row_id of its duplicate), like_split: one row per product, sorted.
    """
    parts = []
    for key, threshold in thresholds.items():
        found = founds[key]
        taken = found.within(threshold)
        a, b, likeness = found.a[taken], found.b[taken], found.likeness[taken]
        later = splits.code[a] > splits.code[b]
        crossing = splits.code[a] != splits.code[b]
        gone = np.where(later == (keep == "train"), a, b)[crossing]
        stays = np.where(later == (keep == "train"), b, a)[crossing]
        parts.append(_whole_units(found, key, gone, stays, likeness[crossing]))
        if within:
            parts.append(_surplus(found, key, splits, a[~crossing], b[~crossing]))
    table = pd.concat(parts, ignore_index=True) if parts else _dropped("", [], [], [])
    table = table.drop_duplicates("row_id").sort_values("row_id", ignore_index=True)
    names = np.array(splits.names)
    table.insert(1, "split", names[splits.code[table["row_id"]]])
    table["like_split"] = names[splits.code[table["like"]]]
    return table


def _dropped(
    key: str, rows: Sequence[int] | NDArray[Any], like: Sequence[int] | NDArray[Any], likeness: Any
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row_id": np.asarray(rows, np.int64),
            "detector": pd.Series([key] * len(rows), dtype=object),
            "likeness": np.asarray(likeness, np.float64),
            "like": np.asarray(like, np.int64),
        }
    )


def _whole_units(
    found: Found, key: str, gone: NDArray[np.int64], stays: NDArray[np.int64], likeness: NDArray[np.float32]
) -> pd.DataFrame:
    """Every product identical to a dropped one, with the nearest reason."""
    units, first = np.unique(found.unit[gone], return_index=True)  # pairs come nearest first
    rows = np.flatnonzero(np.isin(found.unit, units) & (found.unit >= 0))
    place = first[np.searchsorted(units, found.unit[rows])]
    return _dropped(key, rows, stays[place], likeness[place])


def _surplus(
    found: Found, key: str, splits: Splits, a: NDArray[np.int64], b: NDArray[np.int64]
) -> pd.DataFrame:
    """All but the first item of each group; all products of that item stay."""
    rows: list[int] = []
    like: list[int] = []
    for place in range(len(splits.names)):
        inside = splits.code[a] == place
        for group in groups(found, a[inside], b[inside], splits.code == place):
            kept = group.rows[0]
            gone = group.rows[found.item[group.rows] != found.item[kept]]
            rows += gone.tolist()
            like += [int(kept)] * len(gone)
    return _dropped(key, rows, like, np.full(len(rows), np.nan))
