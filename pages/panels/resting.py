"""Gradio polls each queue a thousand times a second; here an idle queue is polled rarely."""

from __future__ import annotations

import time
from typing import Any

AWAKE_S, ASLEEP_S = (
    0.02,
    0.4,
)  # between two looks; the second is the most that the first event after a pause waits
AFTER_S = 60.0  # without a request to a panel, before a queue looks seldom

_asked = 0.0  # when a panel was last asked for anything, in monotonic seconds; of the process, since all its queues rest together


def note_request() -> None:
    """Somebody asked a panel for something: look for events often."""
    global _asked
    _asked = time.monotonic()


def interval_s() -> float:
    """Seconds between two looks, now."""
    return AWAKE_S if time.monotonic() - _asked < AFTER_S else ASLEEP_S


def let_rest(queue: Any) -> None:
    """Give a queue `interval_s` in place of its fixed ones."""

    class Resting(type(queue)):  # type: ignore[misc]
        sleep_when_free = property(lambda self: interval_s())
        progress_update_sleep_when_free = property(lambda self: interval_s())

    queue.__class__ = Resting
