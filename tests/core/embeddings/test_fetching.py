"""What is asked of a hub for a model, of a server here that answers as one does: whole, cut, resumed, and forged."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.embeddings.clip import CONFIG, WEIGHTS, EncoderSpec, _check_cached
from core.embeddings.fetching import fetch
from core.embeddings.loading import load_encoder
from core.errors import ModelError

REVISION = "0123456789abcdef0123456789abcdef01234567"
SPEC = EncoderSpec("toy-hub", "Toy", "hub", "toy-hub", "made", 16, "MIT", 1, "a few", "nothing")
FILES = ("open_clip_model.safetensors", "tokenizer.json", "tokenizer_config.json")


@dataclass
class Hub:
    """A repository, how it misbehaves, and what it was asked for."""

    files: dict[str, bytes]
    port: int = 0
    cut: list[int] = field(
        default_factory=list
    )  # bytes after which answers with weights break off, one a request
    forged: bool = False  # other bytes than the digest says
    asked: list[tuple[str, ...]] = field(default_factory=list)


def digest_of(content: bytes, name: str) -> str:
    """As a hub names a file: large ones by SHA-256, others as git does."""
    if name.endswith(".safetensors"):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@pytest.fixture
def hub(clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    import open_clip.factory
    import open_clip.pretrained
    from huggingface_hub import constants

    files = {name: (clip_folder / name).read_bytes() for name in (WEIGHTS, *FILES[1:])}
    held = Hub(files)

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(False)

        def do_GET(self) -> None:
            self.answer(True)

        def answer(self, whole: bool) -> None:
            name = self.path.rsplit("/", 1)[-1].partition("?")[0]
            within = self.headers.get("Range", "")
            held.asked.append((self.command, self.path, *([within] if within else [])))
            content = held.files.get(name)
            if content is None or not self.path.startswith("/org/toy/resolve/"):
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(within.removeprefix("bytes=").partition("-")[0]) if within else 0
            sent = content[start:]
            self.send_response(206 if within else 200)
            self.send_header("X-Repo-Commit", REVISION)
            self.send_header("ETag", f'"{digest_of(content, name)}"')
            self.send_header("Content-Length", str(len(sent)))
            if within:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            if whole:
                if held.forged and name == WEIGHTS:
                    sent = bytes(len(sent))
                if name == WEIGHTS and held.cut:
                    self.wfile.write(sent[: held.cut.pop(0)])
                    self.close_connection = True
                    return
                self.wfile.write(sent)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    held.port = server.server_port
    described = json.loads((clip_folder / CONFIG).read_text())["model_cfg"]
    described["text_cfg"]["hf_tokenizer_name"] = "org/toy"
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "toy-hub", described)
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "toy-hub", {"made": {"hf_hub": "org/toy/"}})
    base = f"http://127.0.0.1:{held.port}"
    monkeypatch.setattr(constants, "ENDPOINT", base)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", base + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)  # as the app starts
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 500)  # a cut costs what is not a whole one: 10 MB
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
    yield held
    server.shutdown()
    server.server_close()


def weights_asked(hub: Hub) -> list[tuple[str, ...]]:
    return [each for each in hub.asked if each[1].endswith(WEIGHTS)]


def path_of(name: str, revision: str = "main") -> str:
    return f"/org/toy/resolve/{revision}/{name}"


def test_what_is_asked_of_a_hub(hub: Hub, tmp_path: Path) -> None:
    fetch(SPEC)
    assert weights_asked(hub)[:2] == [("HEAD", path_of(WEIGHTS)), ("GET", path_of(WEIGHTS))]
    assert sum(each[0] == "GET" for each in weights_asked(hub)) == 1  # 11 MB to 2 GB: once
    assert {each[1].rsplit("/", 1)[-1] for each in hub.asked if each[0] == "GET"} >= set(FILES)
    assert not any(each[1].endswith((".bin", ".pt", ".pth", ".pkl")) for each in hub.asked)
    kept = tmp_path / "hub" / "models--org--toy"
    assert (kept / "refs" / "main").read_text() == REVISION
    stored = (kept / "snapshots" / REVISION / WEIGHTS).resolve()
    assert stored.name == hashlib.sha256(hub.files[WEIGHTS]).hexdigest()
    assert stored.stat().st_size == len(hub.files[WEIGHTS])
    asked = len(hub.asked)
    _check_cached(SPEC)
    assert len(hub.asked) == asked  # weights that were fetched are found without the network


def test_a_cut_download_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    hub.cut = [1_000]
    fetch(SPEC)
    assert [each[2:] for each in weights_asked(hub) if each[0] == "GET"] == [(), ("bytes=1000-",)]
    kept = next((tmp_path / "hub" / "models--org--toy" / "snapshots").glob(f"*/{WEIGHTS}"))
    assert kept.read_bytes() == hub.files[WEIGHTS]


def test_one_that_is_never_whole_is_said_and_leaves_nothing(hub: Hub, tmp_path: Path) -> None:
    hub.cut = [0] * 60
    with pytest.raises(ModelError, match="toy-hub could not be downloaded"):
        fetch(SPEC)
    assert not any(each[1].endswith(".bin") for each in hub.asked)
    assert not [
        path for path in (tmp_path / "hub").rglob("*") if path.is_file() and path.stat().st_size > 900
    ]
    with pytest.raises(ModelError, match="weights fetch toy-hub"):
        load_encoder(SPEC, "cpu")


def test_a_wrong_digest_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.forged = True
    with pytest.raises(ModelError, match="is not what the hub says it is"):
        fetch(SPEC)
    assert not list((tmp_path / "hub").rglob(WEIGHTS))
    hub.forged = False
    fetch(SPEC)  # a second try begins anew


def test_weights_that_are_a_pickle_are_not_asked_for(hub: Hub) -> None:
    hub.files["open_clip_pytorch_model.bin"] = hub.files.pop(WEIGHTS)
    with pytest.raises(ModelError, match="org/toy has no safetensors"):
        fetch(SPEC)
    assert not any(each[1].endswith(".bin") for each in hub.asked)
