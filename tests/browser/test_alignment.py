"""Decide on pairs of sub-classes in a real browser, by keyboard alone."""

from __future__ import annotations

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from core.catalog.build import import_dataset
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
PATIENT_MS = 60_000


@pytest.fixture(scope="module")
def shops(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("align")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(server.home))
        for name, subs in (("left-shop", ("Mugs", "Lamp")), ("right-shop", ("Mug", "Lamps"))):
            rows = [{"item_id": f"{name}{at}", "name": f"{sub} {at}", "category": f"Home > {sub}"} for sub in subs for at in range(3)]  # fmt: skip
            pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False)
            import_dataset("table", [str(folder / f"{name}.csv")], name)


def press(page: Page, key: str) -> None:
    """When the page is drawn: a key before its button is there does nothing."""
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(300)
    page.keyboard.press(key)


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
@pytest.mark.usefixtures("shops")
def test_pairs_are_decided_by_keys(page: Page, server: Server) -> None:
    page.set_default_timeout(PATIENT_MS)
    page.goto(f"{server.url}/alignment?dataset=left-shop&with=right-shop")
    expect(page.get_by_text("0 of 2 decided")).to_be_visible(timeout=PATIENT_MS)
    press(page, "s")
    expect(page.get_by_text("1 of 2 decided")).to_be_visible(timeout=PATIENT_MS)
    press(page, "z")
    expect(page.get_by_text("0 of 2 decided")).to_be_visible(timeout=PATIENT_MS)
    press(page, "n")
    expect(page.get_by_text("1 of 2 decided")).to_be_visible(timeout=PATIENT_MS)
    expect(page.get_by_role("heading", name="Lamp", exact=True)).to_have_count(0)
    field = page.get_by_label("Same, under a new name")
    page.locator("[data-test-script-state=notRunning]").wait_for()
    field.fill("Mugs and cups")
    press(page, "Enter")
    expect(page.get_by_text("Every candidate is decided")).to_be_visible(timeout=PATIENT_MS)
    expect(page.get_by_text("the same, under a new name")).to_be_visible(timeout=PATIENT_MS)
    assert not server.outside
