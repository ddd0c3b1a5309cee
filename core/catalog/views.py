"""Saved views: addresses of pages with a name, one list for all visitors of a server."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from core.catalog.cohort import Cohort
from core.catalog.info import info
from core.errors import StorageError, UnknownDatasetError, UsageError
from core.settings import settings
from core.storage import storage_errors

FILE = ".views.json"  # in VITRINE_HOME; no dataset can have that name
VERSION = 1
MOST = 200  # views of a server
NAME_CHARACTERS = 80
QUERY_CHARACTERS = 8_192  # of all parameters of one view
PARAMETERS = 60  # different ones
FILE_BYTES = 4 * 2**20  # of the list, or of a shared file
PAGE = re.compile(r"[a-z][a-z0-9-]{0,39}")
PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")
CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True)
class View:
    """One saved address.

    Attributes:
        name: as somebody called it, unique in the list.
        page: the page's part of the address, such as `browse`.
        query: its parameters and their values, in their order.
        saved: the time, UTC.
        fingerprint: of the dataset then; empty without one.
    """

    name: str
    page: str
    query: tuple[tuple[str, tuple[str, ...]], ...]
    saved: str = ""
    fingerprint: str = ""

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: a part is not what it should be.
        """
        if not self.name.strip() or len(self.name) > NAME_CHARACTERS or CONTROL.search(self.name):
            raise UsageError(f"A view's name has 1 to {NAME_CHARACTERS} characters, in one line.")
        if not PAGE.fullmatch(self.page):
            raise UsageError(f"{self.page[:40]!r} is not the address of a page.")
        values = [value for _, these in self.query for value in these]
        if len(self.query) > PARAMETERS or sum(map(len, values)) > QUERY_CHARACTERS:
            raise UsageError(
                f"The view {self.name!r} is too large: {PARAMETERS} parameters and {QUERY_CHARACTERS:,} characters are allowed."
            )
        for key, these in self.query:
            if not PARAMETER.fullmatch(key) or any(CONTROL.search(value) for value in these):
                raise UsageError(
                    f"The view {self.name!r} has a parameter that no address of Vitrine has: {key[:40]!r}."
                )
        if self.dataset:
            Cohort.from_query(dict(self.query))

    @property
    def dataset(self) -> str:
        """The dataset that it shows; empty where it names none."""
        return next((these[0] for key, these in self.query if key == "dataset" and these), "")

    @property
    def address(self) -> str:
        """Its address on this server."""
        text = urlencode([(key, value) for key, these in self.query for value in these])
        return f"/{self.page}?{text}" if text else f"/{self.page}"

    def trouble(self) -> str:
        """Why it does not show what it showed when it was saved; empty where it does."""
        if not self.dataset:
            return ""
        try:
            now = info(self.dataset).fingerprint
        except UnknownDatasetError:
            return f"{self.dataset} is not here, or damaged"
        if self.fingerprint and now != self.fingerprint:
            return f"{self.dataset} was imported again since, from other files"
        return ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name, "page": self.page, "query": {key: list(these) for key, these in self.query},
            "saved": self.saved, "fingerprint": self.fingerprint,
        }  # fmt: skip


def view(name: str, page: str, query: Mapping[str, Sequence[str]]) -> View:
    """A view of this moment.

    Raises:
        UsageError: the name or the address is none.
    """
    made = View(
        name.strip(), page, tuple((key, tuple(these)) for key, these in query.items()),
        f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    )  # fmt: skip
    try:
        return replace(made, fingerprint=info(made.dataset).fingerprint) if made.dataset else made
    except UnknownDatasetError:
        return made


def views() -> list[View]:
    """Every saved view, the newest first.

    Raises:
        StorageError: the list cannot be read.
    """
    path = settings().home / FILE
    try:
        if path.stat().st_size > FILE_BYTES:
            raise UsageError("it is too large")
        return list(_read(path.read_bytes()))
    except FileNotFoundError:
        return []
    except (OSError, UsageError) as error:
        raise StorageError(f"The saved views in {path} cannot be read: {error}. Move the file away to begin anew.") from error  # fmt: skip


