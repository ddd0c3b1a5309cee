"""An evaluation as a visitor starts it: it runs in its own process, is kept, and is there for the next one."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

pytestmark = pytest.mark.browser


def test_an_evaluation_is_started_kept_and_looked_through(page: Page, server: Server) -> None:
    address = (
        f"{server.url}/evaluate?dataset=glami-mini&model=embracenet-tiny&sees=Text"  # no picture to decode
    )
    page.goto(address)
    figures = page.get_by_test_id("stMetric")
    begin = page.get_by_role("button", name="Evaluate", exact=True)
    expect(figures.first.or_(begin)).to_be_visible(timeout=60_000)
    if begin.is_visible():  # the first of the two widths
        begin.click()
    expect(figures.first).to_contain_text("Top-1", timeout=180_000)
    assert len(list((server.home / "evaluations" / "embracenet-tiny").glob("*.parquet"))) == 1

    page.goto(f"{address}&part=Mistakes&first=Least+confident")
    tile = page.locator(".grid [role=listitem]").first
    expect(tile).to_contain_text("predicted", timeout=60_000)
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1]
    tile.click()
    expect(page.get_by_role("dialog")).to_contain_text("Link to this product", timeout=30_000)
    assert "product=" in page.url and "part=Mistakes" in page.url
    assert server.outside == []
