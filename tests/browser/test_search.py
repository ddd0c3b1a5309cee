"""Searching in a real browser: a Czech sentence, a photo, a word taken away, a link that shows the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PROJECT, Server, watch
from tests.browser.test_journeys import settled

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def searchable(server: Server) -> Server:
    """glami-mini with the vectors of the bundled encoder."""
    subprocess.run(
        [sys.executable, "-m", "core", "embed", "glami-mini"],
        cwd=PROJECT,
        env={**os.environ, "VITRINE_HOME": str(server.home)},
        check=True,
        capture_output=True,
    )
    return server


def tiles(page: Page) -> Locator:
    return page.locator(".grid [role=listitem]")


def test_a_czech_sentence_a_word_less_and_the_link(page: Page, searchable: Server, chromium: Browser) -> None:
    page.goto(f"{searchable.url}/search?dataset=glami-mini&by=Likeness")
    page.get_by_label("Search for").fill("pánské kalhoty")
    page.get_by_label("Search for").press("Enter")
    expect(tiles(page)).to_have_count(24, timeout=60_000)
    assert sum("pants" in text for text in tiles(page).all_inner_texts()) >= 18
    page.wait_for_url(re.compile("q="))
    settled(page)

    page.get_by_label("Search for").fill("červené košile")
    page.get_by_label("Search for").press("Enter")
    page.wait_for_url(re.compile("ko%C5%A1ile"))
    expect(tiles(page).filter(has_text="shirt").first).to_be_visible(timeout=30_000)
    expect(tiles(page).filter(has_text="longsleeve").first).to_be_visible()
    page.get_by_label("Without").fill("svetr")
    page.get_by_label("Without").press("Enter")
    page.wait_for_url(re.compile("without="))
    expect(tiles(page).filter(has_text="longsleeve")).to_have_count(0, timeout=30_000)
    expect(tiles(page)).to_have_count(24)
    settled(page)
    after = tiles(page).all_inner_texts()

    context = chromium.new_context()  # somebody else, with the link alone
    watch(context, searchable)
    other = context.new_page()
    other.goto(page.url)
    expect(tiles(other)).to_have_count(24, timeout=30_000)
    assert [text.split("\n")[1] for text in tiles(other).all_inner_texts()] == [
        text.split("\n")[1] for text in after
    ]
    context.close()


def test_a_photo_is_looked_for_and_shared(
    page: Page, searchable: Server, shared_data: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(shared_data / "glami-mini.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith(".jpg"))
        (tmp_path / "photo.jpg").write_bytes(archive.read(name))
    page.goto(f"{searchable.url}/search?dataset=glami-mini")
    page.locator("input[type=file]").set_input_files(tmp_path / "photo.jpg")
    page.wait_for_url(re.compile("photo=[0-9a-f]{32}"))
    expect(tiles(page)).to_have_count(24, timeout=60_000)
    image_id = Path(name).stem
    link = tiles(page).first.locator("img").get_attribute("src") or ""
    assert f"/{image_id}?" in link, "the photo itself is in the dataset: it is the nearest"
    page.reload()
    expect(tiles(page)).to_have_count(24, timeout=30_000)
    settled(page)
    page.get_by_role("button", name="Remove").click()
    expect(tiles(page)).to_have_count(0)


def test_more_like_this_from_a_product(page: Page, searchable: Server) -> None:
    page.goto(f"{searchable.url}/browse?dataset=glami-mini&category=dress")
    tiles(page).first.click()
    page.get_by_role("link", name="More like this").click()
    page.wait_for_url(re.compile(r"/search\?.*like="))
    expect(tiles(page)).to_have_count(24, timeout=60_000)
    settled(page)


def test_the_live_panel_answers(page: Page, searchable: Server) -> None:
    page.goto(f"{searchable.url}/search?dataset=glami-mini&view=Live&split=test")
    panel = page.frame_locator("iframe[src*='/panels/retrieval']")
    expect(panel.locator(".thumbnail-item img, .grid-container img").first).to_be_visible(timeout=60_000)
    panel.get_by_label("Search for").fill("kalhoty")
    panel.get_by_role("button", name="Search", exact=True).click()
    expect(panel.locator(".thumbnail-item img, .grid-container img").first).to_be_visible(timeout=60_000)
    settled(page)


def test_nothing_was_asked_of_the_network(searchable: Server) -> None:
    assert searchable.outside == []
