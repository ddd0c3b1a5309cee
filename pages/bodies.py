"""How much a request may send, and how long it may take to."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from core.settings import settings

OTHER_BYTES = (
    8 * 2**20
)  # of a request that is no upload: an event, a question of an assistant with a picture in it
ENVELOPE_BYTES = 2**16  # around an uploaded file
SILENT_S = 30.0  # between two pieces of a body
WHOLE_S = 300.0  # for all of them
UPLOADS = ("/gradio_api/upload", "/_stcore/upload_file/", "/phone/ask", "/submissions/")


class BoundedBodies:
    """The middleware that reads no more of a request's body than is allowed: 413 beyond, 408 when it does not come."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        upload = any(part in scope["path"] for part in UPLOADS)
        most = settings().upload_bytes + ENVELOPE_BYTES if upload else OTHER_BYTES
        too_large = PlainTextResponse(f"A request may send {most >> 20} MB at most.", 413)
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdigit() or int(length) > most:
            await too_large(scope, receive, send)
            return
        refusal: PlainTextResponse | None = None
        read, whole, started = 0, False, False
        until = time.monotonic() + WHOLE_S

        async def bounded() -> Any:
            nonlocal refusal, read, whole
            if whole:
                return await receive()  # a response waits here for its reader to leave
            if refusal is None:
                try:
                    async with asyncio.timeout(min(SILENT_S, max(0.0, until - time.monotonic()))):
                        message = await receive()
                except TimeoutError:
                    refusal = PlainTextResponse("The request did not arrive in time.", 408)
                else:
                    read += len(message.get("body", b""))
                    whole = not message.get("more_body", False)
                    if read <= most:
                        return message
                    refusal = too_large
            return {"type": "http.disconnect"}

        async def unless_refused(message: Any) -> None:
            nonlocal started
            if refusal is None or started:
                started = True
                await send(message)

        try:
            await self.app(scope, bounded, unless_refused)
        except Exception:
            if refusal is None:
                raise
        if refusal is not None and not started:
            refusal.headers["connection"] = "close"
            await refusal(scope, receive, send)
