"""No event of any panel reads a file that its visitor did not upload, nor fetches one from the web."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pages.panels import mount_panels, uploads
from tests.served import TAKES_FILES, serve_panels
from tests.shapes import serve
from tests.toy import picture

PANELS = ("classification", "retrieval")  # with events that take a file


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        yield from serve_panels(mount_panels())


def answer(panel: str, event: int, data: list[Any]) -> dict[str, Any]:
    """The last message of an event through the queue, as a browser gets it."""
    body = {"data": data, "fn_index": event, "session_hash": "stranger", "event_data": None}
    httpx.post(f"{panel}/gradio_api/queue/join", json=body, timeout=20).raise_for_status()
    with httpx.stream("GET", f"{panel}/gradio_api/queue/data?session_hash=stranger", timeout=20) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                said: dict[str, Any] = json.loads(line.removeprefix("data:"))
                if said.get("msg") in ("process_completed", "unexpected_error"):
                    return said
    raise AssertionError("the stream ended without an answer")


@pytest.mark.parametrize("name", PANELS)
def test_an_event_refuses_a_file_that_was_not_uploaded(address: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "web.png").write_bytes(picture("hats"))
    with serve(tmp_path) as (web, asked):
        _refuses(address, name, tmp_path, f"{web}/web.png")
        assert not asked, "Gradio fetched a file that an event named by its address"


def _refuses(address: str, name: str, tmp_path: Path, url: str) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture("hats"))
    panel = f"{address}/{name}"
    config = httpx.get(f"{panel}/config", timeout=20).json()
    kinds = {each["id"]: each["type"] for each in config["components"]}
    tried = 0
    for dependency in config["dependencies"]:
        taken = [kinds[each] in TAKES_FILES for each in dependency["inputs"]]
        if not dependency["backend_fn"] or not any(taken):
            continue
        for foreign in (
            str(secret),
            "/dev/zero",
            "/etc/passwd",
            str(tmp_path / "nothing.png"),
            url,
            "https://hf.co/x.png",
        ):
            file = {"path": foreign, "meta": {"_type": "gradio.FileData"}}
            said = answer(panel, dependency["id"], [file if takes else None for takes in taken])
            assert said["success"] is False, (dependency["api_name"], foreign, said)
            assert "root:" not in json.dumps(said)
            assert not foreign.startswith("http") or uploads.NO_ADDRESS in json.dumps(said)
            tried += 1
    assert tried, f"the panel {name} has no event that takes a file any more: take it from the list"
    assert httpx.get(f"{panel}/config", timeout=20).status_code == 200


@pytest.mark.parametrize("name", [*PANELS, "generation"])
def test_doors_of_gradio_that_no_panel_needs_are_shut(address: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "web.png").write_bytes(picture("hats"))
    with serve(tmp_path) as (web, asked):
        for door in (
            f"gradio_api/file={web}/web.png", f"gradio_api/file=/{web}/web.png", f"gradio_api/proxy={web}/web.png",
            "gradio_api/run-history/buckets", "gradio_api/deep_link?session_hash=x", "gradio_api/vibe-code",
            "gradio_api/runs", "gradio_api/custom_component/1/client/component/x.js", "monitoring", "login",
        ):  # fmt: skip
            assert httpx.get(f"{address}/{name}/{door}", timeout=20).status_code == 404, door
        assert not asked
    for door in ("", "config", "theme.css", "gradio_api/info", "gradio_api/mcp/schema"):
        assert httpx.get(f"{address}/{name}/{door}", timeout=20).status_code == 200, door


def test_an_assistant_gives_a_picture_as_bytes_and_not_by_its_address(address: str, tmp_path: Path) -> None:
    (tmp_path / "web.png").write_bytes(picture("hats"))
    bytes_of_it = "data:image/png;base64," + base64.b64encode(picture("hats")).decode()

    def ask(image: str) -> str:
        arguments = {"image": image, "name": "", "description": "", "model": "none", "country": ""}
        call = {"name": "on_classify", "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        headers = {"accept": "application/json, text/event-stream"}
        answer = httpx.post(
            f"{address}/classification/gradio_api/mcp/", json=body, headers=headers, timeout=30
        )
        return answer.text

    with serve(tmp_path) as (web, asked):
        assert uploads.NO_ADDRESS in ask(f"{web}/web.png") and not asked
    said = ask(bytes_of_it)
    assert (
        "'none'" in said and uploads.NO_ADDRESS not in said
    )  # it got as far as the model, which there is not
