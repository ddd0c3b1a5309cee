"""The panel over HTTP, as gradio_client and an MCP client use it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from core.models import models
from core.models.classifier import classify, explain, loaded
from pages.panels import classification
from pages.panels.classification import build
from pages.panels.examples import product_examples
from tests.toy import picture


def serve(panel: gr.Blocks) -> Iterator[str]:
    """The panel at a free port, mounted as the app mounts it."""
    inner = FastAPI()
    gr.mount_gradio_app(inner, panel, path="/classification", ssr_mode=False, mcp_server=True)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        async with inner.router.lifespan_context(inner):
            yield

    outer = FastAPI(lifespan=lifespan)
    outer.mount("/panels", inner)
    server = uvicorn.Server(uvicorn.Config(outer, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/panels/classification"
    server.should_exit = True
    server.force_exit = True  # an open event stream is not waited for
    thread.join(10)


@pytest.fixture(scope="module")
def address(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(trained))
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        yield from serve(build(models, classify, product_examples, loaded, explain))


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(picture("hats"))
    return path


def ask(client: Client, image: Path | None = None, **texts: str) -> tuple[dict[str, Any], str]:
    found = client.predict(image=handle_file(image) if image else None, api_name="/classify", **texts)
    return found  # type: ignore[no-any-return]


def test_a_picture_a_name_or_both(client: Client, photo: Path) -> None:
    both, note = ask(client, photo, name="čepice", description="Alba")
    assert both["label"] == "hats" and note == ""
    assert sum(entry["confidence"] for entry in both["confidences"]) == pytest.approx(1, abs=1e-5)
    assert ask(client, photo)[0]["label"] == "hats"
    assert ask(client, name="boty")[0]["label"] == "shoes"
    assert ask(client, description="boty", model="toy-run")[0]["label"] == "shoes"


def test_it_answers_within_two_seconds(client: Client, photo: Path) -> None:
    ask(client, photo)
    started = time.monotonic()
    ask(client, photo, name="čepice")
    assert time.monotonic() - started < 2


def test_errors_are_told(client: Client, tmp_path: Path) -> None:
    with pytest.raises(AppError, match="nothing to classify"):
        ask(client)
    for content in (b"this is text", b"", picture("bags")[:150]):
        path = tmp_path / "photo.jpg"
        path.write_bytes(content)
        with pytest.raises(AppError, match="not a picture"):
            ask(client, path)
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(wide_png(30_000, 30_000))
    with pytest.raises(AppError, match="too large"):
        ask(client, bomb)
    with pytest.raises(AppError, match="no model named 'absent'"):
        ask(client, name="boty", model="absent")


def wide_png(width: int, height: int) -> bytes:
    """The head of a PNG of that size, and nothing else."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_a_hundred_thousand_characters_are_cut(client: Client) -> None:
    answer, note = ask(client, description="boty " * 20_000)
    assert answer["label"] == "shoes" and note.startswith("Only the first")


def test_one_event_is_public_and_described(client: Client) -> None:
    api = client.view_api(return_format="dict", print_info=False)
    assert list(api["named_endpoints"]) == ["/classify"]
    parameters = api["named_endpoints"]["/classify"]["parameters"]
    assert [p["parameter_name"] for p in parameters] == ["image", "name", "description", "model"]
    assert all(p["parameter_has_default"] for p in parameters)


def test_it_is_an_mcp_tool(address: str) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def talk() -> tuple[Any, Any]:
        async with (
            streamablehttp_client(f"{address}/gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            tools = await session.list_tools()
            return tools.tools, await session.call_tool(tools.tools[0].name, {"name": "kabelka"})

    tools, answer = asyncio.run(talk())
    assert len(tools) == 1 and tools[0].name.endswith("classify")
    assert "five likeliest categories" in tools[0].description
    assert "bags" in json.dumps([content.model_dump(mode="json") for content in answer.content])


def test_the_page_opens(address: str) -> None:
    assert httpx.get(f"{address}/").status_code == 200


def test_what_decided_and_other_models_are_shown(toy_home: Path, photo: Path) -> None:
    panel = build(models, classify, product_examples, loaded, explain)
    answered = next(fn.fn for fn in panel.fns.values() if getattr(fn.fn, "__name__", "") == "on_answered")
    shown = answered(str(photo), "taška kabelka", "", "", ["toy-run", "absent"])
    picture_alone, text_alone, shares, first, second = shown
    assert picture_alone.value["label"] == "hats" and text_alone.value["label"] == "bags"
    assert "the picture" in shares.value and "%" in shares.value
    assert first.visible and first.label.startswith("EmbraceNet") and not second.visible
    hidden = answered(str(photo), "", "", "", [])
    assert not any(part.visible for part in hidden)


def test_examples_are_products_of_the_dataset(toy_home: Path) -> None:
    found = product_examples(n=4)
    assert len(found) == 4
    assert all(example.picture.exists() and example.picture.suffix == ".webp" for example in found)
    assert product_examples("absent") == []


def test_without_a_model_it_says_the_command(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    monkeypatch.setattr("core.models.BUNDLED", ())
    running = serve(build(models, classify))
    client = Client(next(running), verbose=False)
    with pytest.raises(AppError, match=r"No model is trained yet.*python -m trainers\.embracenet"):
        ask(client, name="boty")
    assert classification.TRAIN_COMMAND in classification.NO_MODEL
    next(running, None)
