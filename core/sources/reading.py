"""The interface between a source and the build of a dataset, the same for every layout."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pyarrow as pa

from core.errors import SourceError
from core.progress import Progress
from core.schema import FROM_SOURCE, PRODUCTS, REJECTED

BATCH_ROWS = 50_000
BATCH_BYTES = 64 * 2**20  # of pictures, and of text, in memory at once


@dataclass(frozen=True)
class ReadOptions:
    """Options of an import."""

    columns: Mapping[str, str] = field(default_factory=dict)  # ours -> theirs: {"name": "title"}
    separator: str = " > "  # of the levels of a category path
    tree: Mapping[str, Sequence[str]] = field(default_factory=dict)  # category -> its path, root to leaf
    clean_text: bool = False
    licence: str = ""  # of the data; empty: as published with the layout
    encoding: str = ""  # of a text table; empty: detected
    delimiter: str = ""  # of a text table; empty: detected
    only: str = ""  # a level of category paths; products without it are skipped
    rows: int = 0  # products to read, for a preview; 0: all of them
    notify: Callable[[str], None] = lambda line: None  # called with the detected format and columns


@dataclass(frozen=True)
class Places:
    """The location of a dataset's pictures. A picture is a member of an archive, an HTTP(S) URL, or a path below
    the root."""

    archives: tuple[str, ...] = ()  # absolute paths or http(s) URLs, each read in place
    # PICTURES: all pictures in the archives; a function if it is known only after the batches are read.
    directory: pa.Table | Callable[[], pa.Table] | None = None
    root: Path | None = None


@dataclass(frozen=True)
class Batch:
    products: pa.Table  # FROM_SOURCE
    rejected: pa.Table  # REJECTED
    payload: Mapping[str, bytes] = field(default_factory=dict)  # image -> bytes, if the table contains them
    left_out: int = 0  # number of products skipped by `ReadOptions.only`


@dataclass
class Found:
    """The detected format of a table, known once its first batch is read."""

    names: list[str] = field(default_factory=list)  # of all columns
    encoding: str = ""  # of a text table
    delimiter: str = ""


@dataclass(frozen=True)
class Reading:
    """An opened source. `batches` can be consumed once."""

    batches: Iterator[Batch]
    pictures: Places
    licence: str
    warnings: list[str] = field(default_factory=list)  # grows while batches are read
    close: Callable[[], object] = lambda: None  # closes the opened files
    columns: dict[str, str] = field(default_factory=dict)  # ours -> theirs, known once batches are read
    found: Found = field(default_factory=Found)
    size: int = 0  # bytes of the tables on disk; 0: unknown


@dataclass(frozen=True)
class SourceSpec:
    """A dataset layout."""

    name: str
    title: str
    homepage: str
    licence: str
    accepts: str  # one line: accepted values of PATH
    read: Callable[[Sequence[str], ReadOptions, Progress], Reading]
    citation: str = ""


class Collector:
    """Collects products and rejected records into batches."""

    def __init__(self, options: ReadOptions) -> None:
        self._clean_text = options.clean_text
        self._most, self._taken = options.rows, 0
        self._only, self._left_out = options.only.casefold(), 0
        self._start()

    def _start(self) -> None:
        self._rows: list[Mapping[str, Any]] = []
        self._rejected: list[dict[str, str]] = []
        self._payload: dict[str, bytes] = {}
        self._payload_bytes = self._characters = 0

    def add(self, row: Mapping[str, Any], payload: bytes | None = None) -> None:
        """Add a product. Missing keys are NULL; `extra` is a JSON text or a value to encode as JSON."""
        if self._only and self._only not in (level.casefold() for level in row.get("category_path") or ()):
            self._left_out += 1
            return
        if self._clean_text:
            row = {**row, "name": clean(row.get("name")), "description": clean(row.get("description"))}
        if (extra := row.get("extra")) is not None and not isinstance(extra, str):
            row = {**row, "extra": as_json(extra) if extra else None}
        for text in ("name", "description", "extra"):
            self._characters += len(row.get(text) or "")
        self._rows.append(row)
        if payload is not None:
            self._payload[row["image"]] = payload
            self._payload_bytes += len(payload)

    def reject(self, place: str, reason: str, record: Any) -> None:
        """Add a record that cannot be a product, with the reason."""
        text = record if isinstance(record, str) else as_json(record)
        entry = {"place": place, "reason": reason, "record": text[:10_000]}
        self._characters += len(entry["record"])
        self._rejected.append({key: valid(value) for key, value in entry.items()})

    def full(self) -> bool:
        return (
            len(self._rows) + len(self._rejected) >= BATCH_ROWS
            or self._payload_bytes >= BATCH_BYTES
            or self._characters >= BATCH_BYTES
        )

    def enough(self) -> bool:
        """Whether `ReadOptions.rows` records were read."""
        return bool(self._most) and self._taken + len(self._rows) + len(self._rejected) >= self._most

    def take(self) -> Batch:
        """The batch so far; the collector is then empty."""
        columns = {name: [row.get(name) for row in self._rows] for name in FROM_SOURCE}
        batch = Batch(
            pa.table(columns, schema=pa.schema([PRODUCTS.field(name) for name in FROM_SOURCE])),
            pa.Table.from_pylist(self._rejected, schema=REJECTED),
            self._payload,
            self._left_out,
        )
        self._left_out = 0
        self._taken += len(self._rows) + len(self._rejected)
        self._start()
        return batch


def valid(text: str) -> str:
    """Text that can be encoded: lone surrogates, which stand for undecodable bytes, become `?`."""
    return text.encode("utf-8", "replace").decode()


def as_json(value: Any) -> str:
    return valid(JSON.encode(value))


def _as_text(value: Any) -> str:
    """Represent values that JSON lacks: dates as text, bytes as text or by their number."""
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"({len(value):,} bytes)"


JSON = json.JSONEncoder(ensure_ascii=False, default=_as_text)
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
    """A field as text, None if it is empty. White space is preserved; NUL characters are removed.

    Raises:
        ValueError: the text is not valid Unicode.
    """
    if value is None:
        return None
    text = str(value)
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():
        text.encode()  # a lone surrogate stands for a byte that was not UTF-8
    return text or None


def texts_or_none(record: Mapping[str, str]) -> dict[str, str | None]:
    """`text_or_none` of all fields of a record at once, which is faster.

    Raises:
        ValueError: a field is not valid Unicode.
    """
    together = "".join(record.values())
    if "\0" in together:
        return {column: text_or_none(value) for column, value in record.items()}
    if not together.isascii():
        together.encode()
    return {column: value or None for column, value in record.items()}


def is_inside(relative: str) -> bool:
    """Whether a path from an untrusted table stays below its folder.

    >>> is_inside("images/1.jpg"), is_inside("../1.jpg"), is_inside("/etc/passwd")
    (True, False, False)
    """
    path = PurePosixPath(relative.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and not re.match(r"^[A-Za-z]:", relative)


class Folder:
    """An untrusted folder of pictures: resolves paths of a table to files in it."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._cache = _blobs(root)
        self._parents: dict[str, bool] = {}  # subfolder -> whether it exists and no symlink leads outside

    def look(self, relative: str) -> Literal["file", "missing", "outside"]:
        """Look up a path; `outside` means that it leaves the folder, by itself or through a symlink."""
        if not is_inside(relative):
            return "outside"
        parent = relative.rpartition("/")[0]
        path = f"{self._root}/{relative}"
        try:
            if parent not in self._parents:
                self._parents[parent] = self._contains(os.path.realpath(f"{self._root}/{parent}"))
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                if not self._contains(os.path.realpath(path)):
                    return "outside"
                status = os.stat(path)  # noqa: PTH116 (a million times: no Path objects)
        except (OSError, ValueError):  # missing, or not a valid file name
            return "missing"
        if not self._parents[parent]:
            return "outside"
        return "file" if stat.S_ISREG(status.st_mode) else "missing"

    def _contains(self, real: str) -> bool:
        inside = real == self._root or real.startswith(self._root.rstrip("/") + "/")
        return inside or (self._cache is not None and real.startswith(self._cache + "/"))


