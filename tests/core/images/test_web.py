"""Pictures from the web never come from this machine or its network, and are bounded."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from core.errors import ImageError
from core.images import web
from core.images.web import fetch
from core.settings import Settings, settings
from tests.shapes import _Ranges, picture, serve


def resolves_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Every name resolves to these addresses in turn; what was asked is kept."""
    asked: list[str] = []

    def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        address = answers[min(len(asked), len(answers)) - 1]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.fixture(autouse=True)
def nothing_failed_before():
    web._failed.clear()


def test_private_addresses_are_refused(monkeypatch):
    resolves_to(monkeypatch, "10.1.2.3")
    with pytest.raises(ImageError, match="is a private address"):
        fetch("http://pictures.example/1.jpg")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/", "http://localhost:1/"],
)
def test_private_addresses_in_disguise(url):
    with pytest.raises(ImageError, match=r"private address|does not answer"):
        fetch(url)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://x/y",
        "http:///x",
        "javascript:alert(1)",
        "http://[",
        "http://" + "a" * 300,
        "http://x:99999/",
    ],
)
def test_what_is_no_web_address(url):
    with pytest.raises(ImageError):
        fetch(url)


class _Tricks(_Ranges):
    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        elif self.path == "/nowhere":
            self.send_response(302)
            self.end_headers()
        elif self.path == "/large":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(bytes(100_000))
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(30):
                self.wfile.write(b"x")
                time.sleep(0.05)
        else:
            super().do_GET()


def test_redirects_size_and_time_are_bounded(tmp_path, monkeypatch):
    (tmp_path / "1.jpg").write_bytes(picture())
    monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
    monkeypatch.setattr(
        web, "settings", lambda: Settings(home=settings().home, image_bytes=200_000, private_urls=True)
    )
    monkeypatch.setattr(web, "TIMEOUT_S", 0.6)
    with serve(tmp_path, handler=_Tricks) as (address, _):
        assert fetch(f"{address}/to//1.jpg") == picture()
        for path, says in (
            ("to//to//to//to//1.jpg", "redirects too often"),
            ("to/file:///etc/passwd", "is not an http"),
            ("nowhere", "answers 302"),
            ("none.jpg", "404"),
            ("large", "is larger than Vitrine opens"),
            ("slow", "takes longer than"),
        ):
            with pytest.raises(ImageError, match=says):
                fetch(f"{address}/{path}")


def test_an_address_that_failed_is_not_asked_again_at_once(monkeypatch):
    asked = []

    def refuse(*_: Any, **__: Any) -> list[Any]:
        asked.append(1)
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for _ in range(3):
        with pytest.raises(ImageError, match="does not answer"):
            fetch("http://pictures.example/1.jpg")
    assert len(asked) == 1
