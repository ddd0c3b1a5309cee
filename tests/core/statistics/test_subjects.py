"""What each subject finds in a dataset that was made to hold it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pandas as pd
import pytest

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.errors import UsageError
from core.statistics import (
    columns,
    comparison,
    display,
    hierarchy,
    label_sources,
    languages,
    long_tail,
    shift,
    text_length,
    theme,
    words,
)
from core.statistics.cache import cached, path


def product(**given: Any) -> dict[str, Any]:
    return {"item_id": "1", "category": "a", "label_source": "admin", "label_kind": "human"} | given


def test_shared_pictures_within_and_across_countries(toy) -> None:
    products = toy([
        product(image_id="p", geo="cz", split="train"), product(image_id="p", geo="sk", split="test"),
        product(image_id="q", geo="cz", split="train"), product(image_id="q", geo="cz", split="train"),
        product(image_id="q", geo="cz", split="train"), product(image_id="r", geo="cz", split="train"),
        product(image_id=None, geo="cz"),
    ])  # fmt: skip
    found = columns.repeats(products)
    assert found.values == {
        "ids": 3, "repeated_ids": 2, "products_sharing": 5, "most_times": 3,
        "repeated_within_one_geo": 1, "repeated_across_geos": 1, "repeated_across_splits": 1,
    }  # fmt: skip
    table = found.frame().set_index("products that share")
    assert table.loc["2", "across countries"] == 1 and table.loc["3 to 5", "within one country"] == 1


def test_conflicting_labels_of_a_picture(toy) -> None:
    products = toy([
        product(image_id="p", category="dress"), product(image_id="p", category="skirt", label_source="tag", label_kind="machine"),
        product(image_id="q", category="dress"), product(image_id="q", category="dress"),
        product(image_id=None, category="dress"), product(image_id=None, category="skirt"),
    ])  # fmt: skip
    found = label_sources.conflicts(products)
    assert found.values == {"pictures": 1, "products": 2, "between": {"human and machine": 1}}
    row = found.frame().iloc[0]
    assert (row["image_id"], row["categories"], row["sources"]) == ("p", "dress | skirt", "admin, tag")
    (query,) = found.figure().data[0].customdata
    assert Cohort.from_query(parse_qs(query)).image_id == ("p",)


def test_machine_labels_concentrate(toy) -> None:
    rows = [product(category="a", label_kind="human") for _ in range(90)] + [
        product(category="a", label_kind="machine")
    ] * 10
    rows += [product(category="b", label_kind="machine") for _ in range(30)] + [
        product(category="b", label_kind="human")
    ] * 10
    found = label_sources.machine_by(toy(rows)).frame()
    assert found["category"].tolist() == ["b", "a"] and found["machine share"].tolist() == [0.75, 0.1]
    assert (found["q_value"] < 1e-6).all() and found["times the average"][0] == pytest.approx(
        0.75 / (40 / 140)
    )


def test_a_bar_opens_its_products(glami: Products) -> None:
    cohort = Cohort("glami-mini", geo=("cz",))
    table = glami.frame("SELECT category, split, count(*) AS n FROM cohort GROUP BY ALL", cohort)
    for made in (long_tail.per_category(glami, cohort), shift.distribution(glami, cohort, "category")):
        checked = 0
        for trace in made.figure().data:
            for query in trace.customdata[:3]:
                opened = Cohort.from_query(parse_qs(query))
                assert opened.geo == ("cz",) and opened.split == (trace.name,)
                chosen = (table["category"] == opened.category[0][0]) & (table["split"] == trace.name)
                assert glami.count(opened) == table.loc[chosen, "n"].sum()
                checked += 1
        assert checked == 6


def test_the_permitted_columns_are_named(glami: Products) -> None:
    with pytest.raises(UsageError, match="cannot be counted by 'name; DROP'"):
        shift.distribution(glami, None, "name; DROP")


def test_the_last_bin_holds_the_rest() -> None:
    found = text_length.histogram(
        pd.DataFrame({"length": [0, 9, 10, 989, 990, 4_000], "n": [1, 1, 1, 1, 1, 1]})
    )
    assert [(b["from"], b["to"], b["count"]) for b in (found[0], found[1], found[-2], found[-1])] == [
        (0, 10, 2), (10, 20, 1), (980, 990, 1), (990, None, 2),
    ]  # fmt: skip


def test_the_tree_and_its_pruning() -> None:
    table = pd.DataFrame({"path": [("a", "x"), ("a", "y"), ("b",)], "total": [5, 2, 4]})
    nodes = hierarchy.tree(table)
    assert nodes == {("a",): 7, ("a", "x"): 5, ("a", "y"): 2, ("b",): 4}
    assert hierarchy.levels(nodes) == [2, 2]
    kept_nodes, hidden = hierarchy.pruned(nodes, 3)
    assert ("a", "y") not in kept_nodes and hidden == {("a",): (1, 2)}
    nested = hierarchy.nested(nodes)
    assert nested[0]["name"] == "a" and [child["products"] for child in nested[0]["children"]] == [5, 2]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Dámské šaty s krátkým rukávem a páskem, které padnou při každé příležitosti", "cs"),
        ("Dámske šaty s krátkym rukávom, ktoré sú vhodné na každú príležitosť", "sk"),
        ("Rochie elegantă din bumbac pentru femei și fete", "ro"),
        ("Γυναικείο φόρεμα Nike", "el"),
        ("Рокля Adidas Originals", "bg"),
        ("Női ruha hosszú ujjú és kényelmes, nagyon szép", "hu"),
        ("Vestido de mujer con mangas cortas y cuello redondo", "es"),
        ("Moteriška suknelė su trumpomis rankovėmis ir diržu", "lt"),
        ("Sieviešu kleita ar īsām piedurknēm un jostu", "lv"),
        ("Kadın elbise, kısa kollu ve şık", "tr"),
        ("Naiste kleit, mis on väga mugav ja sobib kõigile", "et"),
        ("A warm coat of wool with two pockets and the belt", "en"),
        ("孕妇配方奶粉", "zh"),
        ("Nike Air Max 90", "undecided"),
        ("12345", "undecided"),
    ],
)
def test_languages_are_told_apart_or_left_undecided(text: str, language: str) -> None:
    assert languages.detect(text) == language


def test_detection_is_seldom_wrong_on_real_texts(glami: Products) -> None:
    found = languages.declared(glami)
    assert found.values["as_declared"] / found.values["compared"] > 0.99
    assert found.values["decided"] / found.values["texts"] > 0.5


def test_specific_words_are_the_planted_ones(toy) -> None:
    rows = [product(category="a", name="common alpha") for _ in range(50)]
    rows += [product(category="b", name="common beta") for _ in range(50)]
    found = words.specific(toy(rows)).frame()
    best = found.groupby("category")["word"].first().to_dict()
    assert best == {"a": "alpha", "b": "beta"} and found["z"].max() > 1.96


def test_stop_words_go_and_chinese_is_cut(toy) -> None:
    products = toy(
        [product(name="a dress and the shoes", language="en"), product(name="孕妇的配方奶粉", language="zh")]
    )
    found = set(words.frequent(products).frame()["word"])
    assert {"dress", "shoes", "孕妇", "配方", "奶粉"} == found


def test_a_cloud_says_which_script_has_no_font(toy, monkeypatch) -> None:
    products = toy([product(name="dress ᚠᚢᚦ")] * 3)
    found = words.cloud(products)
    assert not found.cannot and any("Runic" in note for note in found.notes)
    assert "Runic" in words.cloud(toy([product(name="ᚠᚢᚦ")])).cannot


def test_the_open_dataset_is_placed_among_the_papers(glami: Products) -> None:
    found = comparison.beside(glami, None, "classification", "classes").frame()
    assert found["dataset"].tolist() == [
        "Recipe1M+",
        "GLAMI-1M",
        "FashionGen",
        "UPMC Food-101",
        "glami-mini",
        "SNLI-VE",
    ]


def test_what_is_kept_is_read_again_and_belongs_to_its_cohort(toy, monkeypatch) -> None:
    monkeypatch.setattr("core.statistics.cache.WORTH_S", 0.0)
    products = toy([product(geo="cz"), product(geo="sk")])
    cohort = Cohort("toy1", geo=("cz",))
    calls = []

    def compute(value: int):
        return lambda: calls.append(value) or pd.DataFrame({"n": [value]})

    assert cached(products, None, "t", compute(1))["n"][0] == 1
    assert cached(products, None, "t", compute(2))["n"][0] == 1
    assert cached(products, cohort, "t", compute(3))["n"][0] == 3
    assert calls == [1, 3]
    path(products, cohort, "t").write_bytes(b"damaged")
    assert cached(products, cohort, "t", compute(4))["n"][0] == 4
    assert path(products, cohort, "t") == path(products, cohort.with_(fingerprint="x"), "t")


def test_a_folder_that_cannot_be_written_is_only_slower(toy, monkeypatch) -> None:
    monkeypatch.setattr("core.statistics.cache.WORTH_S", 0.0)
    products = toy([product()])
    (products.info.folder / "statistics").write_text("in the way")
    assert cached(products, None, "t", lambda: pd.DataFrame({"n": [1]}))["n"][0] == 1


def test_the_same_colour_for_the_same_thing() -> None:
    assert theme.colour("train", 5) == theme.colour("train", 0)
    assert len({theme.COLOUR_OF_GEO[geo] for geo in theme.COLOUR_OF_GEO}) == 13
    light, dark = theme.template(), theme.template(dark=True)
    assert light.layout.paper_bgcolor != dark.layout.paper_bgcolor
    assert display.plain("</script>") == "&lt;/script&gt;"


def test_the_template_has_the_apps_paper_and_ink() -> None:
    import tomllib

    from core.settings import PROJECT

    config = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text())["theme"]
    for kind, (ink, paper, *_) in (("light", theme.LIGHT), ("dark", theme.DARK)):
        assert (config[kind]["textColor"], config[kind]["backgroundColor"]) == (ink, paper)
