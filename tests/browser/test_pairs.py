"""Generate pairs in a real browser, look at them, and judge one by key."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.paired import make, three

pytestmark = pytest.mark.browser
PATIENT_MS = 180_000  # two cores that others use, too


@pytest.fixture(scope="module")
def shop(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(server.home))
        return make(tmp_path_factory.mktemp("shop"), *three(60))


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_pairs_are_generated_seen_and_judged(page: Page, server: Server, shop: str) -> None:
    page.set_default_timeout(PATIENT_MS)
    page.goto(f"{server.url}/pairs?dataset={shop}")
    expect(page.get_by_text("shop has no pairs yet")).to_be_visible(timeout=PATIENT_MS)
    expect(page.get_by_text("Other settings")).to_be_visible()
    page.get_by_role("button", name="Generate these pairs").click()
    expect(page.get_by_text("Distinct partners")).to_be_visible(timeout=PATIENT_MS)

    page.get_by_role("radio", name="Pairs", exact=True).click()
    cards = page.get_by_role("listitem").filter(has_text="The text it gets")
    expect(cards).to_have_count(12, timeout=PATIENT_MS)
    expect(cards.first).to_contain_text("picture cluster")

    page.get_by_role("radio", name="Judge").click()
    expect(page.get_by_role("button", name="In fact a match")).to_be_enabled(timeout=PATIENT_MS)
    page.keyboard.press("m")
    expect(page.get_by_text("1 pairs answered")).to_be_visible(timeout=PATIENT_MS)
    expect(page.get_by_text("1 of 1 judged")).to_be_visible(timeout=PATIENT_MS)
    assert not server.outside
