"""Colours of a map: each product's byte, and the legend that explains it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.catalog import info as catalog
from core.catalog.build import import_dataset
from core.catalog.map_files import read_map
from core.catalog.products import Products
from core.errors import UsageError
from core.statistics.colouring import COLOURS, STEPS, TITLES, colouring, columns
from core.statistics.map_labels import places
from tests.drawn_map import write_map


@pytest.fixture
def many(home: Path, tmp_path: Path) -> Products:
    """300 products of 25 categories below two tops, category 0 the most frequent; a country is missing."""
    lines = ["item_id,name,category_path,geo"]
    for row in range(300):
        kind = min(int((row / 300) ** 2 * 25), 24)
        lines.append(
            f"{row},{'long ' * (row % 9)}name,Top{kind % 2} > kind{kind},{('cz', 'sk', '')[row % 3]}"
        )
    (tmp_path / "many.csv").write_text("\n".join(lines))
    import_dataset("table", [str(tmp_path / "many.csv")], "many")
    points = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    points[:5] = np.nan
    clusters = np.where(np.arange(300) < 100, 0, np.where(np.arange(300) < 150, 1, -1))
    write_map(catalog.info("many"), points, clusters, ["left", "right"])
    return Products.open("many")


def test_the_most_frequent_have_a_colour_and_the_rest_share_one(many: Products) -> None:
    found = colouring(many, read_map(many.info, "drawn"), "category")
    counts = found.counts(np.ones(300, bool))
    assert len(found.entries) == len(COLOURS) + 1 and found.gathered == 25 - len(COLOURS)
    assert sum(counts) == 300 and counts[:-1] == sorted(counts[:-1], reverse=True)
    assert found.entries[0].label == "kind0" and found.entries[0].value == "Top0 > kind0"
    assert found.entries[-1].label == f"{25 - len(COLOURS)} other" and found.entries[-1].value is None
    assert len({entry.colour for entry in found.entries}) == len(found.entries)
    rows = many.frame("SELECT row_id FROM cohort WHERE category = 'kind0'")["row_id"].to_numpy()
    assert (found.codes[rows] == 0).all() and (found.codes == 0).sum() == len(rows)


def test_categories_of_one_leaf_can_be_told_apart(home: Path, tmp_path: Path) -> None:
    paths = ("Women > Tops > T-shirts", "Men > Tops > T-shirts", "Bags", "Bags")
    (tmp_path / "tops.csv").write_text(
        "\n".join(["item_id,name,category_path", *(f"{row},name,{paths[row % 4]}" for row in range(40))])
    )
    import_dataset("table", [str(tmp_path / "tops.csv")], "tops")
    write_map(catalog.info("tops"), np.zeros((40, 2)), np.zeros(40, int), ["one"])
    products = Products.open("tops")
    found = colouring(products, read_map(products.info, "drawn"), "category")
    assert {entry.label: entry.value for entry in found.entries} == {
        "Women › T-shirts": "Women > Tops > T-shirts", "Men › T-shirts": "Men > Tops > T-shirts", "Bags": "Bags",
    }  # fmt: skip


def test_missing_values_are_grey_and_can_be_chosen(many: Products) -> None:
    found = colouring(many, read_map(many.info, "drawn"), "geo")
    assert {entry.label: entry.value for entry in found.entries} == {
        "cz": "cz",
        "sk": "sk",
        "(none)": "(none)",
    }
    assert found.counts(np.arange(300) % 3 == 2) == [
        100 if entry.label == "(none)" else 0 for entry in found.entries
    ]


def test_first_levels_regions_and_numbers(many: Products) -> None:
    drawn = read_map(many.info, "drawn")
    top = colouring(many, drawn, "group")
    assert {entry.value for entry in top.entries} == {"Top0", "Top1"}
    region = colouring(many, drawn, "region")
    counted = dict(zip([e.label for e in region.entries], region.counts(np.ones(300, bool)), strict=True))
    assert counted == {"left": 100, "right": 50, "between regions": 150}
    length = colouring(many, drawn, "name_length")
    assert not length.entries and length.codes.max() == STEPS - 1 and length.codes.min() == 0
    assert length.codes[8] > length.codes[1] and length.low == "4 characters"


def test_only_columns_that_differ_are_offered(many: Products) -> None:
    offered = columns(many, read_map(many.info, "drawn"))
    assert {"category", "group", "region", "geo", "name_length"} <= set(offered) <= set(TITLES)
    assert "split" not in offered and "picture" not in offered
    with pytest.raises(UsageError, match="cannot be coloured by 'price'"):
        colouring(many, read_map(many.info, "drawn"), "price")


def test_places_are_named_by_what_prevails_there() -> None:
    rng = np.random.default_rng(0)
    crowds = np.repeat([[-0.7, -0.7], [0.7, 0.7], [0.7, -0.7]], 60, axis=0) + rng.normal(0, 0.01, (180, 2))
    codes = np.repeat([0, 1, 0], 60)
    crowds[-1] = np.nan
    named = places(crowds, codes, ["hats", "boots"])
    assert {(place.label, round(place.x, 1), round(place.y, 1)) for place in named} == {
        ("hats", -0.7, -0.7), ("boots", 0.7, 0.7), ("hats", 0.7, -0.7),
    }  # fmt: skip
    scattered = rng.uniform(-1, 1, (2_000, 2))
    assert places(scattered, rng.integers(0, 10, 2_000), [str(label) for label in range(10)]) == []
    assert places(np.zeros((3, 2)), np.zeros(3, int), ["few"]) == []
