"""The live classifier inside its page, as a visitor with a photo meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def jeans(tmp_path: Path) -> Path:
    """A picture of a product that the bundled model has never seen: its seed is not of the demo."""
    from core.demo.drawing import draw
    from core.demo.looks import Look

    path = tmp_path / "jeans.jpg"
    draw(Look("womens-jeans", "blue", "plain", "denim", 987_654_321)).save(path, quality=90)
    return path


def ask_until(button: Locator, answer: Locator) -> None:
    """Ask, and again if the upload had not arrived yet or the weights were still being read."""
    for _ in range(8):
        button.click()
        try:
            expect(answer).to_be_visible(timeout=8_000)
            return
        except AssertionError:
            continue


def test_a_photo_and_a_name_are_answered(page: Page, server: Server, jeans: Path) -> None:
    page.goto(f"{server.url}/classify")
    panel = page.frame_locator("iframe")
    button = panel.get_by_role("button", name="Classify", exact=True)
    expect(button).to_be_enabled(timeout=60_000)
    panel.locator("input[type=file]").first.set_input_files(str(jeans))
    answer = panel.locator("#answers .vc-first").first
    ask_until(button, answer)
    expect(answer).to_contain_text("Jeans", timeout=60_000)

    panel.get_by_label("Name", exact=True).fill("Dámské džíny modré")
    button.click()
    expect(panel.locator(".progress-text, .generating")).to_have_count(0)
    expect(answer).to_contain_text("Jeans")
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1]


def test_nothing_given_is_said(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/classify")
    panel = page.frame_locator("iframe")
    button = panel.get_by_role("button", name="Classify", exact=True)
    expect(button).to_be_enabled(timeout=60_000)
    button.click()
    expect(panel.get_by_text("There is nothing to classify").first).to_be_visible(timeout=30_000)


def test_a_file_that_is_no_picture_is_said(page: Page, server: Server, tmp_path: Path) -> None:
    text = tmp_path / "letter.jpg"
    text.write_text("not a picture", encoding="utf-8")
    page.goto(f"{server.url}/classify")
    panel = page.frame_locator("iframe")
    button = panel.get_by_role("button", name="Classify", exact=True)
    expect(button).to_be_enabled(timeout=60_000)
    panel.locator("input[type=file]").first.set_input_files(str(text))
    refusal = panel.get_by_text("not a picture").first
    ask_until(button, refusal)
    expect(refusal).to_be_visible()


def test_no_request_of_the_panel_left_this_machine(server: Server) -> None:
    """Runs last in this file: Gradio's fonts, scripts and reports were watched too."""
    assert server.outside == []
