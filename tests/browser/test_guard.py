"""What a stranger's website can do to a running server: nothing, at any door; and what its own visitor still can."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

DOORS = [
    "/", "/browse", "/healthz", "/images/glami-mini/200000", "/download/glami-mini.csv", "/fonts/Inter-Regular.woff2",
    "/lit/glami-mini", "/product/glami-mini/0", "/map-data/glami-mini/x/points", "/map-view/map_view.js",
    "/_stcore/health", "/_stcore/host-config", "/media/x", "/component/x", "/static/x",
    *(f"/panels/{name}/{door}" for name in ("classification", "retrieval") for door in (
        "", "config", "gradio_api/info", "gradio_api/upload", "gradio_api/queue/join", "gradio_api/call/classify",
        "gradio_api/mcp/http", "gradio_api/mcp/sse", "gradio_api/file=/etc/hostname",
    )),
]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "attacker.example"}, 421),
        ({"origin": "http://attacker.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "attacker.example", "origin": "http://attacker.example"}, 421),
    ],
)
def test_another_website_gets_nothing_from_any_door(
    server: Server, headers: dict[str, str], status: int
) -> None:
    with httpx.Client(base_url=server.url, timeout=20, headers=headers) as client:
        for door in DOORS:
            for method in ("GET", "POST", "OPTIONS"):
                answer = client.request(method, door)
                assert answer.status_code == status, (method, door)
                assert not [name for name in answer.headers if name.startswith("access-control")], door


@pytest.mark.parametrize("foreign", [{"Host": "attacker.example"}, {"Origin": "http://attacker.example"}])
def test_another_website_gets_no_socket(server: Server, foreign: dict[str, str]) -> None:
    own = urlsplit(server.url).netloc

    async def status(headers: dict[str, str]) -> str:
        """The first line that answers a handshake."""
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(server.url).port)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        handshake = ["GET /_stcore/stream HTTP/1.1", *lines, "Upgrade: websocket", "Connection: Upgrade",
                     "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""]  # fmt: skip
        writer.write("\r\n".join(handshake).encode())
        line = await asyncio.wait_for(reader.readline(), 20)
        writer.close()
        return line.decode()

    assert " 101 " in asyncio.run(status({"Host": own, "Origin": server.url}))
    assert " 403 " in asyncio.run(status({"Host": own, "Origin": server.url, **foreign}))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_visitor_at_the_serving_machine_may_add_datasets(
    chromium: Browser, server: Server, name: str
) -> None:
    page = chromium.new_page()
    page.goto(f"http://{name}:{urlsplit(server.url).port}/")
    expect(page.get_by_role("button", name="Remove").first).to_be_visible(timeout=20_000)
    page.close()


def test_a_visitor_who_comes_through_a_proxy_may_not(chromium: Browser, server: Server) -> None:
    context = chromium.new_context(extra_http_headers={"X-Forwarded-For": "127.0.0.1"})
    page = context.new_page()
    page.goto(server.url)
    expect(page.get_by_text("Datasets are added and removed from the machine")).to_be_visible(timeout=20_000)
    assert page.get_by_role("button", name="Remove").count() == 0
    context.close()
