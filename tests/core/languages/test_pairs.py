"""Pairs of countries: as a plain join counts them, and of every kind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.commands.app import app
from core.duplicates import finding
from core.errors import DuplicatesError, UsageError
from core.languages import families, pairs, published, usage
from tests.spoken import built_in, told


def plainly_counted(products: Products, cohort: str = "") -> dict[tuple[str, str], int]:
    """The reference implementation's join."""
    table = pd.read_parquet(products.path)
    table = table.query(cohort) if cohort else table
    joined = table.merge(table, on=["split", "image_id"])
    joined = joined[joined["geo_x"] != joined["geo_y"]]
    return joined.groupby(["geo_x", "geo_y"]).size().to_dict()


def counted(products: Products, cohort: Cohort | None = None) -> dict[tuple[str, str], int]:
    found = pairs.counts(pairs.country_pairs(products, cohort))
    assert (found.total == found.total.T).all() and not found.total.diagonal().any()
    return {
        (first, second): int(found.total[a, b])
        for a, first in enumerate(found.countries)
        for b, second in enumerate(found.countries)
        if found.total[a, b]
    }


def test_counts_are_those_of_a_plain_join(home: Path, tmp_path: Path) -> None:
    products = built_in(tmp_path, 1_500)
    plain = plainly_counted(products)
    assert len(plain) > 60 and counted(products) == plain
    few = Cohort(products.info.name, split=("train",), geo=("cz", "sk", "hu"))
    assert counted(products, few) == plainly_counted(
        products, "split == 'train' and geo in ('cz', 'sk', 'hu')"
    )


def test_real_photos_are_sold_in_one_country_each(
    glami_mini_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_HOME", str(glami_mini_home))
    products = Products.open("glami-mini")
    assert counted(products) == plainly_counted(products) == {}
    assert pairs.counts(pairs.country_pairs(products)).frame().empty


def test_pairs_of_every_kind(home: Path, tmp_path: Path) -> None:
    products = told(tmp_path)
    found = pairs.country_pairs(products)
    kinds = {(row.geo_a, row.geo_b, row.split): row.kind for row in found.itertuples()}
    assert kinds["cz", "sk", "train"] == "usable" and kinds["cz", "sk", "test"] == "same"
    assert kinds["cz", "hu", "train"] == kinds["hu", "es", "train"] == "empty"
    assert kinds["cz", "es", "train"] == kinds["sk", "es", "train"] == "language"
    assert len(found) == 6 + 1 + 2  # every combination of a repeated picture, and none across splits
    turned = pairs.between(found, "sk", "cz")
    assert set(turned["geo_a"]) == {"sk"} and len(turned) == 4
    assert set(turned["text_b"]) & {"Boty na každý den, které jsou pohodlné."}
    by_name = pairs.country_pairs(products, column="name")
    assert (by_name["text_a"] == "Šaty").any() and (by_name["kind"] == "same").sum() == 1

    assert families.count(products) == 3
    assert [row["geo"] for row in families.family(products)] == ["cz", "sk", "hu", "es"]
    assert families.family(products, number=99) == []
    used = usage.used(products).set_index("country")
    assert used.loc["es", "others"] == "en 1" and used.loc["cz", "expected"] == "cs"


def test_pairs_by_a_search_are_chained(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    products = told(tmp_path)
    with pytest.raises(DuplicatesError, match="vitrine duplicates told --by text"):
        pairs.country_pairs(products, by="text")
    with pytest.raises(UsageError, match="Keys: image_id, bytes"):
        pairs.country_pairs(products, by="colour")
    finding.find(products, ["text"])
    found = pairs.country_pairs(products, by="text", threshold=0.9)
    assert found[["geo_a", "geo_b", "kind"]].to_numpy().tolist() == [["cz", "sk", "same"]]
    unit = np.array([0, 1, 2, 3, -1], np.int32)
    chained = pairs._groups(unit, np.array([0, 1]), np.array([1, 2]))
    assert chained[0] == chained[1] == chained[2] != chained[3] and chained[4] == -1
    monkeypatch.setattr(pairs, "MOST_PAIRS", 3)
    with pytest.raises(UsageError, match="These products make 9 pairs; at most 3"):
        pairs.country_pairs(products)


def test_no_countries_and_one(home: Path, tmp_path: Path) -> None:
    one = told(tmp_path, [("p", "cz", "Boty", "Boty.", "train")] * 3, "one")
    assert pairs.country_pairs(one).empty and list(pairs.country_pairs(one).columns) == list(pairs.COLUMNS)
    none = told(tmp_path, [("p", "", "Boty", "", "train")] * 3, "none")
    assert pairs.country_pairs(none).empty and usage.used(none).empty


def test_the_published_tables() -> None:
    counts, bleu = published.published_counts(), published.published_bleu()
    assert counts.sum() == 2 * 131_073 and (counts == counts.T).all()
    order = pairs.PAPER
    assert (
        counts[order.index("lt"), order.index("ee")] == 9_176
        and counts[order.index("hr"), order.index("tr")] == 0
    )
    assert np.nanmax(bleu) == bleu[order.index("hu"), order.index("gr")] == 9.96
    assert np.isnan(bleu).sum() == 13 + 6


def test_the_command(home: Path, tmp_path: Path) -> None:
    told(tmp_path)
    run = CliRunner()
    answer = run.invoke(app, ["languages", "told", "--export", str(tmp_path / "pairs.csv"), "--json"])
    said = json.loads(answer.stdout)
    assert said["total"] == 9 and said["kinds"] == {"usable": 3, "same": 1, "empty": 3, "language": 2}
    assert len(pd.read_csv(tmp_path / "pairs.csv")) == 9
    assert "cz-sk" in run.invoke(app, ["languages", "told"]).stdout
    assert isinstance(run.invoke(app, ["languages", "told", "--cohort", "colour=red"]).exception, UsageError)
