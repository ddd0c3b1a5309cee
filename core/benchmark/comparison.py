"""Two submissions on the same products: where they differ, what both together would reach, what all get wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.benchmark.truth import Truth
from core.errors import BenchmarkError
from core.measures.intervals import mcnemar, paired_difference

FEW = 2  # submissions whose common errors mean something


@dataclass(frozen=True)
class Compared:
    """Two submissions over n common products; shares are fractions.

    Attributes:
        p: McNemar's exact test.
        low, high: 95% interval of the difference in accuracy (Bonett and Price).
        oracle: the share that at least one of the two gets right.
        table: the products: row_id, geo, label, right and prediction and probability of each (`_first`, `_second`).
    """

    n: int
    first: float
    second: float
    only_first: int
    only_second: int
    neither: int
    p: float
    low: float
    high: float
    oracle: float
    table: pd.DataFrame


def compare(truth: Truth, first: pd.DataFrame, second: pd.DataFrame) -> Compared:
    """Compare two stored tables of predictions.

    Raises:
        BenchmarkError: they have no product in common.
    """
    columns = ["row_id", "prediction", "probability", "correct"]
    both = truth.frame.merge(first[columns], on="row_id").merge(
        second[columns], on="row_id", suffixes=("_first", "_second")
    )
    both = both.astype({"correct_first": bool, "correct_second": bool})
    if both.empty:
        raise BenchmarkError("The two submissions have no product in common.")
    one, other = both.correct_first.to_numpy(bool), both.correct_second.to_numpy(bool)
    tested = mcnemar(one, other)
    only_first, only_second = int(tested["only_first"]), int(tested["only_second"])
    low, high = paired_difference(only_first, only_second, len(both))
    return Compared(
        len(both), float(one.mean()), float(other.mean()), only_first, only_second, int((~one & ~other).sum()),
        tested["p"], low, high, float((one | other).mean()), both,
    )  # fmt: skip


def by(found: Compared, column: str) -> pd.DataFrame:
    """Accuracy of both by `geo` or `label`, the largest differences (in products) first.

    Returns:
        group, n, first, second (fractions), only_first, only_second (products).
    """
    table = found.table.assign(group=found.table[column].fillna("(none)").astype(str))
    grouped = table.groupby("group", sort=True)
    one, other = table.correct_first.astype(bool), table.correct_second.astype(bool)
    made = pd.DataFrame({
        "n": grouped.size(), "first": grouped.correct_first.mean(), "second": grouped.correct_second.mean(),
        "only_first": (one & ~other).groupby(table.group).sum(), "only_second": (other & ~one).groupby(table.group).sum(),
    }).reset_index()  # fmt: skip
    order = (made.only_first - made.only_second).abs().sort_values(ascending=False, kind="stable").index
    return made.loc[order].reset_index(drop=True)


def common_errors(truth: Truth, tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Products that every submission gets wrong; likely label errors first.

    Returns:
        row_id, label, prediction (the most frequent one), agreeing (how many submissions predict it), probability (their mean,
        NaN where none has one); those on which most agree first.

    Raises:
        BenchmarkError: there are fewer than two submissions.
    """
    if len(tables) < FEW:
        raise BenchmarkError("Errors that are common to all need two submissions or more.")
    order = truth.frame.row_id.to_numpy()
    own = [table.set_index("row_id").reindex(order) for table in tables]
    missed = np.logical_and.reduce([~one.correct.fillna(True).to_numpy(bool) for one in own])
    if not missed.any():
        return pd.DataFrame(columns=["row_id", "label", "prediction", "agreeing", "probability"])
    said = pd.concat([
        pd.DataFrame({
            "row_id": order[missed], "prediction": one.prediction.astype(object).to_numpy()[missed],
            "probability": one.probability.to_numpy(float)[missed],
        })
        for one in own
    ])  # fmt: skip
    votes = said.groupby(["row_id", "prediction"], as_index=False).agg(
        agreeing=("prediction", "size"), probability=("probability", "mean")
    )
    votes = votes.sort_values(
        ["agreeing", "probability", "row_id"], ascending=[False, False, True], na_position="last"
    )
    best = votes.drop_duplicates("row_id")
    return best.merge(truth.frame[["row_id", "label"]], on="row_id").reset_index(drop=True)
