"""Reviewing labels in a real browser: by keyboard alone, by thumb, through a reload and a lost connection."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.answers.database import Database
from core.audit.plan import Wish, draw
from core.audit.store import Store
from core.catalog.cohort import Cohort
from core.catalog.products import Products
from tests.browser.conftest import DESKTOP, PHONE, Server, watch

pytestmark = pytest.mark.browser

WAIT_MS = 30_000
ITEMS = 26


@pytest.fixture(scope="module")
def store(server: Server) -> Store:
    """The server's own database, opened beside it."""
    return Store(Database(f"sqlite:///{server.home / 'answers.sqlite'}"))


def make_plan(server: Server, store: Store, who: str) -> str:
    """A plan of which a fifth is shown with its label, for one annotator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(server.home))
        products = Products.open("glami-mini")
        plan, items = draw(
            products, Cohort("glami-mini"), Wish(name=f"For {who}", size=ITEMS, anchoring=0.2, seed=5)
        )
    store.create_plan(plan, items)
    store.assign(plan.plan, [who])
    return plan.plan


@pytest.fixture
def desktop(chromium: Browser, server: Server) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=DESKTOP, color_scheme="dark")  # type: ignore[arg-type]
    context.set_default_timeout(WAIT_MS)
    watch(context, server)
    yield context
    context.close()


def press(page: Page, key: str) -> None:
    """As a person does: the page takes the same key within 50 ms for one press."""
    page.wait_for_timeout(60)
    page.keyboard.press(key)


def wait_for_another(page: Page, before: str) -> None:
    expect(page.locator("body")).not_to_have_attribute("data-shown", before)


def wait_for_a_product(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-shown", re.compile("[0-9]"))


def shown(page: Page) -> str:
    return str(page.evaluate("document.body.dataset.shown ?? ''"))


def stage(page: Page) -> str:
    return str(page.locator("#ask").get_attribute("data-stage"))


def answer_by_keys(page: Page, verdict: str) -> None:
    """One product: blind, a class is typed and its label then judged; shown, it is judged at once."""
    before = shown(page)
    if stage(page) == "choose":
        page.keyboard.type("dre")
        press(page, "Enter")
        expect(page.locator("#given")).to_be_visible()
        same = page.locator("#given .same").count() > 0
        verdict = "r" if same and verdict == "w" else verdict  # the chosen class itself is not wrong
    press(page, verdict)
    wait_for_another(page, before)


def test_twenty_by_keyboard_three_back_a_reload_and_on(
    desktop: BrowserContext, server: Server, store: Store
) -> None:
    plan = make_plan(server, store, "Ada")
    page = desktop.new_page()
    page.goto(f"{server.url}/review/{plan}?who=Ada")
    wait_for_a_product(page)
    for number in range(20):
        answer_by_keys(page, "rwac"[number % 4])
    expect(page.locator("#progress")).to_contain_text(f"20 of {ITEMS}")
    expect(page.locator("#sent")).to_have_text("All saved")
    assert len(store.current(plan)) == 20

    for left in (19, 18, 17):  # an undo takes the judgement back; one more the class that was chosen blind
        before = shown(page)
        press(page, "ArrowLeft")
        wait_for_another(page, before)
        expect(page.locator("#progress")).to_contain_text(f"{left} of {ITEMS}")
        if stage(page) == "judge":
            press(page, "ArrowLeft")
            expect(page.locator("#ask")).to_have_attribute("data-stage", "choose")
    expect(page.locator("#sent")).to_have_text("All saved")
    page.reload()
    wait_for_a_product(page)
    expect(page.locator("#progress")).to_contain_text(f"17 of {ITEMS}")
    press(page, "ArrowLeft")  # undo goes on behind the reload
    expect(page.locator("#progress")).to_contain_text(f"16 of {ITEMS}")

    desktop.set_offline(True)  # answers wait in the page
    for _ in range(3):
        answer_by_keys(page, "r")
    expect(page.locator("#sent")).to_contain_text("to send")
    desktop.set_offline(False)
    expect(page.locator("#sent")).to_have_text("All saved")
    while page.locator("#item").is_visible():
        before = shown(page)
        if stage(page) == "choose":
            press(page, "0")
        else:
            press(page, "c")
        wait_for_another(page, before)
    expect(page.get_by_role("heading", name="Done. Thank you.")).to_be_visible()
    expect(page.locator("#sent")).to_have_text("All saved")
    found = store.current(plan)
    assert len(found) == ITEMS == len({one.item for one in found})
    log = store.log(plan)
    assert len({entry.key for entry in log}) == len(log)
    assert Counter(entry.kind for entry in log)["undo"] >= 4
    assert all(entry.ms is not None for entry in found)


def test_by_thumb_at_phone_width_and_a_second_browser(
    chromium: Browser, server: Server, store: Store
) -> None:
    plan = make_plan(server, store, "Ben")
    context = chromium.new_context(viewport=PHONE, is_mobile=True, has_touch=True)  # type: ignore[arg-type]
    context.set_default_timeout(WAIT_MS)
    watch(context, server)
    page = context.new_page()
    page.goto(f"{server.url}/review/{plan}")
    page.get_by_role("button", name="Ben").tap()
    wait_for_a_product(page)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    for number in range(20):
        before = shown(page)
        if stage(page) == "choose" and number % 4:
            page.get_by_role("button", name="Cannot tell").tap()
        else:
            if stage(page) == "choose":
                page.locator("#typed").tap()
                page.locator("#typed").fill("bota" if number % 8 else "skirt")
                if page.locator("#matches button").count() == 0:
                    page.locator("#typed").fill("shoes")
                page.locator("#matches button").first.tap()
            page.get_by_role("button", name="Ambiguous").tap()
        wait_for_another(page, before)
    for left in (19, 18, 17):
        before = shown(page)
        page.get_by_role("button", name="Undo").tap()
        wait_for_another(page, before)
        expect(page.locator("#progress")).to_contain_text(f"{left} of {ITEMS}")
        if stage(page) == "judge":
            page.get_by_role("button", name="Undo").tap()
    expect(page.locator("#sent")).to_have_text("All saved")
    page.reload()
    wait_for_a_product(page)
    expect(page.locator("#progress")).to_contain_text(f"17 of {ITEMS}")

    other = (
        context.new_page()
    )  # the same annotator elsewhere: what one answers, the other does not show again
    other.goto(f"{server.url}/review/{plan}?who=Ben")
    wait_for_a_product(other)
    expect(other.locator("#progress")).to_contain_text(f"17 of {ITEMS}")
    before = shown(other)
    other.evaluate("document.activeElement?.blur()")
    other.get_by_role("button", name="Cannot tell").tap()
    wait_for_another(other, before)
    expect(other.locator("#sent")).to_have_text("All saved")
    before = shown(page)
    page.get_by_role("button", name="Cannot tell").tap()
    wait_for_another(page, before)
    expect(page.locator("#sent")).to_have_text("All saved")
    found = store.current(plan)
    assert len({one.item for one in found}) == len(found)
    context.close()
