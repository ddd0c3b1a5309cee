"""The Pairs page as a visitor sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.info import info
from core.catalog.products import Products
from core.pairs import judging
from core.pairs.generation import pairs
from tests.paired import SETTINGS, make, three

Open = Callable[..., AppTest]
VIEWS = ("Overview", "Pairs", "Clusters", "Partners", "Judge")


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> str:
    return make(tmp_path, *three(60))


def shown(test: AppTest) -> str:
    """All words and markup of the page."""
    parts = [*test.markdown, *test.caption, *test.info, *test.error, *test.get("html")]
    return " ".join(str(getattr(part, "value", "") or getattr(part.proto, "body", "")) for part in parts)


def test_before_there_are_pairs_it_says_what_to_do(
    shop: str, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = open_page("pairs.py", dataset=shop)
    assert not test.exception and "shop has no pairs yet" in test.info[0].value
    assert (
        [button.label for button in test.button if button.label.startswith("Gen")]
        == [
            "Generate these pairs"  # with the vectors that are there; there are no pictures to compute others from
        ]
    )
    assert "vitrine pairs shop" in shown(test)
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: False)
    test = open_page("pairs.py", dataset=shop)
    assert not [button for button in test.button if button.label.startswith("Gen")]
    assert "on the machine that serves" in shown(test)


def test_the_ordinary_pairs_of_a_dataset_with_pictures(planted: Products, open_page: Open) -> None:
    test = open_page("pairs.py", dataset="planted")
    assert not test.exception and "planted has no pairs yet" in test.info[0].value
    labels = [button.label for button in test.button if button.label.startswith("Gen")]
    assert labels == ["Generate pairs", "Generate these pairs"]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens(shop: str, open_page: Open, view: str) -> None:
    pairs(shop, SETTINGS)
    test = open_page("pairs.py", dataset=shop, view=view)
    assert not test.exception and not test.error
    if view == "Overview":
        assert {metric.label: metric.value for metric in test.metric}["Pairs"] == "60"
    if view == "Pairs":
        assert shown(test).count("The text it gets") == 12


def test_a_set_without_clusters_and_an_address_of_no_set(shop: str, open_page: Open) -> None:
    pairs(shop, type(SETTINGS)(**{**vars(SETTINGS), "method": "random"}))
    test = open_page("pairs.py", dataset=shop, view="Clusters", pairs="../nothing")
    assert not test.exception and "made without clusters" in test.info[0].value


def test_an_answer_is_stored_and_the_next_pair_asked(shop: str, open_page: Open) -> None:
    made = pairs(shop, SETTINGS)
    test = open_page("pairs.py", dataset=shop, view="Judge")
    next(button for button in test.button if button.label == "In fact a match").click().run()
    assert not test.exception and test.metric[0].value == "100%"
    found = judging.judgements(info(shop), made.described)
    first = judging.order(made)[0]
    assert list(found) == [(made.row_id[first], made.partner[first])]
    keys = [button.key for button in test.button if button.key and button.key.startswith("yes-")]
    assert keys == [f"yes-{made.row_id[k]}-{made.partner[k]}" for k in judging.order(made)[1:2]]


def test_text_of_a_dataset_is_never_markup(home: Path, tmp_path: Path, open_page: Open) -> None:
    make(tmp_path, *three(60), called="<img src=x onerror=alert(1)> {}")
    pairs("shop", SETTINGS)
    for view in ("Pairs", "Judge"):
        body = shown(open_page("pairs.py", dataset="shop", view=view))
        assert "&lt;img src=x" in body and "<img src=x" not in body
