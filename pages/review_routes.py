"""The review of labels: a page of its own, and the questions and answers that its script exchanges with the server.

It is no Streamlit page, since a run of one between a key and the next picture would take longer than a person does, and
since answers have to wait in the browser while the server or its database is away.
"""

from __future__ import annotations

import html
import json
import logging
import unicodedata
from collections.abc import Callable
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from core.errors import StorageError, UsageError, VitrineError
from core.settings import ASSETS
from pages import access, identity
from pages.resources import audits

FOLDER = ASSETS / "review"
WHO_CHARACTERS = 80
IDS = 64  # products that are asked for at once
EVENTS = 100  # answers that are sent at once
BODY_BYTES = 2**19
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
NO_STORE = {"cache-control": "no-store"}
AWAY = "The database of answers does not answer."
WHY_NOT = "Only {} can review labels."


class _Page(StaticFiles):
    """Scripts and styles of the page, asked for again each time: a new version is never mixed with an old one."""

    async def get_response(self, path: str, scope: Any) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = "no-cache"
        return answer


def _answered(reply: Callable[[Request], Any]) -> Callable[[Request], Response]:
    """A route that answers with JSON; what cannot be done says why, with 404, and 503 where the database is away."""

    def route(request: Request) -> Response:
        if not access.allows(access.role_of(request), access.JUDGE):
            return PlainTextResponse(WHY_NOT.format(access.who(access.JUDGE)), 403, NO_STORE)
        try:
            return JSONResponse(reply(request), headers=NO_STORE)
        except StorageError as error:
            logging.getLogger("vitrine").warning(
                "%s", error
            )  # an annotator can do nothing with the database's address
            return PlainTextResponse(AWAY, 503, NO_STORE)
        except VitrineError as error:
            return PlainTextResponse(str(error), 404, NO_STORE)

    return route


def _who(request: Request) -> str:
    """The name under which answers are stored: the sign-in's where it knows people, else the one that is given.

    Raises:
        UsageError: there is none.
    """
    signed = identity.person(request.cookies) if identity.asked() else None
    name = signed or request.query_params.get("who", "")
    name = unicodedata.normalize("NFC", name).strip()
    if not name or len(name) > WHO_CHARACTERS or not name.isprintable():
        raise UsageError(f"A review needs a name of 1 to {WHO_CHARACTERS} characters.")
    return name


def page(request: Request) -> Response:
    """The page: /review/<plan>?who=<annotator>. It is empty; its script asks for the rest."""
    if not access.allows(access.role_of(request), access.JUDGE):
        return PlainTextResponse(WHY_NOT.format(access.who(access.JUDGE)), 403, NO_STORE)
    plan = request.path_params["plan"]
    try:
        back = audits.page_url(plan)
    except VitrineError as error:
        away = isinstance(error, StorageError)
        return PlainTextResponse(AWAY if away else str(error), 503 if away else 404, NO_STORE)
    version = max(file.stat().st_mtime_ns for file in FOLDER.iterdir())
    text = (FOLDER / "review.html").read_text(encoding="utf-8")
    for name, value in (("{plan}", plan), ("{back}", back), ("{version}", str(version))):
        text = text.replace(name, html.escape(value))
    return HTMLResponse(text, headers={**NO_STORE, "content-security-policy": POLICY})


def who(request: Request) -> dict[str, Any]:
    """Whose review can it be?"""
    signed = identity.person(request.cookies) if identity.asked() else None
    return audits.people(request.path_params["plan"]) | {"signed": signed}


def join(request: Request) -> dict[str, Any]:
    """Somebody new begins."""
    return audits.join(request.path_params["plan"], _who(request))


def session(request: Request) -> dict[str, Any]:
    """What is to be answered and what was, and the classes to choose from."""
    return audits.session(request.path_params["plan"], _who(request))


def items(request: Request) -> dict[str, Any]:
    """Products with their questions: ?ids=3,17,4."""
    asked = request.query_params.get("ids", "").split(",")
    if len(asked) > IDS or not all(each.isascii() and each.isdigit() and len(each) < 16 for each in asked):
        raise UsageError(f"ids are up to {IDS} numbers of this plan's items, with commas between them.")
    return {"items": audits.items(request.path_params["plan"], _who(request), [int(each) for each in asked])}


async def answers(request: Request) -> Response:
    """Store answers: {"events": [...]}, in their order. An event that was stored before counts once."""
    if int(request.headers.get("content-length") or 0) > BODY_BYTES:
        return PlainTextResponse("That is too much at once.", 413, NO_STORE)
    body = await request.body()
    if len(body) > BODY_BYTES:
        return PlainTextResponse("That is too much at once.", 413, NO_STORE)
    try:
        events = json.loads(body)["events"]
        if not isinstance(events, list) or len(events) > EVENTS:
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError):
        return PlainTextResponse(f'Expected {{"events": [...]}} with up to {EVENTS} answers.', 400, NO_STORE)

    def store(request: Request) -> dict[str, Any]:
        return audits.store_answers(request.path_params["plan"], _who(request), events)

    return await to_thread.run_sync(_answered(store), request)


def end(request: Request) -> dict[str, Any]:
    """What an annotator's review came to, once everything is answered."""
    return audits.end(request.path_params["plan"], _who(request))


ROUTES = [
    Route("/review/{plan}", page),
    Route("/review/{plan}/who", _answered(who)),
    Route("/review/{plan}/join", _answered(join), methods=["POST"]),
    Route("/review/{plan}/session", _answered(session)),
    Route("/review/{plan}/items", _answered(items)),
    Route("/review/{plan}/answers", answers, methods=["POST"]),
    Route("/review/{plan}/end", _answered(end)),
    Mount("/review-page", app=_Page(directory=FOLDER)),
]
