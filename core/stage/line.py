"""The line of visitors who ask: one job a visitor, a place and a waiting time, a bound, and nothing for those who left.

One thread works it off, since the models use all cores anyway. Everything is in memory and ends with the process.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import VitrineError

WAITING = 40  # jobs that wait at most
GONE_S = 12.0  # a visitor whose page did not ask for this long has left
KEPT_S = 900.0  # that an answer is kept for its visitor
ANSWERS = 256  # kept at most, and as many in the cache
FIRST_S = 1.5  # that an answer is thought to take before one was given

State = Literal["waiting", "running", "done", "failed"]


@dataclass
class Job:
    """What a visitor asked, and what came of it."""

    visitor: str
    work: Callable[[], Any] | None  # None once it has run: it may hold a photo
    digest: str  # of what is asked: the same is answered from the cache
    number: int
    seen: float
    state: State = "waiting"
    answer: Any = None
    error: str = ""


@dataclass(frozen=True)
class Told:
    """What a visitor is told of their job.

    Attributes:
        state: as of the job; `none` where it is not known (any more), `full` where the line took none.
        place: jobs before it, 0 for the next one.
        seconds: until its answer, about; for `full`, until it is worth trying again.
    """

    state: Literal["waiting", "running", "done", "failed", "none", "full"]
    place: int = 0
    seconds: float = 0.0
    answer: Any = None
    error: str = ""


class Line:
    """The line. `run_next` works; `start` lets a thread do so."""

    def __init__(self, waiting: int = WAITING, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = waiting, clock
        self._jobs: OrderedDict[str, Job] = OrderedDict()  # by visitor, in the order of asking
        self._cache: OrderedDict[str, Any] = OrderedDict()
        self._changed = threading.Condition()
        self._number = 0
        self._running: Job | None = None
        self._pace_s = FIRST_S
        self._thread: threading.Thread | None = None
        self.counts = {"answered": 0, "cached": 0, "refused": 0, "left": 0, "failed": 0}

    def ask(self, visitor: str, digest: str, work: Callable[[], Any]) -> Told:
        """Ask something. A visitor's earlier job that still waits is replaced at its place.

        Args:
            digest: of what is asked; the same digest has the same answer.
            work: gives the answer; raises a VitrineError that the visitor reads.
        """
        with self._changed:
            self._sweep()
            now, known = self._clock(), self._jobs.get(visitor)
            if digest in self._cache:
                self._cache.move_to_end(digest)
                self._put(Job(visitor, None, digest, 0, now, "done", self._cache[digest]))
                self.counts["cached"] += 1
            elif known is not None and known.state == "running":
                if known.digest != digest:
                    return Told("full", seconds=self._pace_s)  # one running job a visitor
            elif known is not None and known.state == "waiting":
                known.work, known.digest, known.seen = work, digest, now
            elif len(self._waiting()) >= self._most:
                self.counts["refused"] += 1
                return Told("full", seconds=round(self._pace_s * self._most / 2, 1))
            else:
                self._number += 1
                self._put(Job(visitor, work, digest, self._number, now))
                self._changed.notify_all()
            return self._told(self._jobs[visitor])

    def state(self, visitor: str) -> Told:
        """How a visitor's job stands; asking says that the visitor is still there."""
        with self._changed:
            self._sweep()
            job = self._jobs.get(visitor)
            if job is None:
                return Told("none")
            job.seen = self._clock()
            return self._told(job)

    def leave(self, visitor: str) -> None:
        """The visitor has gone, or asks no more."""
        with self._changed:
            self._jobs.pop(visitor, None)

    def clear(self) -> None:
        """Forget everything but what runs now."""
        with self._changed:
            self._jobs.clear()
            self._cache.clear()

    @property
    def length(self) -> int:
        """Jobs that wait."""
        with self._changed:
            self._sweep()
            return len(self._waiting())

    def run_next(self) -> bool:
        """Do the first job that waits; False where there is none."""
        with self._changed:
            self._sweep()
            job = next(iter(self._waiting()), None)
            if job is None:
                return False
            job.state, self._running = "running", job
            work, job.work = job.work, None
        started = self._clock()
        try:
            answer, error = work() if work else None, ""
        except VitrineError as wrong:
            answer, error = None, str(wrong)
        except Exception as wrong:  # one photo must not stop the line
            answer, error = None, f"Something broke ({type(wrong).__name__}). Try another photo."
        with self._changed:
            self._running = None
            self._pace_s = 0.7 * self._pace_s + 0.3 * (self._clock() - started)
            job.answer, job.error, job.state = answer, error, "failed" if error else "done"
            self.counts["failed" if error else "answered"] += 1
            if not error:
                self._cache[job.digest] = answer
                while len(self._cache) > ANSWERS:
                    self._cache.popitem(last=False)
        return True

    def start(self) -> None:
        """Let a thread work, once."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="visitors", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            if not self.run_next():
                with self._changed:
                    if not self._waiting():
                        self._changed.wait(5)

    def _waiting(self) -> list[Job]:
        return sorted((job for job in self._jobs.values() if job.state == "waiting"), key=lambda job: job.number)  # fmt: skip

    def _told(self, job: Job) -> Told:
        if job.state != "waiting":
            return Told(job.state, answer=job.answer, error=job.error)
        place = self._waiting().index(job)
        before = place + (self._running is not None)
        return Told("waiting", place, round((before + 1) * self._pace_s, 1))

    def _put(self, job: Job) -> None:
        self._jobs.pop(job.visitor, None)
        self._jobs[job.visitor] = job
        while len(self._jobs) > ANSWERS + self._most:
            oldest = next(each for each in self._jobs.values() if each.state not in ("waiting", "running"))
            del self._jobs[oldest.visitor]

    def _sweep(self) -> None:
        """Drop the jobs of who left, and old answers."""
        now = self._clock()
        for visitor, job in list(self._jobs.items()):
            away = now - job.seen
            if job.state == "waiting" and away > GONE_S:
                self.counts["left"] += 1
                del self._jobs[visitor]
            elif job.state in ("done", "failed") and away > KEPT_S:
                del self._jobs[visitor]
