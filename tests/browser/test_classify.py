"""The live classifier inside its page, as a visitor with a photo meets it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from core.models.cards import card
from core.models.classifier import Classification
from core.models.registry import models
from pages.panels import product_classifier
from pages.panels.classification import build
from pages.panels.classification_events import Backend
from tests.browser.conftest import DESKTOP, PHONE, Server
from tests.served import serve
from tests.toy import picture

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


def cleared(panel: FrameLocator | Page) -> Locator:
    """The button that asks, once the example that the panel begins with was answered and taken away."""
    button = panel.get_by_role("button", name="Classify", exact=True)
    expect(button).to_be_enabled(timeout=60_000)
    expect(panel.locator("#answers .vc-first").first).to_be_visible(timeout=60_000)
    panel.get_by_role("button", name="Clear", exact=True).last.click()  # the first takes the picture away
    expect(panel.locator("#answers .vc-hint")).to_be_visible()
    expect(panel.get_by_label("Name", exact=True)).to_have_value("")
    return button


def test_it_begins_with_a_product_of_the_address(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/classify?dataset=glami-mini&geo=cz")
    panel = page.frame_locator("iframe")
    verdict = panel.locator("#answers .vc-verdict")
    expect(verdict).to_contain_text("The label is", timeout=60_000)
    expect(page.get_by_role("button", name="country cz")).to_be_visible()


def test_a_photo_and_a_name_are_answered(page: Page, server: Server, jeans: Path) -> None:
    page.goto(f"{server.url}/classify?model=embracenet-tiny")
    panel = page.frame_locator("iframe")
    button = cleared(panel)
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


def test_the_address_chooses_a_model_and_nothing_given_is_said(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/classify?model=gone&model=zero-shot-clip-tiny@glami-mini")
    panel = page.frame_locator("iframe")
    button = cleared(panel)
    expect(panel.get_by_text("A model in the address does not exist")).to_be_visible()
    expect(panel.get_by_text("About Prompted CLIP tiny")).to_be_visible()
    button.click()
    expect(panel.get_by_text("There is nothing to classify").first).to_be_visible(timeout=30_000)


def test_a_file_that_is_no_picture_is_said(page: Page, server: Server, tmp_path: Path) -> None:
    text = tmp_path / "letter.jpg"
    text.write_text("not a picture", encoding="utf-8")
    page.goto(f"{server.url}/classify")
    panel = page.frame_locator("iframe")
    button = cleared(panel)
    panel.locator("input[type=file]").first.set_input_files(str(text))
    refusal = panel.get_by_text("not a picture").first
    ask_until(button, refusal)
    expect(refusal).to_be_visible()


@pytest.fixture
def three(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The panel with three models; where the name is "slow", the answer waits for `go`."""
    home = Path(shutil.copytree(trained, tmp_path / "home"))
    shutil.copytree(home / "runs" / "toy-run", home / "runs" / "toy-two")
    monkeypatch.setenv("VITRINE_HOME", str(home))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))

    def classify(model: str, image: Path | None, name: str, *more: Any) -> Classification:
        if name == "slow":
            go.wait(30)
        return product_classifier.classify(model, image, name, *more)

    go.clear()
    ask = product_classifier
    whole = Backend(models, classify, ask.explain, card, ask.examples, ask.countries, ask.languages)
    yield from serve(build(whole))


go = threading.Event()


def test_three_models_side_by_side_and_why(chromium: Browser, three: str, tmp_path: Path) -> None:
    photo = tmp_path / "hat.jpg"
    photo.write_bytes(picture("hats"))
    page = chromium.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(three)
    chosen = page.get_by_label("Models, up to 3 side by side")
    expect(page.locator("#cards details")).to_have_count(1)
    for words, n in (("toy-run", 2), ("EmbraceNet (lite)", 3)):  # toy-two is the newest, and chosen
        chosen.click()
        chosen.press_sequentially(words)
        expect(page.get_by_role("option")).to_have_count(1)
        page.get_by_role("option").click()
        expect(page.locator("#cards details")).to_have_count(n)
    cleared(page)
    page.locator("input[type=file]").first.set_input_files(str(photo))
    expect(page.locator("img[src*=hat]")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("kabelka <img src=x> {{x}} ${1}")
    page.get_by_role("button", name="Classify", exact=True).click()
    expect(page.locator("#answers .vc-first")).to_have_count(3)
    why = page.locator("#reasons .vc-model")
    expect(why).to_have_count(3)
    first = why.first
    expect(first.locator(".vc-if li").nth(0)).to_contain_text("bags")  # without the picture
    expect(first.locator(".vc-if li").nth(1)).to_contain_text("hats")  # without the text
    expect(first.locator(".vc-if li").nth(2)).to_contain_text("text of another product")
    expect(first.locator(".vc-words")).to_contain_text("kabelka")
    assert page.locator(".vc-words img").count() == 0
    page.locator("summary").first.click()
    expect(page.locator(".vc-card table").first).to_contain_text("picture and text")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


def test_a_visitor_sees_the_place_in_line_and_cancels(chromium: Browser, three: str) -> None:
    first, second = (chromium.new_page(viewport=DESKTOP) for _ in range(2))  # type: ignore[arg-type]
    buttons = []
    for page in (first, second):  # a page opens with an answer, which would wait behind the slow one
        page.goto(three)
        buttons.append(cleared(page))
    for page, button, name in zip((first, second), buttons, ("slow", "taška"), strict=True):
        page.get_by_label("Name", exact=True).fill(name)
        button.click()
        shown = "processing" if name == "slow" else "queue: 1/1"
        expect(page.locator("#answers")).to_contain_text(shown)
    second.get_by_role("button", name="Cancel", exact=True).click()
    expect(second.locator("#answers")).not_to_contain_text("queue")
    go.set()
    expect(first.locator("#answers .vc-first")).to_be_visible()
    assert second.locator("#answers .vc-first").count() == 0
    second.get_by_role("button", name="Classify", exact=True).click()
    expect(second.locator("#answers .vc-first")).to_contain_text("bags")
    for page in (first, second):
        page.close()


def test_no_request_of_the_panel_left_this_machine(server: Server) -> None:
    """Runs last in this file: Gradio's fonts, scripts and reports were watched too."""
    assert server.outside == []
