"""The Search page, in the states that a visitor meets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.embeddings.clip import encoder
from core.embeddings.embed import embed
from core.errors import UsageError
from core.search.query import Answer, Hit, Part
from core.settings import settings
from pages.components.search import scores
from pages.components.search.query_form import Query
from pages.components.shared import photos
from tests.likeness import picture, products

__all__ = ["products"]

Open = Callable[..., AppTest]


@pytest.fixture
def embedded(products: Products, clip_folder: Path) -> Products:
    embed("shop", encoder(str(clip_folder)), workers=1, device="cpu")
    return products


def said(page: AppTest) -> str:
    parts = [*page.caption, *page.info, *page.warning, *page.error]
    return " ".join(element.value for element in parts).replace("\\", "")


def test_without_a_dataset(home: Path, open_page: Open) -> None:
    assert "no dataset yet" in said(open_page("search.py"))


def test_without_vectors_it_offers_to_make_them(products: Products, open_page: Open) -> None:
    page = open_page("search.py", dataset="shop", q="šaty")
    assert not page.exception
    assert "Compute vectors" in [button.label for button in page.button]
    assert "vitrine embed shop --encoder clip-tiny" in said(page)


def test_only_a_visitor_of_this_machine_may_make_them(
    products: Products, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: False)
    page = open_page("search.py", dataset="shop", q="šaty")
    assert "Compute vectors" not in [button.label for button in page.button]
    assert "on the machine that serves Vitrine" in said(page)


def test_without_pictures_it_offers_to_read_the_texts(home: Path, tmp_path: Path, open_page: Open) -> None:
    (tmp_path / "words.csv").write_text("item_id,name\n1,šaty\n2,boty\n")
    import_dataset("table", [str(tmp_path / "words.csv")], "words")
    page = open_page("search.py", dataset="words", q="šaty")
    assert "--tower text" in said(page) and "no pictures" in said(page)


def test_words_need_no_vectors(products: Products, open_page: Open) -> None:
    page = open_page("search.py", dataset="shop", q="cervene saty", by="Words")
    assert not page.exception and "The best 20 of 60 products" in said(page)


def test_an_empty_query_says_what_to_do(embedded: Products, open_page: Open) -> None:
    page = open_page("search.py", dataset="shop")
    assert "Type a query" in said(page)
    next(button for button in page.button if button.label == "červené šaty").click().run()
    assert page.text_input(key="q").value == "červené šaty" and "The best 55 of 60" in said(page)


def test_the_address_is_the_search(embedded: Products, open_page: Open) -> None:
    query = {"q": "červené šaty", "without": "mikina", "geo": ["cz"], "like": ["3"]}
    page = open_page("search.py", dataset="shop", **query)
    assert not page.exception and not page.error
    assert "of 30 products," in said(page) and page.button(key="chip-geo").label == "country cz"
    assert page.slider[0].label == "words" and len(page.slider) == 3


def test_a_photo_of_the_address(embedded: Products, open_page: Open) -> None:
    name = photos.keep(picture("red"))
    page = open_page("search.py", dataset="shop", photo=name)
    assert not page.exception and "The best 54 of 60 products" in said(page)
    for gone in ("0" * 32, "../../etc/passwd"):
        page = open_page("search.py", dataset="shop", photo=gone)
        assert not page.exception and "no longer stored" in said(page)
    page = open_page("search.py", dataset="shop", photo="0" * 32, q="šaty")
    assert "no longer stored" in said(page) and "The best 55" in said(page), (
        "the words are looked for all the same"
    )


def test_nothing_is_left_by_the_filters(embedded: Products, open_page: Open) -> None:
    page = open_page("search.py", dataset="shop", q="šaty", text="nothing like it")
    assert "no products" in said(page)
    next(button for button in page.button if button.label == "Search all products").click().run()
    assert "of 60 products" in said(page)


@pytest.mark.parametrize("like", ["999", "abc", "-1", "1e9"])
def test_products_that_are_not_there_are_passed_over(embedded: Products, open_page: Open, like: str) -> None:
    page = open_page("search.py", dataset="shop", like=like)
    assert not page.exception and not page.error


def test_a_product_without_a_picture_is_said(embedded: Products, open_page: Open) -> None:
    assert "has no vector" in said(open_page("search.py", dataset="shop", like="0"))


def test_photos_are_bounded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MAX_PHOTOS", 2)
    names = [photos.keep(picture(colour)) for colour in ("red", "green", "blue")]
    assert len(list((settings().home / "uploads" / "photos").glob("*.webp"))) == 2
    assert photos.read(names[-1])[:4] == b"RIFF"
    with pytest.raises(UsageError):
        photos.keep(b"0" * (settings().upload_bytes + 1))


def test_scores_are_words_with_the_figures_behind_them() -> None:
    one = Query((Part("text", "boty"),), ("words",))
    near = Hit(1, 0.3123, (0.3123,), ("likeness",), (0.001,))
    said = scores.lines(one, Answer([near], "cosine similarity", 1), [near])
    assert said == (["very similar"], ["cosine similarity 0.312"])
    lexical = Hit(2, 12.3, (None,), ("words",), (None,))
    said = scores.lines(one, Answer([lexical], "BM25 of the words", 1), [lexical])
    assert said == (["has the words"], ["BM25 of the words 12.300"])
    two = Query((Part("text", "boty"), Part("product", row=3)), ("words", "like Alba"))
    both = Hit(4, 1.5, (0.25, 0.75), ("likeness", "words"), (0.03, 0.004))
    (words,), (figures,) = scores.lines(two, Answer([both], "combined similarity", 1), [both])
    assert words == "words: somewhat similar · like Alba: similar · has the words"
    assert figures == "combined similarity 1.500; cosine with words 0.250; cosine with like Alba 0.750"
