"""The Statistics page in a real browser: charts are drawn, a bar opens its products, nothing scrolls sideways."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, is_phone

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "subject", ["Columns", "Long tail", "Shift", "Text", "Label sources", "Hierarchy", "Words"]
)
def test_charts_are_drawn_within_the_screen(page: Page, server: Server, subject: str) -> None:
    page.goto(f"{server.url}/statistics?dataset=glami-mini&subject={subject.replace(' ', '+')}&geo=cz")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=60_000)
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1]
    assert server.outside == []


def test_a_bar_opens_its_products(page: Page, server: Server) -> None:
    if is_phone(page):
        pytest.skip("a finger is tested by the same click at desktop width")
    page.goto(f"{server.url}/statistics?dataset=glami-mini&subject=Long+tail&geo=cz")
    bar = page.locator("[class*=st-key-chart-long-tail-per-category] .bars path").first
    expect(bar).to_be_visible(timeout=60_000)
    page.wait_for_timeout(1_500)  # the page still grows above it
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile("/browse"))
    expect(page.locator(".vitrine-count")).to_have_text("116", timeout=30_000)
    assert "split=train" in page.url and "geo=cz" in page.url and "category=t-shirt" in page.url
