"""Label alignment: the published figures, the candidates, decisions, and the merged dataset."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.catalog.build import import_dataset
from core.catalog.info import info
from core.catalog.products import Products
from core.errors import UsageError, VitrineError
from core.labels import alignment, decisions, merge
from core.labels.alignment import TABLE_3, Alignment, Pair
from core.labels.similarity import s_content, s_label

SHOP_A = [("Food", "Coffee", "fresh roasted coffee beans"), ("Food", "Tea", "green tea leaves"), ("Food", "Water", None),
          ("Home", "Lamps", "desk lamp with led light"), ("Home", "Ｍugs", "coffee mug")]  # fmt: skip
SHOP_B = [("Food", "Coffees", "roasted coffee beans arabica"), ("Food", "Tea", "black tea leaves"), ("food", "Drinks", "mineral water"),
          ("Home", "Desk lamps", "led desk lamp"), ("Home", "mugs", "mug for coffee")]  # fmt: skip


@pytest.fixture
def shops(home: Path, tmp_path: Path) -> Iterator[Path]:
    for name, rows in (("one", SHOP_A), ("two", SHOP_B)):
        table = [
            {"item_id": f"{name}-{at}-{number}", "name": title, "category": f"{first} > {sub}", "colour": "red", "description": "sold here"}
            for at, (first, sub, title) in enumerate(rows) for number in range(2 + (name == "two"))
        ]  # fmt: skip
        pd.DataFrame(table).to_csv(tmp_path / f"{name}.csv", index=False)
        import_dataset("table", [str(tmp_path / f"{name}.csv")], name)
    yield tmp_path


def pair_of(found: Alignment, a: str, b: str) -> Pair:
    return next(pair for pair in found.pairs if (pair.a.name, pair.b.name) == (a, b))


def published(one: str, other: str) -> float:
    """simtext 1.0 and 1.1, as its source has it."""
    import jieba
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.metrics.pairwise import cosine_similarity

    if any("\u4e00" <= character <= "\u9fff" for character in one):
        one, other = " ".join(jieba.lcut(one)), " ".join(jieba.lcut(other))
    counter = CountVectorizer().fit([one, other])
    return float(cosine_similarity(*(counter.transform([text]).toarray() for text in (one, other)))[0][0])


def test_both_similarities_equal_the_published_package() -> None:
    texts = [
        "婴儿湿巾 手口专用 80抽 湿巾 婴儿", "湿巾纸 80抽 家庭装", "Coffee beans, COFFEE 500g", "coffee/奶茶 三合一 coffee",
        "Ćevapi i kava", "kava 250 g", "１２３ ｃｏｆｆｅｅ", "x y z 1",
    ]  # fmt: skip
    found = s_content(texts, texts)
    for i, one in enumerate(texts):
        for j, other in enumerate(texts):
            if i == j == 7:
                continue  # no word of two characters: the package fails
            assert found[i, j] == pytest.approx(published(one, other), abs=1e-9)
            assert s_label(one, other) == max(
                difflib.SequenceMatcher(None, one, other).ratio(), difflib.SequenceMatcher(None, other, one).ratio()
            )  # fmt: skip
    assert found[7, 7] == 0
    for a, b, label, _, _ in TABLE_3:
        assert round(s_label(a, b), 2) == label
    assert s_label("tide", "diet") == 0.5, "difflib gives .25 in one order"


def test_candidates_of_two_shops(shops: Path) -> None:
    found = alignment.align("one", "two")
    tea = pair_of(found, "Tea", "Tea")
    assert tea.equal and tea.published and found.equal == 1
    assert tea.s_content == found.mean_equal == found.content
    coffee = pair_of(found, "Coffee", "Coffees")
    assert coffee.published and coffee.s_content == pytest.approx(0.75), (
        "more than the mean, and no more than .75"
    )
    assert not pair_of(alignment.align("one", "two", content=0.75), "Coffee", "Coffees").published
    assert pair_of(found, "Ｍugs", "mugs").alike and pair_of(found, "Ｍugs", "mugs").modern
    assert pair_of(found, "Water", "Drinks").s_content is None, (
        "no titles; a first level in another case is the same"
    )
    assert not [pair for pair in found.pairs if pair.a.first.lower() != pair.b.first.lower()]


def test_bad_inputs_say_what_to_do(shops: Path, home: Path) -> None:
    (shops / "three.csv").write_text("item_id,name,category\n1,apple,Fruit > Apples\n")
    import_dataset("table", [str(shops / "three.csv")], "three")
    with pytest.raises(UsageError, match=r"no first-level class in common.*--any-class"):
        alignment.align("one", "three")
    assert len(alignment.align("one", "three", any_class=True).pairs) == len(SHOP_A)
    for wrong in ({"b": "one"}, {"by": "name"}, {"content": 2.0}, {"by": "split"}):
        with pytest.raises(UsageError):
            alignment.align("one", **wrong)  # type: ignore[arg-type]
    found = alignment.align("one", "two")
    for content in ("[]", "{", '{"format": "vitrine-alignment", "version": 1, "decisions": [{"a": 1}]}'):
        (shops / "bad.json").write_text(content)
        with pytest.raises(VitrineError):
            decisions.read(found, shops / "bad.json")
    with pytest.raises(UsageError):
        decisions.decide(found, found.pairs[0], "name", "me", " \n")
    assert not decisions.decisions(found)


def test_decisions_are_kept_undone_and_passed_on(shops: Path) -> None:
    found = alignment.align("one", "two")
    coffee, mugs = pair_of(found, "Coffee", "Coffees"), pair_of(found, "Ｍugs", "mugs")
    decisions.decide(found, coffee, "same", "me")
    decisions.decide(found, mugs, "name", "me", "Mugs and cups")
    taken = decisions.undo(found, "me")
    assert taken is not None and taken.name == "Mugs and cups"
    assert list(decisions.decisions(found)) == [coffee.item]
    decisions.decide(found, pair_of(found, "Lamps", "Desk lamps"), "parent", "me")
    assert decisions.write(found, shops / "said.json") == 2
    turned = alignment.align("two", "one")
    assert decisions.read(turned, shops / "said.json") == (2, 0)
    assert decisions.read(turned, shops / "said.json") == (2, 0)
    assert [one.answer for one in decisions.decisions(turned).values()] == ["same", "child"]


def test_the_merged_dataset_keeps_old_labels_and_the_sources(shops: Path) -> None:
    before = [info(name).fingerprint for name in ("one", "two")]
    found = alignment.align("one", "two")
    for a, b, answer, name in (
        ("Coffee", "Coffees", "same", ""), ("Ｍugs", "mugs", "name", "Cups"), ("Lamps", "Desk lamps", "parent", ""),
        ("Tea", "Tea", "not", ""), ("Water", "Drinks", "child", ""),
    ):  # fmt: skip
        decisions.decide(found, pair_of(found, a, b), answer, "me", name)
    merge.apply(found, decisions.decisions(found), "both")
    rows: list[dict[str, Any]] = (
        Products.open("both").frame("SELECT * FROM cohort ORDER BY row_id").to_dict("records")
    )
    assert len(rows) == 25 and [info(name).fingerprint for name in ("one", "two")] == before
    paths = {(row["item_id"]): list(row["category_path"]) for row in rows}
    assert paths["one-0-0"] == paths["two-0-0"] == ["Food", "Coffees"], "the name with more products"
    assert paths["one-4-0"] == paths["two-4-0"] == ["Home", "Cups"]
    assert paths["two-3-0"] == ["Home", "Lamps", "Desk lamps"] and paths["one-3-0"] == ["Home", "Lamps"]
    assert paths["one-2-0"] == ["Food", "Drinks", "Water"], "first levels that differ in case are one"
    assert paths["one-1-0"] != paths["two-1-0"], "equal names that somebody told apart"
    extra = json.loads(rows[0]["extra"])
    assert (
        extra[merge.BEFORE] == ["Food", "Coffee"] and extra[merge.FROM] == "one" and extra["colour"] == "red"
    )
    kept = json.loads((info("both").folder / merge.FILE).read_text(encoding="utf-8"))
    assert len(kept["decisions"]) == 5


def test_decisions_that_contradict_are_refused(shops: Path) -> None:
    found = alignment.align("one", "two")
    for a, b in (("Coffee", "Coffees"), ("Tea", "Coffees"), ("Tea", "Tea")):
        decisions.decide(found, pair_of(found, a, b), "same", "me")
    merge.tree(found, decisions.decisions(found))
    decisions.decide(found, pair_of(found, "Coffee", "Tea"), "not", "me")
    with pytest.raises(UsageError, match="became one by other decisions"):
        merge.tree(found, decisions.decisions(found))
