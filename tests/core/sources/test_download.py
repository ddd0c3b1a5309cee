"""Downloads from a server that cuts, stalls, lies and asks to wait; and kills in the middle."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core import outgoing
from core.errors import SourceError
from core.sources import download as downloads
from core.sources.download import BLOCK, Remote, download

PROJECT = Path(__file__).resolve().parents[3]
DATA = random.Random(1).randbytes(9 * BLOCK + 12_345)
MD5 = hashlib.md5(DATA, usedforsecurity=False).hexdigest()


class Host(ThreadingHTTPServer):
    """A server of DATA: `trouble` says for each GET of a part, in turn, what goes wrong."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.trouble: list[str] = []
        self.always = ""
        self.sent: list[tuple[int, int]] = []  # (start, bytes) of every answer
        self.asked: list[tuple[int, int]] = []  # (start, end) of every request for a part
        self.piece_s = 0.0  # between two pieces of an answer
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Host

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/api/records/"):
            return self.record()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        start, end = (int(wanted[1]), int(wanted[2]) + 1) if wanted else (0, len(DATA))
        probe = end - start == 1
        if not probe:
            self.server.asked.append((start, end))
        with self.server.lock:
            trouble = self.server.always
            if not trouble and not probe and self.server.trouble:
                trouble = self.server.trouble.pop(0)
        if trouble in ("429", "503"):
            self.send_response(int(trouble))
            self.send_header("Retry-After", "7")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        body = DATA[start:end]
        if trouble == "no ranges":
            self.send_response(200)
            start, body = 0, DATA
        else:
            self.send_response(206)
            told = start + (5 if trouble == "another part" and not probe else 0)
            size = len(DATA) + (9 if trouble == "another length" and not probe else 0)
            self.send_header("Content-Range", f"bytes {told}-{told + len(body) - 1}/{size}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if trouble == "cut":
            body = body[: len(body) // 2]
        try:
            for at in range(0, len(body), 2**16):
                self.wfile.write(body[at : at + 2**16])
                if trouble == "stall":
                    time.sleep(3)
                    return
                if self.server.piece_s:
                    time.sleep(self.server.piece_s)
        except OSError:
            pass
        if not probe:
            with self.server.lock:
                self.server.sent.append((start, len(body)))
        self.close_connection = self.close_connection or trouble == "cut"

    def record(self) -> None:
        files = [{"key": "shop.csv", "size": 26, "checksum": "md5:00", "links": {"self": f"{self.server.url}/x"}},
                 {"key": "shop.zip", "size": len(DATA), "checksum": f"md5:{MD5}", "links": {"self": f"{self.server.url}/shop"}}]  # fmt: skip
        body = json.dumps({"files": files}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
    monkeypatch.setattr(downloads, "RANGE", 3 * BLOCK)
    server = Host()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def fetched(
    host: Host, folder: Path, md5: str = MD5, size: int | None = len(DATA)
) -> tuple[bytes, list[float]]:
    waits: list[float] = []
    path = download(Remote(f"{host.url}/shop", "shop.zip", size, md5), folder, sleep=waits.append)
    assert sorted(each.name for each in folder.iterdir()) == ["shop.zip", "shop.zip.lock"]
    return path.read_bytes(), waits


@pytest.mark.parametrize(
    "trouble", [[], ["cut"] * 5, ["503", "cut", "429"], ["stall"], ["cut"] * 3 + ["503"] * 3], ids=str
)
def test_what_arrives_is_whole_in_spite_of(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    monkeypatch.setattr(outgoing, "SILENT_S", 1.0)
    host.trouble = list(trouble)
    data, waits = fetched(host, tmp_path)
    assert data == DATA and waits.count(7.0) == len([each for each in trouble if each.isdigit()])
    if not trouble:
        assert sorted(host.sent)[0] == (0, 3 * BLOCK) and len(host.sent) == 4
        assert fetched(host, tmp_path)[0] == DATA and len(host.sent) == 4  # it is there


def test_a_server_without_ranges_sends_it_whole(host: Host, tmp_path: Path) -> None:
    host.always = "no ranges"
    assert fetched(host, tmp_path)[0] == DATA and host.sent[-1] == (0, len(DATA))


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ("another part", "answers with another part of the file"),
        ("another length", "answers with another part of the file"),
        ("cut", r"It ended before|incomplete|closed"),
    ],
)
def test_lies_are_told(
    host: Host, tmp_path: Path, trouble: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "BLOCK", len(DATA))  # a cut answer brings no block at all
    monkeypatch.setattr(downloads, "RANGE", len(DATA))
    host.trouble = [trouble] * 40
    with pytest.raises(SourceError, match=says):
        fetched(host, tmp_path)
    assert not (tmp_path / "shop.zip").exists()


def test_another_file_than_the_published_one(host: Host, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="its publisher says 5"):
        fetched(host, tmp_path, size=5)
    with pytest.raises(SourceError, match=r"It was deleted; fetch it again"):
        fetched(host, tmp_path, md5="0" * 32)
    assert [each.name for each in tmp_path.iterdir()] == ["shop.zip.lock"]


def test_a_disk_without_room_is_told_before(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "SPARE_BYTES", 10**18)
    with pytest.raises(SourceError, match="are free"):
        fetched(host, tmp_path)
    assert not host.sent


KILLS = int(os.environ.get("VITRINE_KILLS", "4"))
FETCH = "import sys; from core.sources import download as d; d.RANGE = 3 * d.BLOCK; from core.commands.app import main; main()"


def test_kills_cost_no_more_than_what_was_being_written(host: Host, tmp_path: Path) -> None:
    """By the command, through the record: killed at random places, it goes on each time."""
    host.piece_s = 0.03
    environment = os.environ | {"VITRINE_HOME": str(tmp_path), "VITRINE_ZENODO": host.url}
    command = [sys.executable, "-c", FETCH, "fetch", "glami", "--only-download"]
    there: list[tuple[int, bytes]] = []
    part, rng = tmp_path / "downloads" / "glami" / "shop.zip.part", random.Random(3)
    for kill in range(KILLS):
        running = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
        goal = len(DATA) // BLOCK * kill // KILLS
        done = part.with_name("shop.zip.part.done")
        while running.poll() is None and (not done.exists() or done.read_bytes().count(1) <= goal):
            time.sleep(0.01)
        time.sleep(rng.random() * 0.05)
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert not part.with_name("shop.zip").exists()
        there.append((len(host.asked), done.read_bytes()))
    host.piece_s = 0
    finished = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert part.with_name("shop.zip").read_bytes() == DATA
    for before, blocks in there:
        for start, end in host.asked[before:]:
            assert not any(blocks[start // BLOCK : -(-end // BLOCK)]), (
                "a block that was there is asked for again"
            )
    assert any(blocks.count(1) for _, blocks in there)
