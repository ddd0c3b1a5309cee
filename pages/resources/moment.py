"""What a running server holds for the stage, in memory alone: the visitors' line, the wall, who asked what."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

from cachetools import TTLCache
from starlette.requests import Request

from core.stage.line import KEPT_S, Line
from core.stage.reach import Reach, reach
from core.stage.wall import Wall

BOOT = secrets.token_hex(6)  # differs after a restart, so that a stage that stayed open loads anew
VISITORS = 2_000  # that are remembered


@dataclass(frozen=True)
class Asked:
    """What a visitor asked last: its digest, its entry on the wall, the photo for the wall if they agree."""

    digest: str
    entry: int = 0
    photo: bytes = b""


class Asks:
    """The last question of each visitor, for as long as its answer is kept. Thread-safe."""

    def __init__(self) -> None:
        self._known: TTLCache[str, Asked] = TTLCache(128, KEPT_S)
        self._seen: TTLCache[str, bool] = TTLCache(VISITORS, 300)
        self._lock = threading.Lock()

    def see(self, visitor: str) -> None:
        with self._lock:
            self._seen[visitor] = True

    @property
    def seen(self) -> int:
        """Visitors of the last five minutes."""
        with self._lock:
            return len(self._seen)

    def put(self, visitor: str, asked: Asked) -> None:
        with self._lock:
            self._known[visitor] = asked

    def get(self, visitor: str) -> Asked | None:
        with self._lock:
            return self._known.get(visitor)

    def clear(self) -> None:
        with self._lock:
            self._known.clear()


line, wall, asks = Line(), Wall(), Asks()


def begin_anew() -> None:
    """Forget what visitors asked and found, and let every stage begin anew."""
    line.clear()
    asks.clear()
    wall.reset()


def reach_of(request: Request) -> Reach:
    """Where phones find their page, from the address that this request used."""
    url = request.url
    return reach(url.scheme, url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
