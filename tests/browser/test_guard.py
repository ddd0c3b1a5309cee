"""What a stranger's website can do to a running server: nothing, at any door; and what its own visitor still can."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import websockets
from playwright.sync_api import Browser, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.conftest import Server
from tests.shapes import serve

pytestmark = pytest.mark.browser

DOORS = [
    "/", "/browse", "/healthz", "/images/glami-mini/200000", "/download/glami-mini.csv", "/fonts/Inter-Regular.woff2",
    "/lit/glami-mini", "/product/glami-mini/0", "/map-data/glami-mini/x/points", "/map-view/map_view.js",
    "/_stcore/health", "/_stcore/host-config", "/media/x", "/component/x", "/static/x",
    *(f"/panels/{name}/{door}" for name in ("classification", "retrieval", "generation") for door in (
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
    expect(page.get_by_text("the machine that serves Vitrine")).to_be_visible(timeout=20_000)
    assert page.get_by_role("button", name="Remove").count() == 0
    context.close()


@pytest.mark.parametrize("page_of", ["/", "/panels/retrieval/"])
def test_markup_that_gets_into_a_page_runs_and_sends_nothing(
    chromium: Browser, server: Server, tmp_path: Path, page_of: str
) -> None:
    page = chromium.new_page()
    page.goto(server.url + page_of)
    with serve(tmp_path) as (stranger, asked):
        page.evaluate(
            """async (stranger) => {
                const markup = (html) => document.body.insertAdjacentHTML("beforeend", html)
                markup(`<img src="/fonts/none" onerror="window.ran = 1"><img src="${stranger}/a.png">`)
                markup(`<iframe srcdoc="<script>parent.ran = 1</script>"></iframe>`)
                markup(`<a href="javascript:window.ran = 1" id="go">x</a>`)
                const script = document.body.appendChild(document.createElement("script"))
                script.textContent = "window.ran = 1"
                document.getElementById("go").click()
                await fetch(stranger).catch(() => 0)
            }""",
            stranger,
        )
        page.wait_for_timeout(500)
        assert page.evaluate("window.ran") is None and not asked
    page.close()


def test_a_file_that_was_uploaded_runs_nothing_when_it_is_opened(chromium: Browser, server: Server) -> None:
    drawing = (
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>document.documentElement.id = 'ran'</script></svg>"
    )
    panel = f"{server.url}/panels/retrieval/gradio_api"
    path = httpx.post(f"{panel}/upload", files={"files": ("a.svg", drawing)}, timeout=20).json()[0]
    answer = httpx.get(f"{panel}/file={path}", timeout=20)
    assert answer.status_code == 200 and "sandbox" in answer.headers["content-security-policy"]


def test_sixty_sessions_at_once_each_see_their_own(server: Server) -> None:
    """All are open until the last is done; each asks for a word of its own and is sent no other's."""
    words = [f"word{number:02d}x" for number in range(60)]
    address = server.url.replace("http", "ws", 1) + "/_stcore/stream"
    all_done = asyncio.Barrier(len(words))

    async def session(word: str) -> tuple[list[str], bool]:
        async with websockets.connect(address, max_size=None, open_timeout=120, ping_timeout=None) as socket:
            message = BackMsg()
            message.rerun_script.query_string = f"dataset=glami-mini&text={word}"
            message.rerun_script.page_name = "browse"
            await socket.send(message.SerializeToString())
            sent, failed = b"", False
            async for data in socket:
                answer = ForwardMsg.FromString(data)
                sent += data
                failed |= answer.delta.new_element.WhichOneof("type") == "exception"
                if answer.WhichOneof("type") == "script_finished":
                    break
            await all_done.wait()
            return [each for each in words if each.encode() in sent], failed

    async def run() -> list[tuple[list[str], bool]]:
        return await asyncio.gather(*map(session, words))

    with ThreadPoolExecutor(1) as beside:  # playwright's event loop runs in this thread
        found = beside.submit(lambda: asyncio.run(run())).result()
    for word, (seen, failed) in zip(words, found, strict=True):
        assert seen == [word] and not failed
