"""Tours on a projector: the page that shows one full screen, and the window with the speaker's notes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from core.errors import UnknownDatasetError, VitrineError
from core.stage import reach, room, tours
from pages import access, headers
from pages.resources import moment
from pages.stage import parts

GONE = "This tour is not here. The dataset that it belongs to may have been removed; the page Present lists the tours."


def stage(request: Request) -> Response:
    """The page: /stage/<dataset>/<tour>."""
    return _page("stage", request)


def notes(request: Request) -> Response:
    """The speaker's window: /stage/<dataset>/<tour>/notes."""
    if not access.allows(access.role_of(request), access.PRESENT):
        return parts.refused(access.PRESENT)
    return _page("notes", request)


def _page(name: str, request: Request) -> Response:
    dataset, tour = request.path_params["dataset"], request.path_params["tour"]
    try:
        found = tours.tour(dataset, tour)
    except UnknownDatasetError:
        return PlainTextResponse(GONE, 404, parts.NO_STORE)
    except VitrineError as error:
        return PlainTextResponse(str(error), 404, parts.NO_STORE)
    base = f"/stage/{quote(dataset)}/{quote(tour)}"
    return parts.page(name, {"base": base, "title": found.title}, parts.policy(frames="'self'"))


def told(request: Request) -> dict[str, Any]:
    """The tour: title, and each view's line, address and what is wrong with it; notes for the presenter alone."""
    dataset = request.path_params["dataset"]
    found = tours.tour(dataset, request.path_params["tour"])
    presents = access.allows(access.role_of(request), access.PRESENT)
    stops = [
        {"line": stop.line, "address": stop.address(dataset), "trouble": stop.trouble(dataset)}
        | ({"notes": stop.notes} if presents else {})
        for stop in found.stops
    ]
    return {"title": found.title, "stops": stops}


def now(request: Request) -> Response:
    """What a stage asks every few seconds: whether to begin anew, and where phones find their page."""
    there = moment.reach_of(request)
    return JSONResponse(
        {
            "boot": moment.BOOT, "resets": moment.wall.resets, "phones": there.address, "why": there.why,
            "waiting": moment.line.length, "visitors": moment.asks.seen, "locked": room.locked(),
        },
        headers=parts.NO_STORE,
    )  # fmt: skip


def code(request: Request) -> Response:
    """The QR code of the phones' page; 404 where phones cannot reach it."""
    there = moment.reach_of(request)
    if not there.address:
        return PlainTextResponse(there.why, 404, parts.NO_STORE)
    said = {**parts.NO_STORE, "content-security-policy": headers.FILE}
    return Response(reach.code(there.address), headers=said, media_type="image/svg+xml")


ROUTES = [
    Route("/stage/{dataset}/{tour}", stage),
    Route("/stage/{dataset}/{tour}/notes", notes),
    Route("/stage/{dataset}/{tour}/told", parts.answered(told, access.LOOK)),
    Route("/stage-now", now),
    Route("/stage-code.svg", code),
    Mount("/stage-page", app=parts.Page(directory=parts.FOLDER)),
]
