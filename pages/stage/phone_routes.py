"""Visitors' phones: a page that takes a photo or a word, and answers one visitor after another.

A visitor is a cookie, not an address: a venue is one address. Nothing is written to the disk.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from core.errors import ImageError, VitrineError
from core.settings import settings
from core.stage.line import Told
from pages.resources import moment
from pages.resources.moment import Asked
from pages.stage import answers, parts

COOKIE = "vitrine_visitor"
SECONDS = 12 * 60 * 60
_VISITOR = re.compile(r"[A-Za-z0-9_-]{22}")
_LANGUAGE = re.compile(r"[a-z]{2}")
AT_ONCE = 8  # photos that are read at a time
AHEAD = 64  # more wait for that; beyond it the line is full
READ_S = 90.0  # for a photo to arrive
FULL_S = 10.0  # until it is worth trying again, where photos cannot even be read

_reading = asyncio.Semaphore(AT_ONCE)
_before = 0
_shrinking = CapacityLimiter(1)  # a photo of 48 megapixels takes 150 MB while it is decoded


def _visitor(request: Request) -> tuple[str, bool]:
    """Who asks, and whether they are new."""
    known = request.cookies.get(COOKIE, "")
    return (known, False) if _VISITOR.fullmatch(known) else (secrets.token_urlsafe(16), True)


def _with_cookie(answer: Response, visitor: str, request: Request) -> Response:
    answer.set_cookie(
        COOKIE, visitor, SECONDS, path="/phone", httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )  # fmt: skip
    return answer


def page(request: Request) -> Response:
    """The phones' page: /phone."""
    visitor, new = _visitor(request)
    moment.asks.see(visitor)
    shown = parts.page("phone", {}, parts.policy())
    return _with_cookie(shown, visitor, request) if new else shown


def words(_: Request) -> Response:
    """The page's few words in fourteen languages."""
    return FileResponse(parts.FOLDER / "words.json", headers={"cache-control": "no-cache"})


async def ask(request: Request) -> Response:
    """Ask about a photo (the body) or a word (?word=): the place in the line, or the answer where it is known."""
    visitor, _ = _visitor(request)
    try:
        told = await _asked(request, visitor)
    except ClientDisconnect:
        return Response(status_code=400)
    except TimeoutError:
        told = Told("failed", error="The photo did not arrive in time.")
    except ImageError as error:
        told = Told("failed", error=f"photo: {error}")
    except VitrineError as error:
        told = Told("failed", error=str(error))
    return _with_cookie(_said(told, visitor, request), visitor, request)


async def _asked(request: Request, visitor: str) -> Told:
    global _before
    word = answers.word_of(request.query_params.get("word", ""))
    if _before >= AHEAD:
        return Told("full", seconds=FULL_S)
    _before += 1
    try:
        async with _reading:
            data = bytearray()
            async with asyncio.timeout(READ_S):
                async for piece in request.stream():
                    data += piece
                    if len(data) > settings().upload_bytes:
                        raise ImageError("The photo is too large.")
            photo = await to_thread.run_sync(answers.small, bytes(data), limiter=_shrinking) if data else b""
            del data
    finally:
        _before -= 1
    if not photo and not word:
        return Told("failed", error="Give a photo or a word.")
    return await to_thread.run_sync(_join, visitor, photo, word)


def _join(visitor: str, photo: bytes, word: str) -> Told:
    dataset = answers.chosen()
    digest = answers.digest(dataset, photo, word)
    told = moment.line.ask(visitor, digest, lambda: answers.answer(dataset, photo, word))
    if told.state != "full":
        known = moment.asks.get(visitor)
        entry = known.entry if known and known.digest == digest else 0
        moment.asks.put(visitor, Asked(digest, entry, photo))
        moment.line.start()
    return told


def now(request: Request) -> Response:
    """How a visitor's question stands."""
    visitor, _ = _visitor(request)
    moment.asks.see(visitor)
    return _said(moment.line.state(visitor), visitor, request)


def _said(told: Told, visitor: str, request: Request) -> Response:
    """A state as JSON; the answer appears on the wall once it is first told to its visitor."""
    said: dict[str, Any] = {
        "state": told.state,
        "place": told.place,
        "seconds": told.seconds,
        "boot": moment.BOOT,
    }
    if told.error:
        said["error"] = told.error
    if told.state == "done":
        language = request.query_params.get("lang", "")
        language = language if _LANGUAGE.fullmatch(language) else "en"
        asked = moment.asks.get(visitor)
        if asked and not asked.entry and not told.answer["nothing"]:
            shown = {key: told.answer[key] for key in ("like", "dataset")}
            shown["classes"] = answers.in_language(told.answer, "en")["classes"]
            asked = Asked(asked.digest, moment.wall.add(visitor, shown | {"language": language}), asked.photo)
            moment.asks.put(visitor, asked)
        said |= {"answer": answers.in_language(told.answer, language), "offers": bool(asked and asked.entry and asked.photo)}  # fmt: skip
    return JSONResponse(said, headers=parts.NO_STORE)


def show(request: Request) -> Response:
    """A visitor agrees to show their photo on the wall (?yes=1), or takes that back."""
    visitor, _ = _visitor(request)
    asked = moment.asks.get(visitor)
    if asked is None or not asked.entry or not asked.photo:
        return JSONResponse({"offered": False}, headers=parts.NO_STORE)
    if request.query_params.get("yes") == "1":
        return JSONResponse({"offered": moment.wall.offer(visitor, asked.entry, asked.photo)}, headers=parts.NO_STORE)  # fmt: skip
    moment.wall.withdraw(visitor, asked.entry)
    return JSONResponse({"offered": False}, headers=parts.NO_STORE)


def leave(request: Request) -> Response:
    """The visitor closes the page: what waits for them need not be done."""
    moment.line.leave(_visitor(request)[0])
    return Response(status_code=204)


ROUTES = [
    Route("/phone", page),
    Route("/phone/words", words),
    Route("/phone/ask", ask, methods=["POST"]),
    Route("/phone/now", now),
    Route("/phone/show", show, methods=["POST"]),
    Route("/phone/leave", leave, methods=["POST"]),
]
