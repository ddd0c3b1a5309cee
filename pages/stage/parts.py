"""What the routes of the stage share: their pages, headers, and refusals."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from core.errors import VitrineError
from core.settings import ASSETS
from pages import access

FOLDER = ASSETS / "stage"
NO_STORE = {"cache-control": "no-store"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-src {frames}; base-uri 'none'; form-action 'none'; frame-ancestors {framed}"
)


def policy(frames: str = "'none'", framed: str = "'none'") -> str:
    """The content security policy of a page of the stage.

    Args:
        frames: what it may frame.
        framed: who may frame it.
    """
    return _POLICY.format(frames=frames, framed=framed)


class Page(StaticFiles):
    """Scripts and styles, asked for again each time: a new version is never mixed with an old one."""

    async def get_response(self, path: str, scope: Any) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = "no-cache"
        return answer


def page(name: str, values: dict[str, str], said: str) -> HTMLResponse:
    """A page of assets/stage with some values written into it, under a policy."""
    version = max(file.stat().st_mtime_ns for file in FOLDER.iterdir())
    text = (FOLDER / f"{name}.html").read_text(encoding="utf-8")
    for key, value in {**values, "version": str(version)}.items():
        text = text.replace(f"{{{key}}}", html.escape(value))
    return HTMLResponse(text, headers={**NO_STORE, "content-security-policy": said})


def answered(reply: Callable[[Request], Any], right: access.Right) -> Callable[[Request], Response]:
    """A route that answers with JSON whoever has the right; what cannot be done says why, with 404."""

    def route(request: Request) -> Response:
        if not access.allows(access.role_of(request), right):
            return refused(right)
        try:
            return JSONResponse(reply(request), headers=NO_STORE)
        except VitrineError as error:
            return PlainTextResponse(str(error), 404, NO_STORE)

    return route


def refused(right: access.Right) -> Response:
    """What is said to whoever may not."""
    return PlainTextResponse(f"Only {access.who(right)} can do this.", 403, NO_STORE)
