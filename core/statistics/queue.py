"""Statistics computed in the background, so that no page waits for a costly one; finished ones are remembered."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from core.statistics.display import Display

WORKERS = 2  # DuckDB spreads each question over the cores by itself
REMEMBERED = 256  # displays; each holds its table


@dataclass(frozen=True)
class Pending:
    """A display that is not there yet."""

    seconds: float  # since it was asked for


class Desk:
    """Takes orders for displays. Any number of threads may ask; equal orders are computed once."""

    def __init__(self, workers: int = WORKERS, remembered: int = REMEMBERED) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="statistics")
        self._remembered = remembered
        self._orders: OrderedDict[Hashable, tuple[Future[Display], float]] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, key: Hashable, make: Callable[[], Display], wait_s: float) -> Display | Pending:
        """The display of that key, or Pending if it is not ready within `wait_s`.

        Raises:
            whatever `make` raised; the next time it is tried again.
        """
        with self._lock:
            if key not in self._orders:
                self._orders[key] = (self._pool.submit(make), time.monotonic())
            self._orders.move_to_end(key)
            future, since = self._orders[key]
            self._forget()
        wait([future], timeout=wait_s)
        if not future.done():
            return Pending(time.monotonic() - since)
        if future.exception() is not None:
            with self._lock:
                self._orders.pop(key, None)
        return future.result()

    def _forget(self) -> None:
        """Drop the finished ones that were asked for longest ago; what is being computed stays."""
        for key in [key for key, (future, _) in self._orders.items() if future.done()]:
            if len(self._orders) <= self._remembered:
                return
            del self._orders[key]
