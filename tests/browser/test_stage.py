"""The stage in a browser that reaches nothing but this machine, over a connection that can be cut."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from core.stage import tours
from tests.browser.conftest import DESKTOP, PHONE, Server, watch

pytestmark = pytest.mark.browser
PLACE = "/stage/glami-mini/story"


class Cable:
    """What is between the browsers and the server: bytes go through it until it is cut."""

    def __init__(self, port: int) -> None:
        self._to, self._ends = port, list[socket.socket]()
        self._in = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._in.getsockname()[1]}"
        self.cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._in.accept()[0]
                if self.cut:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def tear(self) -> None:
        self.cut = True
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def close(self) -> None:
        self.tear()
        self._in.close()


@pytest.fixture
def cable(server: Server) -> Iterator[Cable]:
    made = Cable(urlsplit(server.url).port or 0)
    yield made
    made.close()


def fresh(chromium: Browser, server: Server, cable: Cable, phone: bool, locale: str = "en-GB") -> Page:
    """A page of a browser with an empty cache, which asks nobody but the cable."""
    context = chromium.new_context(
        viewport=PHONE if phone else DESKTOP, is_mobile=phone, has_touch=phone, locale=locale
    )  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    watch(context, Server(cable.url, server.home, server.log, server.outside, server.violations))
    context.route(lambda url: not url.startswith((cable.url, "data:", "blob:")), lambda route: route.abort())
    return context.new_page()


def test_the_tour_the_phones_page_and_the_wall_need_nothing_from_outside(
    chromium: Browser, server: Server, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_HOME", str(server.home))
    folder = server.home / "glami-mini" / tours.FOLDER
    folder.mkdir(exist_ok=True)
    (folder / "story.json").write_bytes(tours.SHIPPED.read_bytes())
    before = len(server.outside)
    stops = tours.read(tours.SHIPPED.read_bytes()).stops

    stage = fresh(chromium, server, cable, phone=False)
    stage.goto(cable.url + PLACE)
    notes = stage.context.new_page()
    notes.goto(f"{cable.url}{PLACE}/notes")
    for number, stop in enumerate(stops, 1):
        expect(stage.locator("#line")).to_have_text(stop.line)
        expect(stage).to_have_url(f"{cable.url}{PLACE}#{number}")
        shown = stage.frame_locator("iframe.front")
        expect(
            shown.locator("[data-testid=stApp][data-test-script-state=notRunning] h1").first
        ).to_be_visible()
        expect(shown.locator("[data-testid=stException]")).to_have_count(0)
        expect(notes.locator("#notes")).to_contain_text(stop.notes.split("\n")[0])
        if number < len(stops):
            stage.keyboard.press("PageDown")
    for _ in range(5):
        notes.keyboard.down("PageUp")  # both lead, and a key that is held counts once
    expect(stage.locator("#line")).to_have_text(stops[-2].line)

    cable.tear()
    expect(stage.locator("#state")).to_contain_text("The connection is lost")
    cable.cut = False
    expect(stage.locator("#state")).to_have_text("")
    expect(stage).to_have_url(f"{cable.url}{PLACE}#{len(stops) - 1}")
    stage.keyboard.press("Home")
    expect(stage.frame_locator("iframe.front").locator("h1").first).to_have_text("Browse")

    phone = fresh(chromium, server, cable, phone=True, locale="cs-CZ")
    phone.goto(f"{cable.url}/phone")
    expect(phone.get_by_role("heading", name="Co je to?")).to_be_visible()
    cable.tear()
    out = io.BytesIO()
    Image.new("RGB", (900, 1200), "navy").save(out, "JPEG")
    phone.set_input_files("#photo", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()})
    expect(phone.locator("#status")).to_contain_text("Bez připojení")
    cable.cut = False
    expect(phone.get_by_role("heading", name="Co je podobné")).to_be_visible(timeout=60_000)

    wall = stage.context.new_page()
    wall.goto(f"{cable.url}/wall")
    expect(wall.locator("#wall article")).to_have_count(1)
    phone.locator("#agree").click()
    notes.get_by_role("button", name="Show", exact=True).click()
    expect(wall.locator("#wall .photo")).to_be_visible()
    wall.keyboard.press("c")
    expect(wall.locator("#wall article")).to_have_count(0)
    for page in (stage, phone):
        page.context.close()
    assert server.outside[before:] == []
