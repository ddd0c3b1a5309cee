"""Which requests are answered, and whose visitor counts as the serving machine's own."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.guard import LOCAL, Guard

HERE = "127.0.0.1:8501"


def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.headers.get(LOCAL, "not local"))


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(socket.headers.get(LOCAL, "not local"))
    await socket.close()


def asks(peer: str | None = "127.0.0.1") -> TestClient:
    app = Starlette(
        routes=[
            Route("/", answer, methods=["GET", "POST", "PUT", "OPTIONS"]),
            WebSocketRoute("/socket", talk),
        ],
        middleware=[Middleware(Guard)],
    )

    async def from_peer(scope, receive, send):
        await app({**scope, "client": (peer, 50_000) if peer else None}, receive, send)

    return TestClient(from_peer, base_url=f"http://{HERE}")


@pytest.mark.parametrize(
    "host", ["localhost:8501", "127.0.0.1", "192.168.1.5:8501", "[::1]:8501", "LOCALHOST", "vitrine.example.org"]
)  # fmt: skip
def test_the_servers_own_names_are_answered(host, monkeypatch):
    monkeypatch.setenv("VITRINE_HOSTS", "Vitrine.example.org, other.example.org")
    assert asks().get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:8501",
        "localhost.attacker.example",
        "127.0.0.1.attacker.example",
        "127.0.0.1@attacker.example",
        "attacker.example/127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::1",
        "127.0.0.1:99999",
        "",
    ],
)
def test_a_foreign_name_gets_nothing_and_no_socket(host):
    assert asks().get("/", headers={"host": host}).status_code in (400, 421)
    with pytest.raises(WebSocketDisconnect), asks().websocket_connect("/socket", headers={"host": host}):
        pass


ALLOWED = [
    ({}, 200),  # a program
    ({"origin": f"http://{HERE}"}, 200),
    ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, 200),
    ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
]
REFUSED = [
    ({"origin": "http://attacker.example"}, 403),
    ({"origin": "http://127.0.0.1:3000"}, 403),  # another server of this machine
    ({"origin": "http://127.0.0.1"}, 403),
    ({"origin": "http://localhost:8501"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "file://"}, 403),
    ({"origin": "http://127.0.0.1:8501@attacker.example"}, 403),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
    ({"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, 403),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 403),
]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize(("headers", "status"), ALLOWED + REFUSED)
def test_another_website_may_not_ask(method, headers, status):
    found = asks().request(method, "/", headers=headers)
    assert found.status_code == status
    assert not [name for name in found.headers if name.startswith("access-control")]


@pytest.mark.parametrize("headers", [headers for headers, _ in REFUSED])
def test_another_website_gets_no_socket(headers):
    with pytest.raises(WebSocketDisconnect), asks().websocket_connect("/socket", headers=headers):
        pass


def test_a_link_from_another_website_opens_but_a_form_does_not():
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert asks().get("/", headers=followed).status_code == 200
    assert asks().post("/", headers=followed).status_code == 403


def test_behind_tls_the_default_port_is_no_difference(monkeypatch):
    monkeypatch.setenv("VITRINE_HOSTS", "vitrine.example.org")
    for host in ("vitrine.example.org", "vitrine.example.org:443"):
        headers = {"host": host, "origin": "https://vitrine.example.org"}
        assert asks().post("/", headers=headers).text == "not local"


@pytest.mark.parametrize(
    ("peer", "host", "headers", "local"),
    [
        ("127.0.0.1", "127.0.0.1:8501", {}, True),
        ("::1", "[::1]:8501", {}, True),
        ("::ffff:127.0.0.1", "localhost:8501", {}, True),
        (None, "localhost:8501", {}, False),
        ("192.168.1.7", "localhost:8501", {}, False),
        ("127.0.0.1", "192.168.1.5:8501", {}, False),
        ("127.0.0.1", "vitrine.example.org", {}, False),
        ("127.0.0.1", "localhost", {"x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", "localhost", {"forwarded": "for=127.0.0.1"}, False),
        ("127.0.0.1", "localhost", {"x-real-ip": "127.0.0.1"}, False),
        ("192.168.1.7", "localhost", {LOCAL: "1"}, False),
        ("192.168.1.7", "localhost", {LOCAL.replace("-", "_"): "1"}, False),
        ("not an address", "localhost", {}, False),
    ],
)
def test_who_is_local(peer, host, headers, local, monkeypatch):
    monkeypatch.setenv("VITRINE_HOSTS", "vitrine.example.org")
    client = asks(peer)
    said = "1" if local else "not local"
    assert client.get("/", headers={"host": host, **headers}).text == said
    with client.websocket_connect("/socket", headers={"host": host, **headers}) as socket:
        assert socket.receive_text() == said
    monkeypatch.setenv("VITRINE_BEHIND_PROXY", "1")
    assert client.get("/", headers={"host": host, **headers}).text == "not local"
