"""The map in a real browser: a lasso opens in Browse, a point shows its picture, by mouse, touch and without WebGL."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise, permutations
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ARGUMENTS, DESKTOP, PHONE, Server, watch
from tests.drawn_map import by_category

pytestmark = pytest.mark.browser

WAIT_MS = 300_000  # for the map to be painted on a busy machine; reached only by a failure
Places = dict[str, tuple[float, float, int]]


@pytest.fixture(scope="module")
def places(server: Server) -> Places:
    """glami-mini with a map on which each category is a crowd of its own: label -> (x, y, products)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(server.home))
        return by_category("glami-mini")


@pytest.fixture
def desktop(chromium: Browser, server: Server) -> Iterator[Page]:
    # Without animations a busy machine has no frames to paint between two states.
    context = chromium.new_context(viewport=DESKTOP, color_scheme="light", reduced_motion="reduce")  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    watch(context, server)
    yield context.new_page()
    context.close()


def open_map(page: Page, server: Server, more: str = "") -> None:
    page.goto(f"{server.url}/map?dataset=glami-mini&map=drawn{more}")
    page.locator(".map[data-painted]").wait_for(timeout=WAIT_MS)


def where(page: Page, places: Places) -> dict[str, tuple[float, float, float]]:
    """label -> (left, top, half the side of a square in pixels that holds its crowd alone), read off two labels."""
    page.wait_for_timeout(400)  # labels fade in
    seen: dict[str, Any] = {}
    for label in page.locator(".label.seen").all():
        if box := label.bounding_box():
            seen[label.inner_text()] = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    known = [label for label in seen if label in places]
    one, other = max(permutations(known, 2), key=lambda pair: math.dist(seen[pair[0]], seen[pair[1]]))
    scale = math.dist(seen[one], seen[other]) / math.dist(places[one][:2], places[other][:2])
    return {label: (*seen[label], 0.15 * scale) for label in known}


def square(left: float, top: float, half: float) -> list[tuple[float, float]]:
    return [
        (left + dx * half, top + dy * half) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -0.9))
    ]


def test_a_lasso_opens_in_browse_with_the_same_count(desktop: Page, server: Server, places: Places) -> None:
    page = desktop
    open_map(page, server)
    corners = square(*where(page, places)["shoes"])
    count = places["shoes"][2]
    page.get_by_label("Draw a lasso (L)").click()
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=6)
    page.mouse.up()
    expect(page.locator(".chosen .say")).to_contain_text(f"{count} of 5,096", timeout=WAIT_MS)
    page.get_by_text(f"Open {count} in Browse").click()
    expect(page.locator(".vitrine-count")).to_have_text(f"{count:,}", timeout=WAIT_MS)
    expect(page.locator(".grid [role=listitem]").first).to_contain_text("shoes")


def test_a_point_shows_its_picture_and_opens(desktop: Page, server: Server, places: Places) -> None:
    page = desktop
    open_map(page, server, "&category=hat")
    expect(page.locator(".entry[aria-pressed=true]")).to_contain_text("hat")
    left, top, half = where(page, places)["hat"]
    card = page.locator(".card.seen")
    for step in range(12):  # somewhere near the middle of the crowd lies a point
        page.mouse.move(left - half / 3 + step * 4, top + step)
        page.wait_for_timeout(150)
        if card.count():
            break
    expect(card).to_contain_text("hat")
    expect(card.locator("img")).to_be_visible()
    assert card.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 50
    name = card.locator(".name").inner_text()
    page.mouse.down()
    page.mouse.up()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(name, timeout=WAIT_MS)


def test_the_legend_filters_and_keys_choose_what_is_in_view(
    desktop: Page, server: Server, places: Places
) -> None:
    page = desktop
    open_map(page, server)
    # The mask is fetched once the server has answered the click: a key before that could get the older answer.
    with page.expect_response(re.compile(r"/lit/glami-mini\?.*category=dress"), timeout=WAIT_MS) as filtered:
        page.locator("button.entry", has_text="dress").click()
    assert filtered.value.ok
    page.wait_for_url(re.compile("category=dress"), timeout=WAIT_MS)
    page.locator(".surface").focus()
    page.keyboard.press("-")
    page.keyboard.press(" ")
    everything = f"{places['dress'][2]} of {places['dress'][2]} products"
    expect(page.locator(".chosen .say")).to_have_text(everything, timeout=WAIT_MS)
    page.keyboard.press("Escape")
    expect(page.locator(".chosen")).to_be_hidden()
    page.wait_for_url(lambda url: "area=" not in url, timeout=WAIT_MS)


def test_without_webgl_a_chart_takes_its_place(chromium: Browser, server: Server, places: Places) -> None:
    path = next(
        found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))
    )
    browser = chromium.browser_type.launch(executable_path=path, args=[*ARGUMENTS, "--disable-3d-apis"])
    page = browser.new_page(viewport=DESKTOP)  # type: ignore[arg-type]
    page.goto(f"{server.url}/map?dataset=glami-mini&map=drawn")
    expect(page.get_by_text("This browser has no WebGL, so")).to_be_visible(timeout=WAIT_MS)
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    plot.wait_for(timeout=WAIT_MS)
    page.wait_for_timeout(500)
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)  # a lasso around nearly all
    page.mouse.down()
    for x, y in ((1, 0), (1, 1), (0, 1), (0, 0.05)):
        page.mouse.move(
            box["x"] + 5 + x * (box["width"] - 10), box["y"] + 5 + y * (box["height"] - 10), steps=5
        )
    page.mouse.up()
    expect(page.get_by_text(re.compile("Open [0-9,]+ in Browse"))).to_be_visible(timeout=WAIT_MS)
    browser.close()


def test_touch_at_phone_width(chromium: Browser, server: Server, places: Places) -> None:
    context = chromium.new_context(viewport=PHONE, is_mobile=True, has_touch=True)  # type: ignore[arg-type]
    watch(context, server)
    page = context.new_page()
    open_map(page, server)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator(".surface").evaluate("surface => surface.scrollIntoView({ block: 'center' })")
    fingers = context.new_cdp_session(page)

    def touch(kind: str, *at: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(at)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    found = where(page, places)
    box = page.locator(".surface").bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    label = min(found, key=lambda one: abs(found[one][0] - middle[0]) + abs(found[one][1] - middle[1]))
    left, top, half = found[label]
    touch("touchStart", (left - 12, top), (left + 12, top))  # two fingers apart: closer
    for step in range(1, 9):
        touch("touchMove", (left - 12 - 1.5 * step, top), (left + 12 + 1.5 * step, top))
    touch("touchEnd")
    closer = where(page, places)
    for _ in range(20):  # until a busy machine has painted it
        if closer[label][2] > 1.5 * half:
            break
        closer = where(page, places)
    assert closer[label][2] > 1.5 * half
    page.touchscreen.tap(*closer[label][:2])
    expect(page.locator(".card.seen .open")).to_be_visible()
    page.locator(".card .close").click()

    corners = square(*closer[label][:2], closer[label][2])
    touch("touchStart", corners[0])
    page.wait_for_timeout(700)  # a long press draws
    for before, after in pairwise(corners):
        for part in range(1, 6):
            touch("touchMove", tuple(a + (b - a) * part / 5 for a, b in zip(before, after, strict=True)))  # type: ignore[arg-type]
    touch("touchEnd")
    expect(page.locator(".chosen .say")).to_have_text(
        f"{places[label][2]} of 5,096 products", timeout=WAIT_MS
    )
    context.close()
