"""The process of a run, recorded by the trainer in the run's folder.

`process.json` has the process and, when it has ended, its outcome. A lock on the folder excludes a second trainer; the
system releases it when the process dies.
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
STOP_ASKED = "stop-asked"  # an empty file: the process was asked to stop
SAME_PROCESS_S = 2.0  # processes with the same pid start at least this far apart
LOCK_WAIT_S = 5.0  # the starting process holds the lock while it records the pid

Arguments = ParamSpec("Arguments")


@dataclass(frozen=True)
class Process:
    """The content of process.json."""

    pid: int
    created: float  # Unix time of its start, since pids are reused
    command: list[str]
    begun: float  # Unix seconds
    held: bool = False  # written by the trainer itself, not by the starting process
    spent_s: float = 0.0  # seconds of earlier processes of the run
    ended: str = ""  # done, early, stopped or failed; empty if it is running or was killed
    error: str = ""  # one line, if failed
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
        """Read it; None if it is missing or invalid."""
        try:
            found = cls(**json.loads((run_dir / PROCESS).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        sound = isinstance(found.pid, int) and isinstance(found.created, int | float)
        return found if sound and isinstance(found.command, list) else None

    def alive(self) -> bool:
        return not self.ended and self.find() is not None

    def find(self) -> psutil.Process | None:
        """The process, if it is alive and not another one with the same pid."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created) < SAME_PROCESS_S
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except (psutil.Error, ValueError, OverflowError):
            return None


@contextmanager
def locked(run_dir: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Lock a run's folder.

    Raises:
        TrainingError: it is locked by another process.
        StorageError: it is missing or cannot be read.
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
        except OSError:  # a file system without locks: rely on process.json
            holder = Process.read(run_dir)
            if holder and holder.alive() and holder.pid != os.getpid():
                raise TrainingError(
                    f"The run in {run_dir} is already being trained by process {holder.pid}."
                ) from None
            return


class _Session:
    """One call of a trainer, and the run it has locked."""

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
        if before and before.pid == me.pid and not before.held:  # counted by the starting process
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
        mine = Process.read(self.run_dir)  # None if the folder was deleted, which is not created again
        if mine is not None:
            replace(mine, ended=ended, error=error, finished=time.time()).write(self.run_dir)

    def release(self) -> None:
        if self._lock is not None:
            self._lock.__exit__(None, None, None)


_attendance: ContextVar[_Session | None] = ContextVar("attendance", default=None)


def recorded(train: Callable[Arguments, dict[str, Any]]) -> Callable[Arguments, dict[str, Any]]:
    """Decorate a trainer: record the outcome of its run in the folder given to `hold`."""

    @wraps(train)
    def attended(*args: Arguments.args, **kwargs: Arguments.kwargs) -> dict[str, Any]:
        attendance = _Session()
        token = _attendance.set(attendance)
        try:
            result = train(*args, **kwargs)
            attendance.end(str(result.get("ended", "done")))
            return result
        except (
            KeyboardInterrupt
        ) as error:  # during preparation or evaluation; during training, the loop saves and stops
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
    """Lock `run_dir` and record this process as its trainer, until the enclosing `recorded` call ends.

    Raises:
        TrainingError: another process trains it.
        StorageError: the folder cannot be written.
    """
    if attendance := _attendance.get():
        attendance.hold(run_dir)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def spent(run_dir: Path, process: Process) -> float:
    """Total seconds of a run until a process ended, or until its last write if it was killed."""
    finished = process.finished
    if not finished:
        try:
            finished = (run_dir / "metrics.jsonl").stat().st_mtime
        except OSError:
            finished = process.begun
    return process.spent_s + max(0.0, finished - process.begun)


def _line(error: BaseException) -> str:
    """The error as one line."""
    if isinstance(error, VitrineError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The machine's memory is exhausted. Use a smaller batch or a smaller preset."
    if type(error).__name__ == "OutOfMemoryError":  # of torch, which is not imported here
        return (
            "The GPU's memory is exhausted. Use a smaller batch, or compute it in parts (--accumulate 2). "
            "The last checkpoint is saved: --resume continues from it."
        )
    first = (str(error).strip().splitlines() or [""])[0][:300]
    return f"{type(error).__name__}: {first}. This is a bug in Vitrine; see the log."
