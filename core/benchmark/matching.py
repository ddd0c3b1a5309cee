"""Class names and product ids of a file, matched with a dataset's; what does not fit is said so that one can act."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.benchmark.truth import Truth
from core.catalog.cohort import path_from_text, path_text
from core.demo.class_names import names as other_names
from core.errors import BenchmarkError

SHOWN = 5  # examples in a message
UNKNOWN = -2


class Classes:
    """A dataset's classes by path, leaf name or category id. `offered` holds near matches that were not taken."""

    def __init__(self, truth: Truth, take_matches: bool = False) -> None:
        """
        Args:
            take_matches: take a class that is another spelling, case or language of exactly one of the dataset's.
        """
        self.names = truth.classes
        self.take_matches = take_matches
        self.taken: dict[str, str] = {}
        self.offered: dict[str, str] = {}
        self.unknown: Counter[str] = Counter()
        self.exact = _exact(truth)
        self._near = _near(truth.classes)
        self._found = dict(self.exact)

    def number(self, said: str | None) -> int:
        """Its class number; UNKNOWN where there is none, which `check` reports."""
        if said is None:
            self.unknown["(empty)"] += 1
            return UNKNOWN
        if (known := self._found.get(said)) is not None:
            return known
        near = self._near.get(plain_name(said), set())
        if len(near) == 1:
            number = next(iter(near))
            if self.take_matches:
                self._found[said] = number
                self.taken[said[:200]] = self.names[number]
                return number
            self.offered[said[:200]] = self.names[number]
        self.unknown[said[:200]] += 1
        return UNKNOWN

    def check(self) -> None:
        """
        Raises:
            BenchmarkError: a class is unknown; near matches are named.
        """
        if not self.unknown:
            return
        rows = self.unknown.total()
        if self.offered:
            pairs = [f"{said!r} → {name!r}" for said, name in list(self.offered.items())[:SHOWN]]
            rest = [said for said in self.unknown if said not in self.offered]
            more = f" {len(rest):,} have no match: {_quoted(rest)}." if rest else " Take these with --match."
            raise BenchmarkError(
                f"{len(self.unknown):,} classes ({rows:,} predictions) are not written as the dataset has them. Meant, perhaps: "
                f"{'; '.join(pairs)}.{more}"
            )
        said = next(iter(self.unknown))
        close = difflib.get_close_matches(said, self.names, 1)
        hint = f" The closest to {said!r} is {close[0]!r}." if close else ""
        raise BenchmarkError(
            f"{len(self.unknown):,} classes ({rows:,} predictions) are unknown: {_quoted(self.unknown)}.{hint} "
            f"The dataset has {len(self.names):,}, such as {_quoted(self.names)}."
        )


def _exact(truth: Truth) -> dict[str, int]:
    """Class numbers by category id, by leaf name where it is of one class, and by path; the last wins."""
    found: dict[str, set[int]] = defaultdict(set)
    table = truth.products.frame(
        "SELECT DISTINCT category_id, category_path FROM cohort WHERE category_id IS NOT NULL AND category_path IS NOT NULL"
    )
    for category_id, path in zip(table.category_id, table.category_path, strict=True):
        found[str(category_id)].add(truth.number_of[path_text(path)])
    by_id = {key: next(iter(numbers)) for key, numbers in found.items() if len(numbers) == 1}
    leaves: dict[str, set[int]] = defaultdict(set)
    for number, name in enumerate(truth.classes):
        leaves[path_from_text(name)[-1]].add(number)
    by_leaf = {key: next(iter(numbers)) for key, numbers in leaves.items() if len(numbers) == 1}
    return by_id | by_leaf | truth.number_of


def _near(classes: list[str]) -> dict[str, set[int]]:
    """Class numbers by plain name of path and leaf, and by the leaf's name in other languages."""
    found: dict[str, set[int]] = defaultdict(set)
    for number, name in enumerate(classes):
        leaf = path_from_text(name)[-1]
        for each in (name, leaf, *other_names(leaf)):
            found[plain_name(each)].add(number)
    return found


def plain_name(name: str) -> str:
    """A name without case, accents, and what separates its words.

    >>> plain_name("Women's_T-Shirts "), plain_name("SUKNĚ")
    ('women s t shirts', 'sukne')
    """
    folded = unicodedata.normalize("NFKD", name[:500].casefold())
    folded = "".join(mark for mark in folded if not unicodedata.combining(mark))
    return " ".join(re.findall(r"\w+", folded.replace("_", " ")))


