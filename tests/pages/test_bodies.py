"""A request sends as much as is allowed, and in time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.settings import settings
from pages import bodies


async def count(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


APP = Starlette(
    routes=[Route("/{path:path}", count, methods=["POST", "PUT"])],
    middleware=[Middleware(bodies.BoundedBodies)],
)
UPLOAD = "/panels/retrieval/gradio_api/upload"


@pytest.mark.parametrize(
    ("path", "most"), [(UPLOAD, settings().upload_bytes), ("/panels/x/gradio_api/mcp/", bodies.OTHER_BYTES)]
)
@pytest.mark.parametrize("told", [True, False])
def test_a_body_is_bounded_whether_its_length_is_told_or_not(path: str, most: int, told: bool) -> None:
    client = TestClient(APP)

    def send(size: int) -> int:
        content = bytes(size) if told else (bytes(2**20) for _ in range(size >> 20))
        return client.post(path, content=content).status_code

    assert send(most) == 200
    assert send(most + 2**21) == 413


@pytest.mark.parametrize("length", ["-1", "many", "1e9"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    assert TestClient(APP).post("/", content=b"x", headers={"content-length": length}).status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SILENT_S", 0.1)
    sent: list[Any] = []

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(b"content-length", b"9")],
        "query_string": b"",
    }
    asyncio.run(APP(scope, never, send))
    assert sent[0]["status"] == 408
