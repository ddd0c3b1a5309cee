"""The wall: what visitors found, shown to the room. In memory alone.

An entry is the answer, never the question: neither a photo nor the words that somebody typed. A photo is shown only where
its visitor agreed and the presenter let it through.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

ENTRIES = 60  # kept; the oldest go
PHOTOS = 40  # that wait or are shown
PHOTO_BYTES = 400_000


@dataclass(frozen=True)
class Entry:
    """One answer on the wall.

    Attributes:
        found: what is shown, as JSON: the names of classes, and products of the dataset.
        photo: a small JPEG that its visitor agreed to show; empty without.
        shown: whether the presenter let the photo through.
    """

    number: int
    visitor: str
    found: dict[str, Any] = field(default_factory=dict)
    photo: bytes = b""
    shown: bool = False


class Wall:
    """Thread-safe."""

    def __init__(self) -> None:
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.hidden = False
        self.version = 0  # grows with every change
        self.resets = 0  # how often everything began anew

    def add(self, visitor: str, found: dict[str, Any]) -> int:
        """Show an answer; returns its number."""
        with self._lock:
            number = next(self._numbers)
            self._entries[number] = Entry(number, visitor, found)
            while len(self._entries) > ENTRIES:
                self._entries.popitem(last=False)
            self.version += 1
            return number

    def offer(self, visitor: str, number: int, photo: bytes) -> bool:
        """A visitor agrees to show the photo of their own entry; False where there is none, or too many wait."""
        with self._lock:
            entry = self._entries.get(number)
            held = sum(bool(each.photo) for each in self._entries.values())
            if entry is None or entry.visitor != visitor or held >= PHOTOS or len(photo) > PHOTO_BYTES:
                return False
            self._change(replace(entry, photo=photo, shown=False))
            return True

    def withdraw(self, visitor: str, number: int) -> None:
        """A visitor changes their mind: the photo is forgotten."""
        with self._lock:
            entry = self._entries.get(number)
            if entry is not None and entry.visitor == visitor:
                self._change(replace(entry, photo=b"", shown=False))

    def let(self, number: int, shown: bool) -> None:
        """The presenter lets a photo through, or forgets it."""
        with self._lock:
            if (entry := self._entries.get(number)) and entry.photo:
                self._change(replace(entry, shown=True) if shown else replace(entry, photo=b"", shown=False))

    def drop(self, number: int) -> None:
        """Take one entry off the wall."""
        with self._lock:
            if self._entries.pop(number, None):
                self.version += 1

    def photo(self, number: int, waiting: bool = False) -> bytes | None:
        """A photo that may be shown; with `waiting`, also one that the presenter has not let through."""
        with self._lock:
            entry = self._entries.get(number)
            return entry.photo if entry and entry.photo and (entry.shown or waiting) else None

    def entries(self) -> list[Entry]:
        """The newest first."""
        with self._lock:
            return list(reversed(self._entries.values()))

    def hide(self, hidden: bool) -> None:
        with self._lock:
            self.hidden = hidden
            self.version += 1

    def clear(self) -> None:
        """Forget every entry and photo."""
        with self._lock:
            self._entries.clear()
            self.version += 1

    def reset(self) -> None:
        """Clear it, and tell every stage to begin anew."""
        self.clear()
        with self._lock:
            self.hidden = False
            self.resets += 1

    def _change(self, entry: Entry) -> None:
        self._entries[entry.number] = entry
        self.version += 1
