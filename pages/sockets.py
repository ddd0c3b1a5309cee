"""How many pages may be open at once: each costs the server a session, an event loop, four files and a thread."""

from __future__ import annotations

import resource
from collections import Counter
from contextlib import suppress
from typing import Any

from starlette.requests import HTTPConnection

from core.settings import settings

FILES = (
    8_192  # that the server may have open, where the system lets it; 1,024 is usual, and 250 pages need more
)
TRY_AGAIN = 1013  # the code that closes a socket


def allow_files() -> None:
    """Raise the number of files that this process may have open, as far as it may itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class BoundedSockets:
    """The middleware that refuses a socket beyond the bound: half of them to one address, so that it leaves some to others."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        client = HTTPConnection(scope).client
        address, most = client.host if client else "", settings().sockets
        share = most if settings().behind_proxy else max(1, most // 2)  # a proxy's address is everybody's
        if self._open.total() >= most or self._open[address] >= share:
            await receive()  # the handshake; it is answered with 403
            return await send({"type": "websocket.close", "code": TRY_AGAIN})
        self._open[address] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]
