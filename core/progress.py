"""The type of progress callbacks."""

from __future__ import annotations

from collections.abc import Callable

# progress(done, total, what): done and total in the same unit; total 0 if unknown.
Progress = Callable[[int, int, str], None]


def no_progress(done: int, total: int, what: str) -> None:
    """The default: ignore progress."""