class Keys:
    """Which product of a task each row of a file is of."""

    def __init__(self, truth: Truth, columns: Iterable[str]) -> None:
        """
        Args:
            columns: of the file.

        Raises:
            BenchmarkError: an item_id is of several products, which nothing else in the file tells apart.
        """
        self.truth, has = truth, set(columns)
        self.by = ["row_id"] if "row_id" in has and "item_id" not in has else ["item_id"]
        for other in ("image_id", "geo", "row_id"):
            if other in has and not self._unique():
                self.by.append(other)
        if not self._unique():
            twice = int(truth.frame.duplicated(self.by, keep=False).sum())
            raise BenchmarkError(
                f"item_id is of several products in {truth.task.title} ({twice:,} of {len(truth):,}): add a column image_id, "
                "geo or row_id that tells them apart."
            )
        self.index = pd.Index(joined([truth.frame[column].tolist() for column in self.by]))
        self.seen = np.zeros(len(truth), bool)
        self.strange: list[str] = []
        self.strangers = 0

    def _unique(self) -> bool:
        return not bool(self.truth.frame.duplicated(self.by).any())

    def positions(self, ids: dict[str, list[str | None]], start: int) -> NDArray[np.int64]:
        """(rows,) positions in the task; -1 for others, which `check` reports.

        Raises:
            BenchmarkError: a product comes twice.
        """
        keys = joined([ids[column] for column in self.by])
        found = self.index.get_indexer(pd.Index(keys))
        known = found >= 0
        values, counts = np.unique(found[known], return_counts=True)
        again = values[(counts > 1) | self.seen[values]]
        if len(again):
            product = self.truth.frame[self.by[0]].iloc[int(again[0])]
            raise BenchmarkError(
                f"{self.by[0]} {product} comes twice (near row {start:,}): one prediction a product."
            )
        self.seen[values] = True
        self.strangers += int((~known).sum())
        if len(self.strange) < 1_000:
            self.strange += [str(ids[self.by[0]][at])[:80] for at in np.flatnonzero(~known)[:1_000]]
        return np.asarray(found, np.int64)

    def check(self, allow_missing: bool = False) -> int:
        """The number of products without a prediction.

        Raises:
            BenchmarkError: rows of other products, or products without a row.
        """
        if self.strangers:
            raise BenchmarkError(self._strange())
        missing = np.flatnonzero(~self.seen)
        if len(missing) and not allow_missing:
            examples = self.truth.frame[self.by[0]].iloc[missing[:SHOWN]]
            raise BenchmarkError(
                f"{len(missing):,} of {len(self.truth):,} products of {self.truth.task.title} have no prediction, such as "
                f"{self.by[0]} {', '.join(map(str, examples))}. Add them, or count them as errors with --missing-as-errors."
            )
        return len(missing)

    def _strange(self) -> str:
        """Why rows fit no product of the task: lost zeros, another split, another dataset."""
        column, task = self.by[0], self.truth.task
        rows = f"{self.strangers:,} rows" if self.strangers > 1 else "One row"
        own = self.truth.frame[column].astype(str)
        if column == "item_id" and own.str.startswith("0").any():
            right = dict(zip(own.str.lstrip("0"), own, strict=True))
            if lost := next((one for one in self.strange if one in right), ""):
                return (
                    f"The ids have lost their leading zeros: {lost} is {right[lost]}. Write item_id as text (pandas: "
                    "dtype={'item_id': str})."
                )
        others = self.truth.products.frame(
            f"SELECT {column}::VARCHAR AS id, any_value(split) AS split, any_value(label_kind) AS kind "  # noqa: S608
            f"FROM cohort WHERE list_contains(?, {column}::VARCHAR) GROUP BY ALL",
            values=[self.strange],
        )
        if len(others):
            where = Counter(others.split.fillna("no").tolist()).most_common(1)[0][0]
            what = "with a machine's label" if where == task.split else f"of the {where} split"
            if "train" not in self.truth.info.splits:
                what = f"outside the {task.split} part (without a training split, a fifth by the ids is the test part)"
            return (
                f"{rows} are of products {what}, such as {column} {others.id.iloc[0]}; this is {task.title}. "
                "Leave them out."
            )
        found = int(self.seen.sum())
        hint = " Is it a file of another dataset?" if self.strangers > found else ""
        return (
            f"{rows} are of no product of {task.dataset}, such as {column} {', '.join(self.strange[:SHOWN])}; "
            f"{found:,} of its {len(self.truth):,} products were found.{hint}"
        )


def joined(columns: list[list[object]] | list[list[str | None]]) -> list[str]:
    """One key a row; a unit separator, which no id has, stands between its parts."""
    return [
        "\x1f".join("" if part is None or part != part else str(part) for part in row)
        for row in zip(*columns, strict=True)
    ]


def _quoted(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(repr(name) for name in found[:SHOWN]) + (" and others" if len(found) > SHOWN else "")
