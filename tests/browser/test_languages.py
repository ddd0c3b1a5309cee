"""A cell of the heat map leads to its pairs, and texts of two languages stand side by side."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.spoken import told

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def spoken(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(server.home))
        return told(tmp_path_factory.mktemp("spoken")).info.name


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_a_cell_opens_its_pairs(page: Page, server: Server, spoken: str) -> None:
    page.goto(f"{server.url}/languages?dataset={spoken}")
    cell = page.get_by_role("figure").first.get_by_title("Slovakia to Czechia")
    expect(cell).to_have_text("4")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cell.click()
    expect(page.get_by_text("4 pairs of Slovakia and Czechia")).to_be_visible()
    expect(page.get_by_text("Topánky na každý deň, ktoré sú pohodlné.").first).to_be_visible()
    expect(page.get_by_text("Boty na každý den, které jsou měkké.")).to_be_visible()
    assert not server.outside
