"""A file of predictions as arrays in the order of a task's products."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.benchmark.matching import UNKNOWN, Classes, Keys
from core.benchmark.reading import MOST_BYTES, Rows, digest_of, rows_of
from core.benchmark.truth import Truth
from core.errors import BenchmarkError
from core.progress import Progress, no_progress

RANKED = 10  # classes of a ranked list that are kept; top-5 needs five
TOLERANCE = 0.01  # of the sum of a product's probabilities: enough for float16
MOST_CELLS = 600_000_000  # products x classes of probabilities: 2.4 GB
MISSING = -1


@dataclass(frozen=True)
class Predicted:
    """Predictions of n products: probabilities, or a ranked list, which may be one class long.

    Attributes:
        ranked: (n, k) class numbers, the most probable first; MISSING where there is none.
        probabilities: (n, C).
        missing: products without a prediction, which count as errors.
        notes: what was not as one would expect, for the card.
    """

    digest: str
    ranked: NDArray[np.int32] | None = None
    probabilities: NDArray[np.float32] | None = None
    missing: int = 0
    notes: tuple[str, ...] = field(default_factory=tuple)


def read_predictions(
    path: Path,
    truth: Truth,
    take_matches: bool = False,
    missing_as_errors: bool = False,
    most_bytes: int = MOST_BYTES,
    progress: Progress = no_progress,
) -> Predicted:
    """Read and check a file of predictions.

    Args:
        take_matches: take classes in another case, spelling or language where exactly one of the dataset's is meant.
        missing_as_errors: products without a row count as errors, and the submission says so.

    Raises:
        BenchmarkError: something does not fit; nothing is scored in part.
    """
    classes = Classes(truth, take_matches)
    keys: Keys | None = None
    into: _Into | None = None
    for rows in rows_of(path, lambda name: name in classes.exact, most_bytes):
        keys = keys or Keys(truth, rows.ids)
        into = into or _Into(truth, classes, rows)
        positions = keys.positions(rows.ids, rows.start)
        if keys.strangers > len(truth) + 1_000:
            break
        into.add(rows, positions)
        progress(int(keys.seen.sum()), len(truth), "Reading predictions")
    if keys is None or into is None:
        raise BenchmarkError(f"{path.name} has no rows.")
    into.check_probabilities()
    keys.check(allow_missing=True)  # a file of another dataset is no question of its classes
    classes.check()
    missing = keys.check(missing_as_errors)
    notes = []
    if missing:
        notes.append(f"{missing:,} of {len(truth):,} products have no prediction and count as errors")
    if classes.taken:
        pairs = [f"{said} → {name}" for said, name in list(classes.taken.items())[:5]]
        notes.append(f"{len(classes.taken):,} classes were matched by name: {'; '.join(pairs)}")
    return Predicted(digest_of(path), into.ranked, into.probabilities, missing, tuple(notes))


class _Into:
    """The arrays that rows are written into."""

    def __init__(self, truth: Truth, classes: Classes, first: Rows) -> None:
        self.classes, self.n = classes, len(truth)
        self.ranked: NDArray[np.int32] | None = None
        self.probabilities: NDArray[np.float32] | None = None
        self.wrong: dict[str, list[int]] = {}
        self.columns: NDArray[np.int64] | None = None
        if first.probabilities is None:
            width = 1 if first.label is not None else RANKED
            self.ranked = np.full((self.n, width), MISSING, np.int32)
            return
        if self.n * len(truth.classes) > MOST_CELLS:
            raise BenchmarkError(
                f"{self.n:,} products x {len(truth.classes):,} classes are more probabilities than are read: write the ten most "
                "probable classes as a column labels."
            )
        self.probabilities = np.zeros((self.n, len(truth.classes)), np.float32)
        if first.columns:
            self.columns = np.array([classes.number(name) for name in first.columns])
            if len(set(self.columns.tolist())) != len(self.columns):
                raise BenchmarkError("Two columns of probabilities are of one class.")

    def add(self, rows: Rows, positions: NDArray[np.int64]) -> None:
        """Write rows; those of no product (-1) are skipped, since the file is refused in the end."""
        known = positions >= 0
        at = positions[known]
        if rows.label is not None and self.ranked is not None:
            numbers = np.array([self.classes.number(name) for name in rows.label], np.int32)
            self.ranked[at, 0] = numbers[known]
        elif rows.ranked is not None and self.ranked is not None:
            self._lists(rows, positions)
        elif self.probabilities is not None and self.columns is not None:
            values = np.asarray(rows.probabilities, np.float32)
            self.probabilities[at[:, None], self.columns[None, :]] = values[known]
            self._note(values, rows.start)
        elif self.probabilities is not None:
            self._weights(rows, positions)

    def _lists(self, rows: Rows, positions: NDArray[np.int64]) -> None:
        assert self.ranked is not None and rows.ranked is not None
        for row, (position, said) in enumerate(zip(positions.tolist(), rows.ranked, strict=True)):
            numbers = [self.classes.number(name) for name in said[:RANKED]]
            if len(set(numbers)) != len(numbers) and UNKNOWN not in numbers:
                raise BenchmarkError(f"Row {rows.start + row:,}: a class is twice in the list of classes.")
            if position >= 0:
                self.ranked[position, : len(numbers)] = numbers

    def _weights(self, rows: Rows, positions: NDArray[np.int64]) -> None:
        assert self.probabilities is not None
        checked = np.zeros((len(positions), 2), np.float64)
        for row, (position, said) in enumerate(
            zip(positions.tolist(), rows.probabilities or (), strict=True)
        ):
            values = np.array(list(said.values()), np.float64)
            numbers = np.array([self.classes.number(name) for name in said])
            checked[row] = values.sum(), values.min()
            if position >= 0 and (numbers >= 0).all():
                self.probabilities[position, numbers] = values
        self._note_sums(checked[:, 0], checked[:, 1], rows.start)

    def _note(self, values: NDArray[np.float32], start: int) -> None:
        self._note_sums(values.sum(axis=1, dtype=np.float64), values.min(axis=1).astype(np.float64), start)

    def _note_sums(self, sums: NDArray[np.float64], least: NDArray[np.float64], start: int) -> None:
        for what, bad in (
            ("are NaN or infinite", ~np.isfinite(sums)),
            ("are negative", least < 0),
            ("do not sum to 1", np.isfinite(sums) & (np.abs(sums - 1) > TOLERANCE)),
        ):
            if bad.any():
                found = self.wrong.setdefault(what, [0, start + int(np.flatnonzero(bad)[0])])
                found[0] += int(bad.sum())

    def check_probabilities(self) -> None:
        """
        Raises:
            BenchmarkError: probabilities are none.
        """
        if not self.wrong:
            return
        what, (count, row) = next(iter(self.wrong.items()))
        hint = " Give probabilities, not logits." if "sum" in what or "negative" in what else ""
        raise BenchmarkError(f"The probabilities of {count:,} rows {what}, first of row {row:,}.{hint}")
