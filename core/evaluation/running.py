"""How far an evaluation is, for everybody who looks: a locked file beside what it will be.

The system lets go of the lock when its process dies, however it dies.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Literal

from core.errors import StorageError, VitrineError
from core.progress import Progress
from core.storage import storage_errors

LOCK_TRIES = 20
TOLD_EVERY_S = 0.3  # how often an evaluation says how far it is


@dataclass(frozen=True)
class Underway:
    """An evaluation that runs now, or that ended without a result."""

    state: Literal["running", "failed"]
    done: int = 0
    total: int = 0
    what: str = ""
    error: str = ""
    left_s: float | None = None  # by the pace since it began to count; None while nobody can know


def lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


@contextmanager
def working(path: Path, progress: Progress) -> Iterator[Progress]:
    """Hold the lock and tell how far it is; what stopped it stays readable."""
    place = lock_path(path)
    with storage_errors(place.parent):
        file = place.open("a+", encoding="utf-8")
    with file:
        _take(file)
        last, first = 0.0, ("", 0, 0.0)  # what was counted first, up to where, and when

        def tell(done: int, total: int, what: str) -> None:
            nonlocal last, first
            progress(done, total, what)
            now = time.monotonic()
            if what != first[0]:
                first = (what, done, now)
            if now - last > TOLD_EVERY_S:
                last, counted = now, done - first[1]
                left = (total - done) * (now - first[2]) / counted if counted > 0 else None
                _note(file, Underway("running", done, total, what, left_s=left))

        try:
            _note(file, Underway("running", what="Loading the model"))
            yield tell
            place.unlink(missing_ok=True)
        except BaseException as error:
            said = str(error) if isinstance(error, VitrineError) else f"{type(error).__name__}: {error}"
            _note(file, Underway("failed", error=said))
            raise


def _note(file: IO[str], state: Underway) -> None:
    with suppress(OSError):  # a full disk ends the evaluation where it is kept, not here
        file.seek(0)
        file.truncate()
        file.write(json.dumps(asdict(state)))
        file.flush()


def _take(file: IO[str]) -> None:
    """Take the lock, which somebody who looks how far it is may hold for a moment."""
    for _ in range(LOCK_TRIES):
        with suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(0.05)
    raise StorageError("This evaluation is already running. Wait for it to end.")


def state_of(path: Path) -> Underway | None:
    """How far the evaluation of that file is, or why it ended; None where nobody began it or it is done."""
    noted = Underway("running", what="Starting")
    try:
        with lock_path(path).open("r+", encoding="utf-8") as file:
            with suppress(ValueError, TypeError):
                noted = Underway(**json.loads(file.read()))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return noted
    except OSError:
        return None
    return (
        noted if noted.state == "failed" else replace(noted, state="failed", error="The process was stopped.")
    )
