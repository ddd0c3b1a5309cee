"""A sign-in as a person does it, and that a role counts for more than where one sits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from core import passphrases
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def asking(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The running server, which asks from the next request on, and no longer afterwards."""
    monkeypatch.setenv("VITRINE_HOME", str(server.home))
    passphrases.keep("visitor", "visitor of the summer fair")
    yield server
    passphrases.keep("visitor", None)


def test_a_visitor_signs_in_and_out(page: Page, asking: Server) -> None:
    page.goto(f"{asking.url}/browse?dataset=glami-mini&geo=cz")
    page.get_by_label("Passphrase").fill("a wrong passphrase")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not the passphrase")
    page.get_by_label("Passphrase").fill("visitor of the summer fair")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Signed in as visitor.")).to_be_visible(timeout=30_000)
    assert page.url.endswith("/browse?dataset=glami-mini&geo=cz")
    page.goto(asking.url)  # from the serving machine, and yet no owner
    expect(page.get_by_text("whoever signed in as owner")).to_be_visible(timeout=30_000)
    assert page.get_by_role("button", name="Remove").count() == 0
    page.get_by_role("link", name="Sign out").press(
        "Enter"
    )  # by key: pictures that arrive move what is clicked
    expect(page.get_by_label("Passphrase")).to_be_visible()
