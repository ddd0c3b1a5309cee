"""A fresh server prepares the built-in dataset by itself: every page shows real content, and nobody pressed a button."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from core.catalog.info import info
from core.preparation import state
from tests.browser.conftest import DESKTOP, EXPECT_MS, PROJECT, Server, start_server, watch

pytestmark = pytest.mark.browser

ITEMS = 60
PREPARED_S = 1_800  # a bound for a machine that hangs; what is waited for is the job's own state
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
    context.set_default_timeout(180_000)
    watch(context, fresh)
    expect.set_options(timeout=180_000)
    page = context.new_page()
    yield page
    expect.set_options(timeout=EXPECT_MS)
    artifacts = PROJECT / "test-artifacts"
    artifacts.mkdir(exist_ok=True)
    page.screenshot(path=artifacts / "ready.png")
    context.close()


def nothing_is_asked_for(page: Page) -> None:
    """No page broke, and no button offers to make what is missing."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_role("button", name=MAKING)).to_have_count(0)


def wait_until_prepared(page: Page, server: Server) -> None:
    """Wait for the job that the server started, however fast the machine is."""
    until = time.monotonic() + PREPARED_S
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(server.home))
        while (job := state.job_of(info("demo"))) is None or job.running:
            assert time.monotonic() < until, job
            page.wait_for_timeout(1_000)  # lets the page's own events be handled
    assert job.complete, job


def test_every_page_shows_real_content_without_a_click_on_make(visitor: Page, fresh: Server) -> None:
    page = visitor
    page.goto(f"{fresh.url}/train?dataset=demo")  # while the first parts are made
    expect(page.get_by_text("embracenet-tiny").first).to_be_visible()
    expect(page.get_by_test_id("stMetric").first).to_be_visible()
    page.goto(f"{fresh.url}/map?dataset=demo")  # what is being made is said, and appears by itself
    expect(page.get_by_test_id("stMain")).to_contain_text(re.compile("updates by itself|Colour"))
    nothing_is_asked_for(page)
    wait_until_prepared(page, fresh)
    expect(page.locator(".map[data-painted]")).to_be_visible()

    page.goto(f"{fresh.url}/search?dataset=demo&q=%C5%A1aty")
    expect(page.locator(".grid [role=listitem]").first).to_be_visible()
    nothing_is_asked_for(page)

    page.goto(f"{fresh.url}/evaluate?dataset=demo")
    expect(page.get_by_test_id("stMetric").first).to_contain_text("Top-1")
    nothing_is_asked_for(page)

    page.goto(f"{fresh.url}/duplicates?dataset=demo")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    nothing_is_asked_for(page)

    page.goto(f"{fresh.url}/classify?dataset=demo")
    panel = page.frame_locator("iframe")
    panel.get_by_label("Name", exact=True).fill("Dámské džíny modré")
    panel.get_by_role("button", name="Classify", exact=True).click()
    expect(panel.locator("#answers .vc-first").first).to_contain_text(
        re.compile(r"\d%")
    )  # the panel may keep the picture of an example
    assert fresh.outside == [] and fresh.violations == []
