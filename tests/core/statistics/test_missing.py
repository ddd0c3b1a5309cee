"""Missing values: a column with values removed gives what pandas gives without those rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.catalog.products import Products
from core.statistics import colouring, measures, shift, text_length
from core.statistics.counts import NONE, crosstab

COLUMNS = ("geo", "language", "category", "label_kind", "name", "description")


def drawn(seed: int) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Products of which every value may be missing, and how pandas sees them."""
    rng = np.random.default_rng(seed)
    n = 400
    frame = pd.DataFrame({
        "split": rng.choice(["train", "test"], n, p=[0.7, 0.3]),
        "geo": rng.choice(["cz", "sk", "ro"], n), "language": rng.choice(["cs", "sk", "ro"], n),
        "category": rng.choice(list("abcdef"), n), "label_kind": rng.choice(["human", "machine"], n),
        "name": ["x" * int(k) for k in rng.integers(1, 90, n)],
        "description": ["y" * int(k) for k in rng.integers(1, 1_400, n)],
    }).astype(object)  # fmt: skip
    for column in COLUMNS:
        frame.loc[rng.random(n) < rng.uniform(0, 0.5), column] = None
    rows = [{"item_id": str(k)} | row for k, row in enumerate(frame.to_dict("records"))]
    return rows, frame


def binned(frame: pd.DataFrame, column: str) -> pd.Series:
    """A column as it is counted, by pandas alone."""
    if column == "name_length":
        return frame["name"].str.len() // 20
    if column == "description_length":
        return (frame["description"].str.len() // 110).clip(upper=9)
    return frame["category" if column == "class" else column]


@pytest.mark.parametrize("seed", range(3))
def test_every_count_is_pandas_without_the_rows_that_lack_it(toy, seed: int) -> None:
    rows, frame = drawn(seed)
    products: Products = toy(rows)
    for column in ("geo", "language", "category", "class", "label_kind", "name_length", "description_length"):
        table = crosstab(products, None, column, "split")
        wanted = binned(frame, column)
        assert table.to_numpy().sum() == len(frame)
        assert table.loc[NONE].sum() == wanted.isna().sum(), column
        known = pd.crosstab(wanted[wanted.notna()], frame.loc[wanted.notna(), "split"])[["train", "test"]]
        mine = table.drop(index=NONE).sort_index()
        np.testing.assert_array_equal(mine.to_numpy(), known.sort_index().to_numpy(), err_msg=column)
        found = shift.numbers(table, ("train", "test"), permutations=0)
        assert found["total_variation"] == pytest.approx(
            measures.total_variation(known["train"], known["test"])
        )
        assert found["chi2"] == pytest.approx(measures.association(known.to_numpy(), 0).chi2)
    for column in ("name", "description"):
        lengths = text_length.length_counts(products, None, column, "characters", "split")
        described, wanted = text_length.describe(lengths), frame[column].dropna().str.len().astype(int)
        assert described["n"] == len(wanted) and described["mean"] == pytest.approx(wanted.mean())
        assert (described["median"], described["max"]) == (wanted.median(), wanted.max())


def test_a_missing_description_has_no_part_in_the_scale_of_the_map(toy) -> None:
    rows = [{"item_id": str(k), "description": "y" * 50 if k % 2 else None} for k in range(40)]
    found = colouring._number(toy(rows), "description_length")
    assert found.low == "50 characters or none" and found.high == "50 characters"