def _blobs(root: Path) -> str | None:
    """The blobs/ folder that the links of a Hugging Face snapshot (<repository>/snapshots/<revision>/) point to."""
    parts = os.path.abspath(root).split("/")  # noqa: PTH100 (the links' own names count)
    for at in range(len(parts) - 1, 0, -1):
        if parts[at] == "snapshots" and os.path.isdir(blobs := "/".join([*parts[:at], "blobs"])):  # noqa: PTH112
            return os.path.realpath(blobs)
    return None


def walk(root: Path) -> Iterator[str]:
    """Iterate over files and symlinks to folders below the root in sorted order, without hidden ones."""
    for folder, below, files in os.walk(root):
        relative = Path(folder).relative_to(root).as_posix()
        prefix = "" if relative == "." else f"{relative}/"
        below[:] = sorted(name for name in below if not name.startswith(".") and name != "__MACOSX")
        links = [name for name in below if Path(folder, name).is_symlink()]
        for name in sorted(files + links):
            if not name.startswith("."):
                yield prefix + name


def existing(path: str, what: str) -> Path:
    """The resolved local path.

    Args:
        what: a description of the file for the error.

    Raises:
        SourceError: it does not exist or cannot be read.
    """
    try:
        return Path(path).expanduser().resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError, RuntimeError, ValueError) as error:  # also ~nobody, NUL
        raise SourceError(f"There is no {what} at {path}. Check the path.") from error
    except OSError as error:
        raise SourceError(f"Cannot read the {what} at {path}: {error.strerror}.") from error


def given(path: str, what: str) -> Path:
    """Like `existing`, but without resolving symbolic links: their own names and folders count."""
    existing(path, what)
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100


def batches_of(collector: Collector, rows: Generator[None]) -> Iterator[Batch]:
    """Run `rows`, which fills the collector, and yield full batches and the last one.

    `rows` adds its warnings in a `finally` block, so that they also cover a partial read.
    """
    for _ in rows:
        if collector.enough():
            rows.close()
            break
        if collector.full():
            yield collector.take()
    yield collector.take()
