"""Find a planted leak in a real browser: from an empty page to the pair, a yes, and the products in Browse."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PROJECT, Server
from tests.planted import planted_rows, write

pytestmark = pytest.mark.browser
PATIENT_MS = 90_000  # two cores that others use, too


@pytest.fixture(scope="module")
def leaky(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = write(tmp_path_factory.mktemp("leaky") / "files", planted_rows())
    subprocess.run(
        [sys.executable, "-m", "core", "import", "table", str(path), "--name", "leaky"],
        cwd=PROJECT, env={**os.environ, "VITRINE_HOME": str(server.home)}, check=True, capture_output=True,
    )  # fmt: skip
    return "leaky"


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_a_planted_leak_is_found(page: Page, server: Server, leaky: str) -> None:
    page.set_default_timeout(PATIENT_MS)
    page.goto(f"{server.url}/duplicates?dataset={leaky}")
    page.get_by_role("button", name="Find duplicates").click()
    expect(page.get_by_text("products, these have a duplicate in another split")).to_be_visible(
        timeout=PATIENT_MS
    )

    page.get_by_role("radio", name="Pairs").click()
    page.get_by_text("Only across splits").click()
    leak = page.get_by_role("listitem").filter(has_text="Facing left")
    expect(leak).to_contain_text("across splits", timeout=PATIENT_MS)
    expect(leak).to_contain_text("Product number 2")

    page.get_by_role("radio", name="Judge").click()
    expect(page.get_by_text("Do these two show the same product?")).to_be_visible(timeout=PATIENT_MS)
    expect(page.get_by_role("button", name="Yes")).to_be_enabled(
        timeout=PATIENT_MS
    )  # its key works from then on
    page.keyboard.press("y")
    expect(page.get_by_text("1 pairs answered")).to_be_visible(timeout=PATIENT_MS)

    page.get_by_role("radio", name="Leakage").click()
    page.get_by_role("link", name="Open 3 leaking from test").click()
    browse = page.context.pages[-1]
    expect(browse.locator(".vitrine-count")).to_have_text("3", timeout=PATIENT_MS)
    assert not server.outside
