"""A fresh server prepares the built-in dataset by itself: every page shows real content, and nobody pressed a button."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PROJECT, Server, start_server, watch

pytestmark = pytest.mark.browser

ITEMS = 60
PREPARED_MS = 420_000  # for all parts on a machine that others use; each page is waited for, not this long
MAKING = re.compile(r"^(Make the map|Compute vectors|Find duplicates|Evaluate|Measure .*|Compute the rest)$")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A home that holds nothing but the built-in dataset, and a server as `make run` starts it."""
    home = tmp_path_factory.mktemp("fresh-home")
    subprocess.run(
        [sys.executable, "-m", "core", "demo", "--name", "demo", "--items", str(ITEMS), "--if-empty"],
        cwd=PROJECT, env={**os.environ, "VITRINE_HOME": str(home)}, check=True, capture_output=True,
    )  # fmt: skip
    log = tmp_path_factory.mktemp("fresh-log") / "server.log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_PREPARE", "demo")
        process, url = start_server(home, log)
    yield Server(url, home, log)
    process.terminate()
    process.wait(20)


@pytest.fixture
def visitor(chromium: Browser, fresh: Server) -> Iterator[Page]:
    context = chromium.new_context(viewport=DESKTOP, color_scheme="light")  # type: ignore[arg-type]
    context.set_default_timeout(60_000)
    watch(context, fresh)
    page = context.new_page()
    yield page
    artifacts = PROJECT / "test-artifacts"
    artifacts.mkdir(exist_ok=True)
    page.screenshot(path=artifacts / "ready.png")
    context.close()


def nothing_is_asked_for(page: Page) -> None:
    """No page broke, and no button offers to make what is missing."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_role("button", name=MAKING)).to_have_count(0)


def test_every_page_shows_real_content_without_a_click_on_make(
    visitor: Page, fresh: Server, tmp_path: Path
) -> None:
    page = visitor
    page.goto(fresh.url)  # while the first parts are made
    expect(page.get_by_role("heading", name="demo")).to_be_visible()

    page.goto(f"{fresh.url}/train?dataset=demo")
    expect(page.get_by_text("embracenet-tiny").first).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()

    page.goto(f"{fresh.url}/search?dataset=demo&q=%C5%A1aty")
    expect(page.locator(".grid [role=listitem]").first).to_be_visible(timeout=PREPARED_MS)
    nothing_is_asked_for(page)

    page.goto(f"{fresh.url}/classify?dataset=demo")
    panel = page.frame_locator("iframe")
    panel.get_by_label("Name", exact=True).fill("Dámské džíny modré")
    panel.get_by_role("button", name="Classify", exact=True).click()
    expect(panel.locator("#answers .vc-first").first).to_contain_text("Jeans", timeout=PREPARED_MS)

    page.goto(f"{fresh.url}/evaluate?dataset=demo")
    expect(page.get_by_test_id("stMetric").first).to_contain_text("Top-1", timeout=PREPARED_MS)
    nothing_is_asked_for(page)

    page.goto(f"{fresh.url}/map?dataset=demo")
    expect(page.locator(".map[data-painted]")).to_be_visible(timeout=PREPARED_MS)
    nothing_is_asked_for(page)

    page.goto(f"{fresh.url}/duplicates?dataset=demo")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=PREPARED_MS)
    assert fresh.outside == [] and fresh.violations == []
