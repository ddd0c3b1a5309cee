"""The wall of what visitors found, and the presenter's desk beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pages import access, headers
from pages.resources import moment
from pages.stage import parts

BODY_BYTES = 4_096
# What the presenter may do, and the right that it needs. Letting a photo through is closed in a locked room.
DEEDS: dict[str, tuple[access.Right, Callable[[int], None]]] = {
    "hide": (access.PRESENT, lambda _: moment.wall.hide(True)),
    "show": (access.PRESENT, lambda _: moment.wall.hide(False)),
    "clear": (access.PRESENT, lambda _: moment.wall.clear()),
    "reset": (access.PRESENT, lambda _: moment.begin_anew()),
    "drop": (access.PRESENT, moment.wall.drop),
    "forget": (access.PRESENT, lambda number: moment.wall.let(number, False)),
    "let": (access.SHOW, lambda number: moment.wall.let(number, True)),
}


def page(_: Request) -> Response:
    """The wall: /wall."""
    return parts.page("wall", {}, parts.policy(framed="'self'"))


def desk(request: Request) -> Response:
    """What the presenter sees beside the wall: /wall/desk."""
    if not access.allows(access.role_of(request), access.PRESENT):
        return parts.refused(access.PRESENT)
    return parts.page("desk", {}, parts.policy())


def now(request: Request) -> dict[str, Any]:
    """What is on the wall; for the presenter's desk (?desk=1) also the photos that wait, and what is hidden."""
    role = access.role_of(request)
    sees = request.query_params.get("desk") == "1" and access.allows(role, access.PRESENT)
    entries = [] if moment.wall.hidden and not sees else moment.wall.entries()
    return {
        "version": moment.wall.version, "boot": moment.BOOT, "hidden": moment.wall.hidden, "visitors": moment.asks.seen,
        "presents": access.allows(role, access.PRESENT), "lets": access.allows(role, access.SHOW),
        "waiting": moment.line.length,
        "entries": [
            {"number": each.number, **each.found, "photo": bool(each.photo and each.shown)}
            | ({"asks": bool(each.photo and not each.shown)} if sees else {})
            for each in entries
        ],
    }  # fmt: skip


def photo(request: Request) -> Response:
    """A photo that the presenter let through; one that waits for the presenter alone, who may let it through."""
    waiting = access.allows(access.role_of(request), access.SHOW) and request.query_params.get("desk") == "1"
    data = None if moment.wall.hidden and not waiting else moment.wall.photo(request.path_params["number"], waiting)  # fmt: skip
    if data is None:
        return PlainTextResponse("There is no such photo on the wall.", 404, parts.NO_STORE)
    return Response(data, headers={**parts.NO_STORE, "content-security-policy": headers.FILE}, media_type="image/jpeg")  # fmt: skip


async def do(request: Request) -> Response:
    """One deed of the presenter: {"do": "clear"}, {"do": "let", "number": 7}."""
    body = await request.body()
    try:
        if len(body) > BODY_BYTES:
            raise ValueError
        said = json.loads(body)
        right, deed = DEEDS[said["do"]]
        number = int(said.get("number", 0))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return PlainTextResponse(f'Expected {{"do": one of {", ".join(DEEDS)}}}.', 400, parts.NO_STORE)
    if not access.allows(access.role_of(request), right):
        return parts.refused(right)
    deed(number)
    return JSONResponse({"version": moment.wall.version}, headers=parts.NO_STORE)


ROUTES = [
    Route("/wall", page),
    Route("/wall/desk", desk),
    Route("/wall/now", parts.answered(now, access.LOOK)),
    Route("/wall/photo/{number:int}", photo),
    Route("/wall/do", do, methods=["POST"]),
]
