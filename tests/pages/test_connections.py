"""A connection that does not finish asking is closed; one that asks slowly, or talks for long, is not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from pages import connections


async def echo(talk: WebSocket) -> None:
    await talk.accept()
    await talk.send_text(await talk.receive_text())
    await talk.close()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server of uvicorn's that closes unfinished heads after half a second."""
    connections.bound_heads()
    connections.bound_heads()  # once is enough
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here")), WebSocketRoute("/talk", echo)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_keep_alive=60))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    thread.join(10)


def opened(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def answer(one: socket.socket) -> bytes:
    """A whole answer: its head and its body may come apart."""
    data = b""
    while not data.endswith(b"here"):
        data += one.recv(1_000) or b" (closed) here"
    return data


@pytest.mark.parametrize("half", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: "])
def test_half_a_request_is_not_waited_for(port: int, half: bytes) -> None:
    with opened(port) as one:
        one.sendall(half)
        assert one.recv(100) == b""  # closed


def test_neither_is_half_of_a_second_one_nor_one_that_drips(port: int) -> None:
    with opened(port) as one:
        one.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer(one).startswith(b"HTTP/1.1 200")
        with pytest.raises(OSError):
            for _ in range(3_000):
                one.sendall(b"G")
                time.sleep(0.01)


def test_a_whole_request_is_answered_and_a_talk_goes_on(port: int) -> None:
    with opened(port) as one:
        for piece in (b"GET / HT", b"TP/1.1\r\nHost: a\r\n", b"\r\n"):
            one.sendall(piece)
        assert answer(one).startswith(b"HTTP/1.1 200")
        with connect(f"ws://127.0.0.1:{port}/talk") as talk:
            time.sleep(3 * connections.HEAD_S)
            talk.send("still here")
            assert talk.recv() == "still here"
        one.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        )  # what rests between two requests is left to uvicorn
        assert answer(one).startswith(b"HTTP/1.1 200")
    until = time.monotonic() + 20
    while connections._timers and time.monotonic() < until:
        time.sleep(0.02)
    assert not connections._timers
