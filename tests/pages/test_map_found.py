"""What a search finds is lit on the map: the whole search of a link, not its words alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.catalog import map_files
from core.catalog.products import Products
from core.embeddings.clip import encoder
from core.embeddings.embed import embed
from core.embeddings.store import sets
from core.search.query import AWAY, Part, Searcher
from pages.components.shared import photos
from tests.drawn_map import write_map
from tests.likeness import picture, products

__all__ = ["products"]

Open = Callable[..., AppTest]


@pytest.fixture
def mapped(products: Products, clip_folder: Path) -> Products:
    """Sixty products with vectors, and a map of these; 30 and 33 share a place."""
    embed("shop", encoder(str(clip_folder)), workers=1, device="cpu")
    points = np.random.default_rng(0).uniform(-0.9, 0.9, (60, 2))
    points[33], points[::10] = points[30], np.nan
    points[30] = points[33]
    folder = write_map(products.info, points, np.full(60, -1), [])
    name, described = sets(products.info)[0]
    digest = map_files.vectors_digest(products.info, name)
    own = {"vectors": name, "vectors_digest": digest, "tower": described.tower}
    (folder / "map.json").write_text(json.dumps({**json.loads((folder / "map.json").read_text()), **own}))
    return products


@pytest.fixture
def lit(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The rows that the page gave its component, run by run."""
    given: list[list[int]] = []
    monkeypatch.setattr("pages.components.map.map_view.show", lambda *values: given.append(values[-1]))
    return given


def html(page: AppTest) -> str:
    return " ".join(element.proto.body for element in page.get("html"))


def said(page: AppTest) -> str:
    return " ".join(element.value for element in [*page.caption, *page.info, *page.warning, *page.error])


def test_every_part_of_the_link_counts(mapped: Products, open_page: Open, lit: list[list[int]]) -> None:
    query = {
        "q": "červené šaty",
        "without": "mikina",
        "like": ["3"],
        "w0": "2",
        "w1": "0.5",
        "by": "Likeness",
    }
    page = open_page("map.py", dataset="shop", **query)
    assert not page.exception and not page.error
    parts = (
        Part("text", "červené šaty", weight=2),
        Part("product", row=3, weight=0.5),
        Part("text", "mikina", weight=-AWAY),
    )
    assert lit[-1] == [hit.row_id for hit in Searcher(mapped).search(parts, 100).hits]
    assert "of 60 products are highlighted" in html(page) and "/search?" in html(page)
    assert "without=mikina" in html(page) and "w0=2" in html(page)
    page.button(key="remove-without-one").click().run()
    assert "without" not in page.query_params and lit[-1] != lit[0]


def test_a_photo_or_a_product_alone_lights(mapped: Products, open_page: Open, lit: list[list[int]]) -> None:
    page = open_page("map.py", dataset="shop", photo=photos.keep(picture("red")))
    assert not page.exception and len(lit[-1]) == 54
    assert "at 53 points" in html(page)
    open_page("map.py", dataset="shop", like="3")
    assert len(lit[-1]) == 53 and 3 not in lit[-1]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"q": "šaty", "text": "nothing has this"}, "No search result to highlight"),
        ({"photo": "0" * 32}, "no longer stored"),
        ({"like": "0"}, "has no vector"),
        ({"q": "šaty", "w0": "nan", "like": "3"}, ""),
    ],
)
def test_what_cannot_be_lit_is_said(
    mapped: Products, open_page: Open, lit: list[list[int]], query: dict[str, str], says: str
) -> None:
    page = open_page("map.py", dataset="shop", **query)
    assert not page.exception and says in said(page)
    assert bool(lit[-1]) == (not says), "the map is there all the same"


def test_the_search_page_hands_it_over(mapped: Products, open_page: Open) -> None:
    page = open_page("search.py", dataset="shop", q="šaty", without="mikina", like="3", geo="cz")
    link = next(button.proto.url for button in page.get("link_button") if button.proto.label == "On the map")
    for part in ("without=mikina", "like=3", "geo=cz", "map=drawn"):
        assert part in link
