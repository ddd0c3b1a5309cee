"""The progress of an evaluation, in a locked file beside its result.

The system releases the lock when the process dies.
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
UPDATE_EVERY_S = 0.3  # interval between progress updates


@dataclass(frozen=True)
class Status:
    """The status of an evaluation that is running or failed."""

    state: Literal["running", "failed"]
    done: int = 0
    total: int = 0
    what: str = ""
    error: str = ""
    left_s: float | None = None  # estimated from the throughput; None if unknown


def lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


@contextmanager
def working(path: Path, progress: Progress) -> Iterator[Progress]:
    """Hold the lock of an evaluation and write its progress; an error is preserved."""
    place = lock_path(path)
    with storage_errors(place.parent):
        file = place.open("a+", encoding="utf-8")
    with file:
        _take(file)
        last, first = 0.0, ("", 0, 0.0)  # start of the current step: its count and time

        def update(done: int, total: int, what: str) -> None:
            nonlocal last, first
            progress(done, total, what)
            now = time.monotonic()
            if what != first[0]:
                first = (what, done, now)
            if now - last > UPDATE_EVERY_S:
                last, counted = now, done - first[1]
                left = (total - done) * (now - first[2]) / counted if counted > 0 else None
                _note(file, Status("running", done, total, what, left_s=left))

        try:
            _note(file, Status("running", what="Loading the model"))
            yield update
            place.unlink(missing_ok=True)
        except BaseException as error:
            message = str(error) if isinstance(error, VitrineError) else f"{type(error).__name__}: {error}"
            _note(file, Status("failed", error=message))
            raise


def _note(file: IO[str], state: Status) -> None:
    with suppress(OSError):  # a full disk raises when the result is written
        file.seek(0)
        file.truncate()
        file.write(json.dumps(asdict(state)))
        file.flush()


def _take(file: IO[str]) -> None:
    """Acquire the lock, which a reader may hold briefly."""
    for _ in range(LOCK_TRIES):
        with suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(0.05)
    raise StorageError("This evaluation is already running. Wait for it to end.")


def state_of(path: Path) -> Status | None:
    """The progress of the evaluation of a file, or why it failed; None if it was not started or is done."""
    noted = Status("running", what="Starting")
    try:
        with lock_path(path).open("r+", encoding="utf-8") as file:
            with suppress(ValueError, TypeError):
                noted = Status(**json.loads(file.read()))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return noted
    except OSError:
        return None
    return (
        noted if noted.state == "failed" else replace(noted, state="failed", error="The process was stopped.")
    )