def save(made: View) -> None:
    """Put a view first in the list.

    Raises:
        UsageError: there is one of that name, or there are too many.
        StorageError: the list cannot be read or written.
    """
    with _changing() as there:
        if any(known.name == made.name for known in there):
            raise UsageError(f"There is a view named {made.name!r} already. Choose another name, or delete that one on Home.")  # fmt: skip
        there.insert(0, made)


def remove(name: str) -> None:
    """
    Raises:
        UsageError: there is no such view.
        StorageError: the list cannot be read or written.
    """
    with _changing() as there:
        found = [known for known in there if known.name == name]
        if not found:
            raise UsageError(f"There is no view named {name!r}. It may have been deleted.")
        there.remove(found[0])


def shared(some: Sequence[View]) -> bytes:
    """Views as a file to send around."""
    said = {"vitrine": "views", "version": VERSION, "views": [made.as_dict() for made in some]}
    return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode()


def receive(data: bytes) -> list[View]:
    """Add the views of a shared file; one whose name is taken gets a number behind it, one that is there already stays one.

    Returns:
        Those that were added.

    Raises:
        UsageError: it is no such file, or there are too many views.
        StorageError: the list cannot be read or written.
    """
    if len(data) > FILE_BYTES:
        raise UsageError(f"The file is larger than {FILE_BYTES >> 20} MB: it holds no views of Vitrine.")
    try:
        some = list(_read(data))
    except UsageError as error:
        raise UsageError(f"This is not a file of saved views: {error}") from error
    added: list[View] = []
    with _changing() as there:
        for made in some:
            if any((known.page, known.query) == (made.page, made.query) for known in there):
                continue
            named = replace(made, name=_free(made.name, {known.name for known in there}))
            there.insert(len(added), named)
            added.append(named)
    return added


def _free(name: str, taken: set[str]) -> str:
    """
    >>> _free("red", {"red", "red (2)"})
    'red (3)'
    """
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name[: NAME_CHARACTERS - 6]} ({number})"
    return found


def _read(data: bytes) -> Iterator[View]:
    """
    Raises:
        UsageError: it is no list of views.
    """
    try:
        said = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError("it is not JSON.") from error
    if (
        not isinstance(said, dict)
        or said.get("vitrine") != "views"
        or not isinstance(said.get("views"), list)
    ):
        raise UsageError("it does not say that it holds views of Vitrine.")
    if said.get("version") != VERSION:
        raise UsageError(f"it is of version {str(said.get('version'))[:20]}; this Vitrine reads {VERSION}.")
    if len(said["views"]) > MOST:
        raise UsageError(f"it holds {len(said['views']):,} views; {MOST} are allowed.")
    for number, entry in enumerate(said["views"], 1):
        yield _view(entry, number)


def _view(entry: Any, number: int) -> View:
    query = entry.get("query") if isinstance(entry, dict) else None
    texts = (
        [entry.get(key, "") for key in ("name", "page", "saved", "fingerprint")]
        if isinstance(entry, dict)
        else []
    )
    values = list(query.values()) if isinstance(query, dict) else [None]
    good = all(isinstance(these, list) and all(isinstance(one, str) for one in these) for these in values)
    if not texts or not all(isinstance(text, str) and len(text) < 200 for text in texts) or not good:
        raise UsageError(f"its view {number} is not a name, a page and a query of texts.")
    name, page, saved, fingerprint = texts
    assert isinstance(query, dict)
    return View(name, page, tuple((key, tuple(these)) for key, these in query.items()), saved, fingerprint)


@contextmanager
def _changing() -> Iterator[list[View]]:
    """The list, to be changed in place; written as a whole when the block ends well. One process changes it at a time."""
    home = settings().home
    path = home / FILE
    with storage_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / f"{FILE}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = views()
        yield there
        if len(there) > MOST:
            raise UsageError(f"There are {MOST} saved views, which is the most. Delete one first.")
        with storage_errors(home):
            _write(path, shared(there))
    finally:
        os.close(lock)


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
