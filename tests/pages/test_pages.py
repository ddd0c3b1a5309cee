"""What each page says, in the states that a visitor meets."""

from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from core.catalog import info as catalog
from core.catalog.build import import_dataset
from core.catalog.cohort import area_text
from core.catalog.map_files import read_map
from core.embeddings.store import Description, writing
from core.maps.projection import project
from tests.pages.conftest import Open, counted


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> str:
    """Thirty products in two countries; one name is hostile."""
    table = tmp_path / "shop.csv"
    lines = ["item_id,name,description,category,geo,split"]
    for number in range(30):
        geo, split = ("cz", "train") if number % 3 else ("sk", "test")
        lines.append(f"i{number},Boty {number},popis {number},Shoes > Boots,{geo},{split}")
    lines[1] = 'i0,"<script>alert(1)</script> **bold** [x](http://x)",popis,Shoes > Boots,cz,train'
    table.write_text("\n".join(lines), encoding="utf-8")
    import_dataset("table", [str(table)], "shop")
    return "shop"


def test_home_without_a_dataset_says_what_to_do(home: Path, open_page: Open) -> None:
    page = open_page("home.py")
    assert not page.exception
    assert any("no dataset yet" in info.value for info in page.info)


def test_home_shows_every_dataset(shop: str, open_page: Open) -> None:
    page = open_page("home.py")
    assert not page.exception
    assert "shop" in [heading.value for heading in page.subheader]
    assert any("30 products" in text.value for text in page.markdown)


@pytest.mark.parametrize("name", ["products.parquet", "search.arrow", "name_rank.npy", "dataset.json"])
def test_home_shows_a_damaged_dataset_as_damaged_and_offers_to_remove_it(
    shop: str, home: Path, open_page: Open, name: str
) -> None:
    shutil.copytree(home / "shop", home / "bad")
    path = home / "bad" / name
    path.write_bytes(path.read_bytes()[:40])
    page = open_page("home.py")
    assert not page.exception
    assert [heading.value for heading in page.subheader] == ["shop", "bad"]
    assert any("damaged" in error.value and "vitrine remove bad" in error.value for error in page.error)
    page.button(key="remove-bad").click().run()
    assert "Remove it" in [button.label for button in page.button]


def test_browse_without_a_dataset_says_what_to_do(home: Path, open_page: Open) -> None:
    page = open_page("browse.py")
    assert not page.exception
    assert any("no dataset yet" in info.value for info in page.info)


def test_browse_counts_what_the_address_chooses(shop: str, open_page: Open) -> None:
    page = open_page("browse.py", dataset="shop", geo=["sk"])
    assert not page.exception
    assert counted(page) == "9"


def test_browse_filters_by_category_and_words(shop: str, open_page: Open) -> None:
    assert counted(open_page("browse.py", dataset="shop", category="Shoes")) == "30"
    assert counted(open_page("browse.py", dataset="shop", text="BOTY 17")) == "1"


def test_browse_keeps_an_area_of_a_map_and_lets_it_go(shop: str, open_page: Open) -> None:
    dataset = catalog.info("shop")
    plan = Description("v", "imported", 3, dataset.fingerprint, 30)
    with writing(dataset, "v", plan, 1) as writer:
        writer.write(0, np.arange(30), np.eye(3)[np.arange(30) % 3], np.ones(30, bool))
    project(dataset, "v")  # three vectors, so three points of ten products each
    x, y = map(float, read_map(dataset, "v").points[0])
    area = area_text([(x - 0.1, y - 0.1), (x + 0.1, y - 0.1), (x + 0.1, y + 0.1), (x - 0.1, y + 0.1)])
    page = open_page("browse.py", dataset="shop", map="v", area=area, text="boty")
    assert not page.exception
    assert counted(page) == "9"  # one of the ten is not named Boty
    assert any("corner area of the map v" in caption.value for caption in page.sidebar.caption)
    page.button(key="clear-area").click().run()
    assert not page.exception and counted(page) == "29"
    gone = open_page("browse.py", dataset="shop", map="w", area=area)
    assert any("no map 'w'" in error.value for error in gone.error)
    assert gone.button(key="clear-area")  # the way out
    assert any(
        "3 to 200" in error.value
        for error in open_page("browse.py", dataset="shop", map="v", area="0,0").error
    )


def test_browse_says_that_nothing_matches_and_clears(shop: str, open_page: Open) -> None:
    page = open_page("browse.py", dataset="shop", text="nothing like it")
    assert any("No product of shop matches" in info.value for info in page.info)
    next(button for button in page.button if button.label == "Show all products").click().run()
    assert counted(page) == "30"


@pytest.mark.parametrize("name", ["nothing", "../etc", "<script>"])
def test_an_unknown_dataset_is_one_line(shop: str, open_page: Open, name: str) -> None:
    page = open_page("browse.py", dataset=name)
    assert not page.exception
    assert page.error[0].value.startswith("There is no dataset named")


def test_a_product_of_the_address_opens(shop: str, open_page: Open) -> None:
    page = open_page("browse.py", dataset="shop", product="i5")
    assert not page.exception
    assert any("/browse?dataset=shop&product=i5" in code.value for code in page.code)


def test_a_product_that_is_not_there_is_said(shop: str, open_page: Open) -> None:
    page = open_page("browse.py", dataset="shop", product="nobody")
    assert any("has no product" in warning.value for warning in page.warning)


def test_a_page_number_beyond_the_end_shows_products(shop: str, open_page: Open) -> None:
    page = open_page("browse.py", dataset="shop", page="999")
    assert not page.exception and not page.error


def test_a_dataset_removed_meanwhile_is_said(shop: str, open_page: Open, tmp_path: Path) -> None:
    import_dataset("table", [str(tmp_path / "shop.csv")], "other")
    page = open_page("browse.py", dataset="shop")
    catalog.remove("shop")
    page.run()
    assert not page.exception
    assert "shop" in page.error[0].value


def test_removing_asks_first(shop: str, open_page: Open) -> None:
    page = open_page("home.py")
    next(button for button in page.button if button.label == "Remove").click().run()
    assert "Remove it" in [button.label for button in page.button]
    assert [info.name for info in catalog.datasets()] == ["shop"]


def test_a_visitor_from_elsewhere_neither_adds_nor_removes(
    shop: str, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: False)
    page = open_page("home.py")
    assert [button.label for button in page.button] == ["Browse", "Report"]
    assert any("on the machine that serves" in caption.value for caption in page.caption)


def test_classify_opens(shop: str, open_page: Open) -> None:
    assert not open_page("classify.py").exception


def test_a_worker_process_does_not_run_the_page(home: Path, open_page: Open) -> None:
    """Streamlit makes the main script `__main__`, which multiprocessing runs in every process that it spawns."""
    open_page("home.py")
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        ran = pool.submit(eval, "'pages.components.home.picture_wall' in __import__('sys').modules")
        assert ran.result() is False
