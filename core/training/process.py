"""Which process trains a run. The trainer says so itself, in the run's folder, and everybody reads it there.

`process.json` names the process and, when it is over, how it ended. A folder is locked for as long as a
trainer works in it, so that two never do; the system lets go of the lock however the process dies.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import psutil

from core.errors import TrainingError, VitrineError
from core.storage import storage_errors

PROCESS, LOG = "process.json", "log.txt"
STOP_ASKED = "stop-asked"  # an empty file: somebody asked the process to stop
SAME_PROCESS_S = 2.0  # two processes of one number never begin closer to each other
LOCK_WAIT_S = 5.0  # whoever starts a trainer holds the lock while it notes its number

Arguments = ParamSpec("Arguments")


@dataclass(frozen=True)
class Process:
    """What process.json says."""

    pid: int
    created: float  # when the system began it, Unix seconds: a number that is used again is not mistaken
    command: list[str]
    begun: float  # Unix seconds
    held: bool = False  # the trainer itself wrote this; before, only whoever started it
    spent_s: float = 0.0  # by earlier processes of the same run
    ended: str = ""  # done, early, stopped or failed; empty while it runs, or when it was killed
    error: str = ""  # one line, of failed
    finished: float = 0.0  # Unix seconds

    def write(self, run_dir: Path) -> None:
        """
        Raises:
            StorageError: the folder cannot be written.
        """
        temporary = run_dir / f".{PROCESS}.{os.getpid()}"
        with storage_errors(run_dir):
            temporary.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")
            temporary.replace(run_dir / PROCESS)

    @classmethod
    def read(cls, run_dir: Path) -> Process | None:
        """None where nobody wrote it, or what is there is nothing of ours."""
        try:
            found = cls(**json.loads((run_dir / PROCESS).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        sound = isinstance(found.pid, int) and isinstance(found.created, int | float)
        return found if sound and isinstance(found.command, list) else None

    def alive(self) -> bool:
        return not self.ended and self.find() is not None

    def find(self) -> psutil.Process | None:
        """The process, if it lives and is the one that was meant."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created) < SAME_PROCESS_S
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except (psutil.Error, ValueError, OverflowError):
            return None


@contextmanager
def locked(run_dir: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a run's folder.

    Raises:
        TrainingError: somebody else holds it.
        StorageError: it is not there or cannot be read.
    """
    with storage_errors(run_dir):
        descriptor = os.open(run_dir, os.O_RDONLY)
    try:
        _lock(descriptor, run_dir, time.monotonic() + wait_s)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, run_dir: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            holder = Process.read(run_dir)
            who = f" by process {holder.pid}" if holder and holder.alive() else ""
            raise TrainingError(
                f"The run in {run_dir} is already being trained{who}. Stop it first, or choose another --out."
            ) from error
        except OSError:  # a file system without locks: what process.json says has to do
            holder = Process.read(run_dir)
            if holder and holder.alive() and holder.pid != os.getpid():
                raise TrainingError(
                    f"The run in {run_dir} is already being trained by process {holder.pid}."
                ) from None
            return


class _Attendance:
    """One call of a trainer, and the run that it holds."""

    def __init__(self) -> None:
        self.run_dir: Path | None = None
        self._lock: Any = None
        self._before: Any = None

    def hold(self, run_dir: Path) -> None:
        with storage_errors(run_dir):
            run_dir.mkdir(parents=True, exist_ok=True)
        lock = locked(run_dir, LOCK_WAIT_S)
        lock.__enter__()
        self._lock, self.run_dir = lock, run_dir
        me, before = psutil.Process(), Process.read(run_dir)
        begun, earlier = time.time(), spent(run_dir, before) if before else 0.0
        if before and before.pid == me.pid and not before.held:  # whoever started it has counted already
            begun, earlier = before.begun, before.spent_s
        Process(me.pid, me.create_time(), list(sys.orig_argv), begun, True, earlier).write(run_dir)
        (run_dir / STOP_ASKED).unlink(missing_ok=True)
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, _interrupt)

    def end(self, ended: str, error: str = "") -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
        if self.run_dir is None:
            return
        mine = Process.read(self.run_dir)  # None where the folder was deleted: it is not made again
        if mine is not None:
            replace(mine, ended=ended, error=error, finished=time.time()).write(self.run_dir)

    def release(self) -> None:
        if self._lock is not None:
            self._lock.__exit__(None, None, None)


_attendance: ContextVar[_Attendance | None] = ContextVar("attendance", default=None)


def recorded(train: Callable[Arguments, dict[str, Any]]) -> Callable[Arguments, dict[str, Any]]:
    """Note how a trainer's run ends, in the folder that it says to `hold`."""

    @wraps(train)
    def attended(*args: Arguments.args, **kwargs: Arguments.kwargs) -> dict[str, Any]:
        attendance = _Attendance()
        token = _attendance.set(attendance)
        try:
            result = train(*args, **kwargs)
            attendance.end(str(result.get("ended", "done")))
            return result
        except (
            KeyboardInterrupt
        ) as error:  # while it prepares or judges; in between, the loop saves and stops
            attendance.end("stopped")
            raise TrainingError("Stopped. --resume continues from the last checkpoint.") from error
        except BaseException as error:
            attendance.end("failed", _line(error))
            raise
        finally:
            _attendance.reset(token)
            attendance.release()

    return attended


def hold(run_dir: Path) -> None:
    """Say that this process trains the run in `run_dir` now, until the `recorded` call that it is in ends.

    Raises:
        TrainingError: another process trains it.
        StorageError: the folder cannot be written.
    """
    if attendance := _attendance.get():
        attendance.hold(run_dir)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def spent(run_dir: Path, process: Process) -> float:
    """Seconds of a run until that process ended; until its last sign of life where it was killed."""
    finished = process.finished
    if not finished:
        try:
            finished = (run_dir / "metrics.jsonl").stat().st_mtime
        except OSError:
            finished = process.begun
    return process.spent_s + max(0.0, finished - process.begun)


def _line(error: BaseException) -> str:
    """What a person is told of why it failed."""
    if isinstance(error, VitrineError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The machine's memory is exhausted. Use a smaller batch or a smaller preset."
    if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported here
        return (
            "The GPU's memory is exhausted. Use a smaller batch, or compute it in parts (--accumulate 2). "
            "The last checkpoint is saved: --resume continues from it."
        )
    first = (str(error).strip().splitlines() or [""])[0][:300]
    return f"{type(error).__name__}: {first}. This is a bug in Vitrine; see the log."
