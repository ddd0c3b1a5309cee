"""Compare two evaluations of the same products."""

from __future__ import annotations

import pandas as pd

from core.errors import UsageError
from core.measures.intervals import mcnemar, paired_difference


def compare(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, float]:
    """Compare two tables of predictions over their common products.

    Returns:
        See core.measures.intervals.mcnemar; top1_first and top1_second, their difference, difference_low and
        difference_high (95 percent, core.measures.intervals.paired_difference); and n.

    Raises:
        UsageError: they have no product in common.
    """
    both = paired(first, second)
    if both.empty:
        raise UsageError("The two evaluations have no products in common.")
    found = mcnemar(both.correct_first.to_numpy(), both.correct_second.to_numpy())
    low, high = paired_difference(int(found["only_first"]), int(found["only_second"]), len(both))
    one, other = float(both.correct_first.mean()), float(both.correct_second.mean())
    return {
        **found,
        "top1_first": one,
        "top1_second": other,
        "difference": one - other,
        "difference_low": low,
        "difference_high": high,
        "n": float(len(both)),
    }


def paired(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """One row per common product; their columns end in _first and _second."""
    return first.merge(second, on="row_id", suffixes=("_first", "_second"))
