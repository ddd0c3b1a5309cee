"""What a source gives to the build, whatever its layout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from core.errors import SourceError
from core.schema import FROM_SOURCE, PRODUCTS, REJECTED

BATCH_ROWS = 50_000
BATCH_BYTES = 64 * 2**20  # of pictures held in memory at once

# progress(done, total, what): done and total in the same unit of the caller's choice; total 0 is unknown.
Progress = Callable[[int, int, str], None]


def no_progress(done: int, total: int, what: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class ReadOptions:
    """What a person may say about their own data."""

    columns: Mapping[str, str] = field(default_factory=dict)  # ours -> theirs: {"name": "title"}
    separator: str = " > "  # between the levels of a category path
    tree: Mapping[str, Sequence[str]] = field(default_factory=dict)  # category -> its path, root to leaf
    clean_text: bool = False


@dataclass(frozen=True)
class Places:
    """Where a dataset's pictures lie. A picture is a member of an archive, an http(s) address, or a path
    below the root."""

    archives: tuple[str, ...] = ()  # absolute paths or http(s) URLs, each read in place
    directory: pa.Table | None = None  # PICTURES: every picture that the archives hold
    root: Path | None = None


@dataclass(frozen=True)
class Batch:
    products: pa.Table  # FROM_SOURCE
    rejected: pa.Table  # REJECTED
    payload: Mapping[str, bytes] = field(default_factory=dict)  # image -> bytes, where the table held them


@dataclass(frozen=True)
class Reading:
    """An opened source: `batches` is consumed once, by the build."""

    batches: Iterator[Batch]
    pictures: Places
    licence: str
    warnings: list[str] = field(default_factory=list)  # grows while batches are read


@dataclass(frozen=True)
class SourceSpec:
    """One dataset layout that Vitrine reads."""

    name: str
    title: str
    homepage: str
    licence: str
    accepts: str  # one line: what PATH may be
    read: Callable[[Sequence[str], ReadOptions, Progress], Reading]


class Collector:
    """Gathers good rows and rejected ones, and hands them on as a Batch when there are enough."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._rows: dict[str, list[Any]] = {name: [] for name in FROM_SOURCE}
        self._rejected: dict[str, list[str]] = {name: [] for name in REJECTED.names}
        self._payload: dict[str, bytes] = {}
        self._payload_bytes = 0

    def add(self, row: Mapping[str, Any], payload: bytes | None = None) -> None:
        """One product; absent keys are NULL, `extra` is whatever JSON can hold."""
        if self._options.clean_text:
            row = {**row, "name": clean(row.get("name")), "description": clean(row.get("description"))}
        if row.get("extra"):
            row = {**row, "extra": json.dumps(row["extra"], ensure_ascii=False, default=str)}
        for name, values in self._rows.items():
            values.append(row.get(name))
        if payload is not None:
            self._payload[row["image"]] = payload
            self._payload_bytes += len(payload)

    def reject(self, place: str, reason: str, record: Any) -> None:
        """One row that cannot be a product, with what was read of it."""
        text = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False, default=repr)
        for name, value in (("place", place), ("reason", reason), ("record", text[:10_000])):
            self._rejected[name].append(value.encode("utf-8", "replace").decode())

    def full(self) -> bool:
        rows = len(self._rows["item_id"]) + len(self._rejected["place"])
        return rows >= BATCH_ROWS or self._payload_bytes >= BATCH_BYTES

    def take(self) -> Batch:
        """Everything gathered so far; the collector starts anew."""
        schema = pa.schema([PRODUCTS.field(name) for name in FROM_SOURCE])
        batch = Batch(
            pa.table(self._rows, schema=schema), pa.table(self._rejected, schema=REJECTED), self._payload
        )
        self.__init__(self._options)  # type: ignore[misc]
        return batch


_DROPPED = re.compile(r"[\\{}\[\]();<>]")
_SPACED = re.compile(r"[\r\n/]+")


def clean(text: str | None) -> str | None:
    """Text as GLAMI preprocessed it: no backslashes, braces, brackets, semicolons or angle brackets;
    line ends, carriage returns and forward slashes become a space.

    Source: GLAMI-1M, section 3.

    >>> clean("Boots [new]; black/brown\\n36-41")
    'Boots new black brown 36-41'
    """
    return None if text is None else _SPACED.sub(" ", _DROPPED.sub("", text)).strip()


def text_or_none(value: Any) -> str | None:
    """A field as text, NULL where it is empty; NUL characters, which no screen or file can show, go.

    Raises:
        ValueError: the text is not valid Unicode.
    """
    if value is None:
        return None
    text = str(value).replace("\0", "").strip()
    text.encode()  # a lone surrogate stands for a byte that was not UTF-8
    return text or None


def is_inside(relative: str) -> bool:
    """Does a path from an untrusted table stay below the folder it starts from?

    >>> is_inside("images/1.jpg"), is_inside("../1.jpg"), is_inside("/etc/passwd")
    (True, False, False)
    """
    path = PurePosixPath(relative.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and not re.match(r"^[A-Za-z]:", relative)


def existing(path: str, what: str) -> Path:
    """The local path, or a SourceError that names what was looked for."""
    found = Path(path).expanduser()
    if not found.exists():
        raise SourceError(f"There is no {what} at {path}. Check the path.")
    return found.resolve()


def batches_of(collector: Collector, rows: Iterator[None]) -> Iterator[Batch]:
    """Drive `rows`, which fills the collector, and hand on each full batch and the last one."""
    for _ in rows:
        if collector.full():
            yield collector.take()
    yield collector.take()
