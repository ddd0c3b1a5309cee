"""How many pages may be open at once."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pages.sockets import BoundedSockets
from tests.pages.test_guard import talk
from tests.pages.test_signin import _echo as echo


def test_one_address_takes_half_of_the_sockets_and_gives_them_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_SOCKETS", "6")
    app = Starlette(
        routes=[WebSocketRoute("/socket", echo), WebSocketRoute("/short", talk)],
        middleware=[Middleware(BoundedSockets)],
    )

    def client(address: str) -> TestClient:
        return TestClient(app, client=(address, 50_000))

    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(client("192.0.2.1").websocket_connect("/socket"))
        with pytest.raises(WebSocketDisconnect), client("192.0.2.1").websocket_connect("/socket"):
            pass
        for _ in range(2):
            held.enter_context(client("192.0.2.2").websocket_connect("/socket"))
        held.enter_context(client("192.0.2.3").websocket_connect("/socket"))
        with pytest.raises(WebSocketDisconnect), client("192.0.2.4").websocket_connect("/socket"):
            pass
    for _ in range(8):
        with client("192.0.2.1").websocket_connect("/short") as socket:
            assert socket.receive_text()
