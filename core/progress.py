"""How long work says how far it is."""

from __future__ import annotations

from collections.abc import Callable

# progress(done, total, what): done and total in the same unit of the caller's choice; total 0 is unknown.
Progress = Callable[[int, int, str], None]


def no_progress(done: int, total: int, what: str) -> None:
    """The default: report nothing."""
