"""A job queue for statistics: computed in the background and cached in memory, so that no page waits."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from core.statistics.display import Display

WORKERS = 2  # DuckDB parallelises each query itself
CACHED = 256  # displays; each has its table


@dataclass(frozen=True)
class Pending:
    """A display that is still being computed."""

    seconds: float  # since it was requested


class DisplayQueue:
    """Computes displays in a thread pool and caches them. Thread-safe; equal requests are computed once."""

    def __init__(self, workers: int = WORKERS, cached: int = CACHED) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="statistics")
        self._cached = cached
        self._jobs: OrderedDict[Hashable, tuple[Future[Display], float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Display], wait_s: float) -> Display | Pending:
        """The display of that key, or Pending if it is not ready within `wait_s`.

        Raises:
            the exception of `make`; the next call tries again.
        """
        with self._lock:
            if key not in self._jobs:
                self._jobs[key] = (self._pool.submit(make), time.monotonic())
            self._jobs.move_to_end(key)
            future, since = self._jobs[key]
            self._forget()
        wait([future], timeout=wait_s)
        if not future.done():
            return Pending(time.monotonic() - since)
        if future.exception() is not None:
            with self._lock:
                self._jobs.pop(key, None)
        return future.result()

    def _forget(self) -> None:
        """Evict the least recently used finished displays; running ones stay."""
        for key in [key for key, (future, _) in self._jobs.items() if future.done()]:
            if len(self._jobs) <= self._cached:
                return
            del self._jobs[key]
