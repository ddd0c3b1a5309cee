"""Pairs of texts: one picture sold in two countries, inside a split, with its text in each.

Two products are a pair where they share a key and a split and differ in country. The key is the picture's id, as in
GLAMI-1M's supplementary, or a class of a duplicates search (`bytes`: the same file). A key that repeats in a country
gives every combination, as the reference implementation's join does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.duplicates import finding
from core.duplicates.detectors import BY_KEY, detector
from core.errors import DuplicatesError, UsageError
from core.progress import Progress, no_progress
from core.schema import LANGUAGE_OF_GEO
from core.statistics.languages import UNDECIDED, detect

PICTURE_ID = "image_id"
KEYS = (PICTURE_ID, *BY_KEY)
Column = Literal["description", "name"]
MOST_PAIRS = 2_000_000
KINDS = ("usable", "same", "empty", "language")  # each pair is of one; the last three are counted apart
KIND_TITLES = {
    "usable": "two texts, each in its country's language",
    "same": "the same text in both countries",
    "empty": "a text is missing",
    "language": "a text is in another language than its country's",
}
COLUMNS = ("row_a", "row_b", "split", "geo_a", "geo_b", "text_a", "text_b", "kind", "read_a", "read_b")


@dataclass(frozen=True)
class Counts:
    """Pairs between countries.

    Attributes:
        countries: in the order of the paper, others behind by name.
        total: (c, c) symmetric, the diagonal is 0.
        by_kind: the same of each kind; they sum to `total`.
    """

    countries: tuple[str, ...]
    total: NDArray[np.int64]
    by_kind: dict[str, NDArray[np.int64]]

    def frame(self) -> pd.DataFrame:
        """One row per unordered pair of countries that has any: countries, total, each kind."""
        rows = [
            {
                "from": first, "to": second, "pairs": int(self.total[a, b]),
                **{kind: int(self.by_kind[kind][a, b]) for kind in KINDS},
            }
            for a, first in enumerate(self.countries)
            for b, second in enumerate(self.countries)
            if a < b and self.total[a, b]
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["from", "to", "pairs", *KINDS])


def order_of(countries: Sequence[str]) -> tuple[str, ...]:
    """Countries as the paper lists them, then others by name.

    >>> order_of(["xx", "sk", "cz"])
    ('cz', 'sk', 'xx')
    """
    return tuple(sorted(set(countries), key=lambda geo: (PAPER.index(geo) if geo in PAPER else 99, geo)))


PAPER = ("cz", "sk", "ro", "gr", "hu", "bg", "hr", "es", "lt", "si", "lv", "tr", "ee")


def country_pairs(
    products: Products,
    cohort: Cohort | None = None,
    by: str = PICTURE_ID,
    threshold: float | None = None,
    column: Column = "description",
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """Every pair of a cohort, both of whose products are in it.

    Args:
        by: one of KEYS; of a duplicates search, which must have been run.
        threshold: of that search, in the detector's unit; its default otherwise.

    Returns:
        COLUMNS: geo_a comes before geo_b in the paper's order; texts are "" where missing; `kind` is one of KINDS;
        `read_a` and `read_b` are the detected languages.

    Raises:
        UsageError: there is no such key or column, or there are more than MOST_PAIRS pairs.
        DuplicatesError: the search was not run yet.
    """
    if by not in KEYS:
        raise UsageError(f"Pairs are not made by {by!r}. Keys: {', '.join(KEYS)}.")
    if column not in get_args(Column):
        raise UsageError(f"Pairs are of descriptions or of names, not of {column!r}.")
    places = (
        _by_picture(products, cohort) if by == PICTURE_ID else _by_search(products, cohort, by, threshold)
    )
    joined = _joined(places)
    if joined.empty:
        return pd.DataFrame(
            {name: pd.Series(dtype="int64" if name.startswith("row") else object) for name in COLUMNS}
        )
    texts = _texts(products, np.unique(joined[["row_a", "row_b"]].to_numpy()), column)
    for side in ("a", "b"):
        rows = joined[f"row_{side}"]
        joined[f"text_{side}"] = rows.map(texts["text"])
        joined[f"read_{side}"] = rows.map(_read(texts, progress))
        joined[f"expected_{side}"] = rows.map(texts["language"])
    joined["kind"] = _kinds(joined)
    found = joined[list(COLUMNS)].sort_values(["row_a", "row_b"], ignore_index=True)
    return found


def counts(pairs: pd.DataFrame) -> Counts:
    """Pairs counted by countries, symmetric."""
    countries = order_of([*pairs["geo_a"], *pairs["geo_b"]])
    place = {geo: number for number, geo in enumerate(countries)}
    by_kind = {}
    for kind in KINDS:
        table = np.zeros((len(countries), len(countries)), np.int64)
        chosen = pairs[pairs["kind"] == kind]
        np.add.at(
            table, (chosen["geo_a"].map(place).to_numpy(int), chosen["geo_b"].map(place).to_numpy(int)), 1
        )
        by_kind[kind] = table + table.T
    return Counts(countries, np.sum(list(by_kind.values()), axis=0), by_kind)


def between(pairs: pd.DataFrame, source: str, target: str) -> pd.DataFrame:
    """The pairs of two countries, turned so that `a` is the source.

    Returns:
        row_a, row_b, split, text_a, text_b, kind.
    """
    straight = pairs[(pairs["geo_a"] == source) & (pairs["geo_b"] == target)]
    back = pairs[(pairs["geo_a"] == target) & (pairs["geo_b"] == source)]
    turned = back.rename(columns={
        "row_a": "row_b", "row_b": "row_a", "text_a": "text_b", "text_b": "text_a", "geo_a": "geo_b", "geo_b": "geo_a",
        "read_a": "read_b", "read_b": "read_a",
    })  # fmt: skip
    found = pd.concat([straight, turned[straight.columns]], ignore_index=True)
    return found.sort_values(["row_a", "row_b"], ignore_index=True)


def _by_picture(products: Products, cohort: Cohort | None) -> pd.DataFrame:
    sql = """SELECT row_id, coalesce(split, '') AS split, geo, image_id AS key FROM cohort
             WHERE image_id IS NOT NULL AND geo IS NOT NULL AND image_id IN
             (SELECT image_id FROM cohort WHERE geo IS NOT NULL GROUP BY image_id HAVING count(DISTINCT geo) > 1)"""
    return products.frame(sql, cohort)


def _by_search(products: Products, cohort: Cohort | None, by: str, threshold: float | None) -> pd.DataFrame:
    found = finding.load(products.info, by)
    if found is None:
        raise DuplicatesError(
            f"Duplicates of {products.info.name} by {by} were not computed yet. "
            f"Run: vitrine duplicates {products.info.name} --by {by}"
        )
    known = detector(by)
    near = found.within(known.default if threshold is None else threshold)
    rows = products.frame(
        "SELECT row_id, coalesce(split, '') AS split, geo FROM cohort WHERE geo IS NOT NULL ORDER BY row_id",
        cohort,
    )
    key = _groups(found.unit, found.a[near], found.b[near])[rows["row_id"].to_numpy()]
    return rows.assign(key=key)[key >= 0]


def _groups(unit: NDArray[np.int32], a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) products that a chain of near pairs connects; -1 where not compared."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = int(unit.max(initial=-1)) + 1
    if not size:
        return np.full(len(unit), -1, np.int64)
    graph = coo_array((np.ones(len(a), np.int8), (unit[a], unit[b])), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    return np.where(unit >= 0, label[np.maximum(unit, 0)], -1).astype(np.int64)


def _joined(places: pd.DataFrame) -> pd.DataFrame:
    """The join inside split and key, each unordered pair once."""
    if places.empty:
        return pd.DataFrame(columns=["row_a", "row_b", "split", "geo_a", "geo_b"])
    sizes = places.groupby(["split", "key", "geo"], observed=True).size()
    squared = (sizes**2).groupby(level=[0, 1]).sum()
    total = int(((sizes.groupby(level=[0, 1]).sum() ** 2 - squared) // 2).sum())
    if total > MOST_PAIRS:
        raise UsageError(
            f"These products make {total:,} pairs; at most {MOST_PAIRS:,} are read. Choose fewer products, or a stricter key."
        )
    rank = {geo: number for number, geo in enumerate(order_of(places["geo"].tolist()))}
    places = places.assign(rank=places["geo"].map(rank))
    joined = places.merge(places, on=["split", "key"], suffixes=("_a", "_b"))
    joined = joined[joined["rank_a"] < joined["rank_b"]]
    return joined.rename(columns={"row_id_a": "row_a", "row_id_b": "row_b"}).reset_index(drop=True)


def _texts(products: Products, rows: NDArray[np.int64], column: Column) -> pd.DataFrame:
    """Text and expected language of products, by row_id."""
    sql = f"""SELECT row_id, trim(coalesce({column}, '')) AS text, coalesce(language, '') AS language, geo FROM cohort
              WHERE row_id IN (SELECT unnest(?))"""  # noqa: S608 - one of two names
    texts = products.frame(sql, None, [rows.tolist()]).set_index("row_id")
    texts["language"] = [
        language or LANGUAGE_OF_GEO.get(geo, "")
        for language, geo in zip(texts["language"], texts["geo"], strict=True)
    ]
    return texts


def _read(texts: pd.DataFrame, progress: Progress) -> pd.Series:
    """The detected language of each text; a text that repeats is read once."""
    different = texts["text"].unique()
    seen: dict[str, str] = {}
    for number, text in enumerate(different):
        seen[text] = detect(text) if text else UNDECIDED
        if number % 1_000 == 0:
            progress(number, len(different), "Reading languages")
    return texts["text"].map(seen)


def _kinds(pairs: pd.DataFrame) -> NDArray[np.object_]:
    folded = [pairs[f"text_{side}"].str.casefold().str.split().str.join(" ") for side in ("a", "b")]
    empty = (folded[0] == "") | (folded[1] == "")
    same = folded[0] == folded[1]
    other = np.zeros(len(pairs), bool)
    for side in ("a", "b"):
        read, expected = pairs[f"read_{side}"], pairs[f"expected_{side}"].str.partition("-")[0]
        other |= ((read != UNDECIDED) & (expected != "") & (read != expected)).to_numpy(bool)
    return np.select([empty, same, other], ["empty", "same", "language"], "usable").astype(object)
