"""A Gradio panel on a port of its own, for tests that need no other page."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI


def serve(panel: gr.Blocks) -> Iterator[str]:
    """The panel at a free port, mounted as the app mounts it."""
    inner = FastAPI()
    gr.mount_gradio_app(inner, panel, path="/classification", ssr_mode=False, mcp_server=True)
    for address in serve_panels(inner):
        yield f"{address}/classification"


def serve_panels(inner: FastAPI) -> Iterator[str]:
    """An app of panels at a free port, below /panels as the app mounts it."""

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
    yield f"http://127.0.0.1:{port}/panels"
    server.should_exit = True
    server.force_exit = True  # an open event stream is not waited for
    thread.join(10)


# Components whose value names a file.
TAKES_FILES = {
    "image",
    "file",
    "gallery",
    "audio",
    "video",
    "imageeditor",
    "uploadbutton",
    "multimodaltextbox",
}
