"""The benchmark for programs: send predictions, read the leaderboard."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.benchmark import exports
from core.benchmark.leaderboard import board
from core.benchmark.records import Card
from core.benchmark.store import Submissions
from core.benchmark.submit import submit_file
from core.benchmark.truth import Task, truth_of
from core.errors import StorageError, UnknownDatasetError, VitrineError
from core.settings import settings
from pages import access, identity

NO_STORE = {"cache-control": "no-store"}
CARD = ("authors", "paper", "code", "inputs", "training_data", "date", "note")


def _task(request: Request) -> Task:
    asked = request.query_params
    return Task(request.path_params["dataset"], asked.get("split", "test"), asked.get("labels", "all"))


def _refused(error: VitrineError) -> Response:
    status = (
        404 if isinstance(error, UnknownDatasetError) else 503 if isinstance(error, StorageError) else 400
    )
    return PlainTextResponse(str(error), status, NO_STORE)


async def submit(request: Request) -> Response:
    """Submit predictions: POST /submissions/<dataset>?name=<method>, the file as the body.

    Also split, labels (all, human), match=1, missing_as_errors=1, and the fields of the card. The answer has the row of the
    leaderboard; of a closed benchmark that is the public part.
    """
    if not access.allows(access.role_of(request), access.SUBMIT):
        return PlainTextResponse(f"Only {access.who(access.SUBMIT)} can submit predictions.", 403, NO_STORE)
    with tempfile.TemporaryDirectory(prefix="vitrine-benchmark-") as folder:
        path = Path(folder) / "predictions"
        with path.open("wb") as file:
            async for piece in request.stream():  # pages/bodies.py bounds it
                file.write(piece)
        try:
            return JSONResponse(await to_thread.run_sync(_submitted, request, path), 201, NO_STORE)
        except VitrineError as error:
            return _refused(error)


def _submitted(request: Request, path: Path) -> dict[str, Any]:
    asked, task = request.query_params, _task(request)
    owner = access.allows(access.role_of(request), access.MANAGE)
    who = (identity.person(request.cookies) if identity.asked() else None) or access.role_of(request)
    made = submit_file(
        task, path, asked.get("name", ""), Card(**{key: asked.get(key, "") for key in CARD}), who=who,
        take_matches=asked.get("match") == "1", missing_as_errors=asked.get("missing_as_errors") == "1",
        most_bytes=settings().upload_bytes, owner=owner,
    )  # fmt: skip
    truth = truth_of(task)
    rows = exports.rows(truth, board(truth, Submissions(), owner))
    return next(row for row in rows if row["origin"] == "measured" and row["name"] == made.name)


def leaderboard(request: Request) -> Response:
    """A leaderboard: /leaderboard/<dataset>.csv, .json, .md or .tex; also ?split= and ?labels=."""
    kind = request.path_params["kind"]
    if kind not in exports.ENDINGS:
        return PlainTextResponse(f"A leaderboard ends in .{', .'.join(exports.ENDINGS)}.", 404)
    try:
        truth = truth_of(_task(request))
        owner = access.allows(access.role_of(request), access.MANAGE)
        text = exports.export(truth, board(truth, Submissions(), owner), kind)
    except VitrineError as error:
        return _refused(error)
    return Response(text, media_type=f"{exports.ENDINGS[kind]}; charset=utf-8", headers=NO_STORE)


ROUTES = [
    Route("/submissions/{dataset}", submit, methods=["POST"]),
    Route("/leaderboard/{dataset}.{kind}", leaderboard),
]
