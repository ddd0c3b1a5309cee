"""What leaves this machine goes to public addresses only, and never waits without an end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from core import outgoing
from core.errors import SourceError
from core.outgoing import LateError, OutgoingError, RefusedError, get, is_public
from core.sources.archive import open_zip

NOT_PUBLIC = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "192.0.0.192", "192.0.0.9", "192.0.2.1", "192.88.99.1", "198.18.0.1", "240.0.0.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1", "3fff::1", "4000::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1", "64:ff9b:1::7f00:1", "64:ff9b:1::808:808", "2002:7f00:1::", "2002:808:808::",
    "2001:0:7f00:1::", "2a00::5efe:127.0.0.1", "2a00::200:5efe:10.0.0.1", "100::1", "5f00::1",
]  # fmt: skip


def resolves_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Every name resolves to these addresses in turn; what was asked is kept."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: Any, port: Any, *more: Any, **options: Any) -> list[Any]:
        if host not in ("pictures.example", "inner.example"):
            return real(host, port, *more, **options)
        asked.append(host)
        address = answers[min(len(asked), len(answers)) - 1]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@contextmanager
def server(speak: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[bytes]]]:
    """A server of raw bytes: its port, and the requests that it was sent."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(one: socket.socket) -> None:
            with one:
                try:
                    heard.append(one.recv(65_536))
                    speak(one)
                except OSError:
                    return

        def accept() -> None:
            while True:
                try:
                    one, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(one,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listening.getsockname()[1], heard
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def says(text: str) -> Callable[[socket.socket], None]:
    return lambda one: one.sendall(text.encode())


def drips(one: socket.socket) -> None:
    """Headers, a byte at a time, and never the last."""
    one.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
    while True:
        one.sendall(b"a")
        time.sleep(0.05)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_or_hides_a_private_one_is_not_asked(monkeypatch, address):
    assert not is_public(address)
    resolves_to(monkeypatch, address)
    with pytest.raises(RefusedError, match="private address"):
        get("http://pictures.example/1.jpg", 5, 10)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_is_asked(address):
    assert is_public(address)


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(monkeypatch):
    """A name server that says something public first and something private later gains nothing."""
    asked = resolves_to(monkeypatch, "93.184.216.34", "127.0.0.1")
    connected: list[str] = []

    async def connect(self: Any, host: str, *_: Any, **__: Any) -> Any:
        connected.append(host)
        raise OSError("stop here")

    monkeypatch.setattr("httpcore.AnyIOBackend.connect_tcp", connect)
    with pytest.raises(OutgoingError, match="stop here"):
        get("https://pictures.example:8443/1.jpg", 5, 10)
    assert asked == ["pictures.example"] and connected == ["93.184.216.34"]


def test_where_a_redirect_leads_is_checked_as_well(monkeypatch):
    """The first address counts as public here; what it redirects to does not."""
    asked = resolves_to(monkeypatch, "127.0.0.1")
    monkeypatch.setattr(outgoing, "is_public", lambda _: len(asked) == 1)
    with server(
        says("HTTP/1.1 302 Found\r\nLocation: http://inner.example/\r\nContent-Length: 0\r\n\r\n")
    ) as (
        port,
        heard,
    ):
        with pytest.raises(RefusedError, match=r"inner.example is a private address"):
            get(f"http://pictures.example:{port}/", 5, 10)
        assert len(heard) == 1 and f"Host: pictures.example:{port}".encode() in heard[0]
        with (
            pytest.raises(SourceError, match="private address"),
            open_zip(f"http://pictures.example:{port}/g.zip"),
        ):
            pass


def test_what_drips_has_an_end(monkeypatch):
    monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
    with server(drips) as (port, _), pytest.raises(LateError, match="takes longer"):
        get(f"http://127.0.0.1:{port}/", 0.3, 10)


def test_a_name_that_is_resolved_for_ever_has_an_end(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(20) or [])
    with pytest.raises(LateError):
        get("http://pictures.example/", 0.2, 10)
    released.set()


def test_a_body_is_read_as_far_as_it_is_wanted(monkeypatch):
    monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
    with server(says("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef")) as (port, heard):
        answer = get(f"http://name:w%40rd@127.0.0.1:{port}/a?b", 5, 4)
        assert (answer.status, answer.body, answer.more) == (200, b"abcd", True)
        assert heard[0].startswith(b"GET /a?b ") and b"Basic bmFtZTp3QHJk" in heard[0]
        assert get(f"http://127.0.0.1:{port}/", 5, 4, statuses=(206,)).body == b""


def test_a_forked_process_can_ask(monkeypatch):
    monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
    with server(says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as (port, _):
        get(f"http://127.0.0.1:{port}/", 5, 4)
        child = os.fork()
        if child == 0:
            os._exit(0 if get(f"http://127.0.0.1:{port}/", 5, 4).body == b"ok" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_weights_come_from_public_addresses_only(tmp_path):
    """The hub's own library asks; where it leads, here to this machine, is checked before it connects."""
    with server(says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")) as (port, heard):
        done = subprocess.run(
            [sys.executable, "-m", "core", "weights", "fetch", "xlm-roberta-base-ViT-B-32"],
            env={
                **os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(tmp_path / "hub"),
                "VITRINE_HOME": str(tmp_path / "home"),
            },
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 1 and "could not be downloaded" in done.stderr
    assert "127.0.0.1 is a private address" in done.stderr and not heard
