"""What is said of a shift: where there is none, in a family of tests, and where values are missing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.statistics import label_sources, long_tail, shift, text_length, words
from core.statistics.counts import categories
from core.statistics.summary import plain_values

LANGUAGE = {"cz": "cs", "sk": "sk", "ro": "ro"}
SOURCES = {"admin": "human", "custom-tag": "human", "heureka": "machine"}


def shop(n: int, seed: int, moved: float = 0.0) -> list[dict[str, Any]]:
    """Products of which nothing depends on the split but, by `moved`, the country."""
    rng = np.random.default_rng(seed)
    tail = 1 / np.arange(1, 31)
    split = rng.choice(["train", "test"], n, p=[0.9, 0.1])
    geo = np.where((split == "test") & (rng.random(n) < moved), "ro", rng.choice(list(LANGUAGE), n))
    category = rng.choice(
        [f"Top > c{k:02}" if k % 2 else f"Other > c{k:02}" for k in range(30)], n, p=tail / tail.sum()
    )
    source = rng.choice(list(SOURCES), n)
    return [
        {
            "item_id": str(k), "split": split[k], "geo": geo[k], "language": LANGUAGE[geo[k]], "category": category[k],
            "label_source": source[k], "label_kind": SOURCES[source[k]], "name": "x" * int(rng.integers(1, 80)),
            "description": "y" * int(rng.integers(1, 900)),
        }
        for k in range(n)
    ]  # fmt: skip


def test_random_splits_are_said_to_differ_by_chance(toy) -> None:
    """About one in eight products would have to move, as in any random split: no news."""
    made = shift.distribution(toy(shop(3_000, 1)), None, "category")
    assert 0.05 < made.values["total_variation"] < 0.2
    assert made.values["total_variation_by_chance"] == pytest.approx(made.values["total_variation"], rel=0.4)
    assert "no more than expected by chance" in made.title and made.values["total_variation_p"] > 0.05
    assert any("999 random splits" in note for note in made.notes)


def test_a_real_shift_is_told_from_chance(toy) -> None:
    made = shift.distribution(toy(shop(3_000, 2, moved=0.4)), None, "geo")
    assert (
        "would have to move" in made.title
        and "in random splits" in made.title
        and "ro differs most" in made.title
    )
    assert made.values["total_variation"] > 3 * made.values["total_variation_by_chance"]
    assert made.values["p_value"] == made.values["total_variation_p"] == 1 / 1_000


def test_a_family_counts_each_fact_once_by_one_kind_of_p(toy) -> None:
    made = shift.every_column(toy(shop(3_000, 3, moved=0.4)))
    frame = made.frame().set_index("column")
    assert frame.determined_by.dropna().to_dict() == {
        "language": "geo", "class": "category", "label_kind": "label_source",
    }  # fmt: skip
    tested = frame[frame.q_value.notna()]
    assert set(tested.index) == {"geo", "category", "label_source", "name_length", "description_length"}
    assert (frame.loc[tested.index, "permutations"] == 999).all()
    steps = tested.p_value.astype(float) * 1_000
    assert np.allclose(steps, steps.round()), "every p is of 999 permutations"
    assert tested.loc["geo", "q_value"] == pytest.approx(5 / 1_000)
    assert "country depends most" in made.title and "1 of 5 columns" in made.title
    assert any("language (by country)" in note for note in made.notes)
    other = [row | {"language": "cs" if int(row["item_id"]) % 2 else "sk"} for row in shop(400, 4)]
    independent = shift.every_column(toy(other)).frame().set_index("column")
    assert pd.isna(independent.loc["language", "determined_by"]) and independent.q_value.notna().sum() == 6


def test_nothing_in_random_splits_is_said_to_depend(toy) -> None:
    made = shift.every_column(toy(shop(2_000, 11)))
    assert made.title == "No column depends on split more than expected by chance (5 were tested)"
    movers = shift.movers(toy(shop(2_000, 11)))
    assert "no country's categories differ more than expected by chance" in movers.title
    assert {country["permutations"] for country in movers.values["countries"]} == {999}


@pytest.mark.parametrize("column", ["geo", "category", "label_kind", "name"])
def test_statistics_with_missing_values_are_those_without_these_rows(toy, column: str) -> None:
    """Every statistic that a column takes part in says of the products that have it what it says where they are alone."""
    rng = np.random.default_rng(7)
    rows = [row | ({column: None} if rng.random() < 0.3 else {}) for row in shop(500, 8, moved=0.3)]
    if column == "label_kind":
        rows = [row | {"label_source": row["label_source"] if row["label_kind"] else None} for row in rows]
    some, alone = toy(rows), toy([row for row in rows if row[column] is not None])

    def said(products) -> dict[str, Any]:
        every = shift.every_column(products).frame().set_index("column")
        compared = {"name": ["name_length"], "category": ["category", "class"]}.get(column, [column])
        kept = every.loc[compared].drop(columns=["q_value", "determined_by"])
        found: dict[str, Any] = {"every column": kept.to_dict("records")}
        if column == "category":
            found["counts"] = categories(products, None).drop(columns="path").to_dict("records")
            for make in (long_tail.balance, long_tail.rank_frequency, shift.movers):
                made = make(products)
                found[make.__name__] = [made.title, made.values]
        if column == "label_kind":
            frame = label_sources.machine_by(products, None, "geo").frame()
            found["machine"] = frame[["geo", "machine", "human", "machine share", "q_value"]].to_dict(
                "records"
            )
        if column == "name":
            found["lengths"] = text_length.lengths(products, None, "name").values
            found["words"] = words.frequent(products, None, "name").frame().to_dict("records")
        return json.loads(json.dumps(plain_values(found)))

    one, other = said(some), said(alone)
    assert one == other


def test_a_missing_p_spoils_no_q(toy) -> None:
    """A column with a single value has no p; the q of all others stay numbers."""
    rows = [row | {"label_source": "admin", "label_kind": "human"} for row in shop(800, 9, moved=0.4)]
    frame = shift.every_column(toy(rows)).frame().set_index("column")
    assert pd.isna(frame.loc["label_source", "p_value"]) and frame.loc["label_source", "why_not"]
    assert frame.loc[["geo", "category", "name_length"], "q_value"].notna().all()
