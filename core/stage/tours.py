"""Tours: a list of links of this app, each with a line of text and notes for the speaker, in a small file of a dataset.

A tour is stored in the dataset's folder, so that it travels with it. A link that shows the tour's own dataset does not name
it, so that the dataset may have another name elsewhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from core.catalog.info import DatasetInfo, datasets, info
from core.catalog.views import CONTROL, View
from core.errors import StorageError, UsageError
from core.settings import ASSETS
from core.storage import alone, storage_errors

FOLDER = "tours"  # of a dataset
SHIPPED = ASSETS / "demo" / "tour.json"
STORY = "story"  # the name of the shipped tour
VERSION = 1
STOPS = 60  # of a tour
TOURS = 50  # of a dataset
LINE_CHARACTERS = 200
NOTES_CHARACTERS = 4_000
FILE_BYTES = 2**20
LINK_CHARACTERS = 16_384
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
LINES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")  # control characters but the line's end
HOME = "home"  # how the page at / is written
NOT_SHOWN = frozenset(("sign-in", "sign-out", "stage", "phone", "wall", "presenter", "healthz"))


@dataclass(frozen=True)
class Stop:
    """One view of a tour.

    Attributes:
        line: what the audience reads below it; 1 to 200 characters.
        page: the page's part of the address, `home` for the first page.
        query: parameters and their values; without `dataset`, the tour's own.
        notes: what only the speaker sees; lines of text.
    """

    line: str
    page: str
    query: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notes: str = ""

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: a part is not what it should be.
        """
        if not self.line.strip() or len(self.line) > LINE_CHARACTERS or CONTROL.search(self.line):
            raise UsageError(f"The line of a view has 1 to {LINE_CHARACTERS} characters.")
        if len(self.notes) > NOTES_CHARACTERS or LINES.search(self.notes):
            raise UsageError(f"The notes of a view have {NOTES_CHARACTERS:,} characters at most.")
        if self.page in NOT_SHOWN:
            raise UsageError(f"A tour cannot show {self.page}: it shows pages of datasets and models.")
        View("view", self.page, self.query)  # raises

    def dataset(self, own: str) -> str:
        """The dataset that it shows, in a tour of the dataset `own`."""
        return next((values[0] for key, values in self.query if key == "dataset" and values), own)

    def address(self, own: str) -> str:
        """Its address on this server, in a tour of the dataset `own`.

        >>> Stop("Red", "browse", (("text", ("red",)),)).address("demo")
        '/browse?dataset=demo&text=red'
        """
        query = [(key, value) for key, values in self.query for value in values]
        if not any(key == "dataset" for key, _ in query):
            query.insert(0, ("dataset", own))
        return f"/{'' if self.page == HOME else self.page}?{urlencode(query)}"

    def trouble(self, own: str) -> str:
        """Why it cannot be shown; empty where it can."""
        name = self.dataset(own)
        return "" if name in {known.name for known in datasets()} else f"The dataset {name} is not here."

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        query = {key: list(values) for key, values in self.query}
        return {"line": self.line, "page": self.page, "query": query, "notes": self.notes}


@dataclass(frozen=True)
class Tour:
    """A list of views under a title."""

    name: str
    title: str
    stops: tuple[Stop, ...] = ()

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: a part is not what it should be.
        """
        if not NAME.fullmatch(self.name):
            raise UsageError(f"{self.name[:40]!r} cannot be a tour's name: 1 to 40 of a-z, 0-9 and '-', first a letter or digit.")  # fmt: skip
        if not self.title.strip() or len(self.title) > LINE_CHARACTERS or CONTROL.search(self.title):
            raise UsageError(f"The title of a tour has 1 to {LINE_CHARACTERS} characters.")
        if len(self.stops) > STOPS:
            raise UsageError(f"A tour has {STOPS} views at most.")

    def bytes(self) -> bytes:
        """The file of a tour."""
        said = {"vitrine": "tour", "version": VERSION, "name": self.name, "title": self.title}
        return (
            json.dumps(said | {"stops": [stop.as_dict() for stop in self.stops]}, ensure_ascii=False, indent=1) + "\n"
        ).encode()  # fmt: skip

    def with_stop(self, stop: Stop) -> Tour:
        """The tour with one more view at its end."""
        return replace(self, stops=(*self.stops, stop))

    def moved(self, position: int, by: int) -> Tour:
        """The tour with a view moved by some places, as far as there are places.

        Raises:
            UsageError: there is no such view.
        """
        stops = list(self.stops)
        if not 0 <= position < len(stops):
            raise UsageError(f"The tour {self.name} has no view {position + 1}.")
        stop = stops.pop(position)
        stops.insert(min(max(position + by, 0), len(stops)), stop)
        return replace(self, stops=tuple(stops))

    def without(self, position: int) -> Tour:
        """
        Raises:
            UsageError: there is no such view.
        """
        if not 0 <= position < len(self.stops):
            raise UsageError(f"The tour {self.name} has no view {position + 1}.")
        return replace(self, stops=self.stops[:position] + self.stops[position + 1 :])


def slug(title: str) -> str:
    """The name of a tour with this title.

    >>> slug("The paper, in 8 views"), slug("展台")
    ('the-paper-in-8-views', 'tour')
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-") or "tour"


def stop(line: str, page: str, query: Mapping[str, Sequence[str]], own: str, notes: str = "") -> Stop:
    """A view of a page in a tour of the dataset `own`, which it does not name, nor its fingerprint: the tour may travel.

    Raises:
        UsageError: a part is not what it should be.
    """
    kept = tuple(
        (key, tuple(values))
        for key, values in query.items()
        if (key, list(values)) != ("dataset", [own]) and key != "fingerprint"
    )
    return Stop(line.strip(), page or HOME, kept, notes.strip())


def stop_of_link(line: str, link: str, own: str, notes: str = "") -> Stop:
    """A view of a link that somebody copied from the browser: /browse?dataset=demo, or with http and the server.

    Raises:
        UsageError: it is no link of this app.
    """
    if len(link) > LINK_CHARACTERS:
        raise UsageError(f"The link is longer than {LINK_CHARACTERS:,} characters.")
    try:
        parts = urlsplit(link.strip())
        query = parse_qs(parts.query, max_num_fields=2_000)
    except ValueError as error:
        raise UsageError(f"{link[:80]!r} is not a link of Vitrine.") from error
    page = parts.path.strip("/")
    if parts.scheme not in ("", "http", "https") or "/" in page or (parts.netloc and not parts.scheme):
        raise UsageError(f"{link[:80]!r} is not a link of a page of Vitrine, such as /browse?dataset=demo.")
    return stop(line, page, query, own, notes)


def tours(dataset: DatasetInfo) -> list[Tour]:
    """The tours of a dataset by name; of one that Vitrine drew, the shipped one first. One that cannot be read is left out:
    `tour` says why."""
    found = []
    for path in sorted((dataset.folder / FOLDER).glob("*.json")):
        try:
            found.append(_read_file(path))
        except UsageError:
            continue
    shipped = _shipped(dataset)
    return ([shipped] if shipped and STORY not in {each.name for each in found} else []) + found


def tour(dataset: str, name: str) -> Tour:
    """One tour.

    Raises:
        UnknownDatasetError: there is no such dataset; it may have been removed.
        UsageError: it has no such tour, or its file cannot be read.
    """
    there = info(dataset)
    if NAME.fullmatch(name):
        path = there.folder / FOLDER / f"{name}.json"
        if path.is_file():
            return _read_file(path)
        if name == STORY and (shipped := _shipped(there)):
            return shipped
    known = ", ".join(each.name for each in tours(there)) or "none yet"
    raise UsageError(f"{dataset} has no tour {name[:40]!r}; there is: {known}.")


def every() -> list[tuple[DatasetInfo, Tour]]:
    """The tours of all datasets."""
    return [(dataset, each) for dataset in datasets() for each in tours(dataset)]


def save(dataset: str, made: Tour) -> None:
    """Store a tour in its dataset's folder, in the place of one of that name.

    Raises:
        UnknownDatasetError: the dataset is not here.
        UsageError: the dataset has too many tours, or the tour is too large.
        StorageError: it cannot be written.
    """
    data, folder = made.bytes(), info(dataset).folder / FOLDER
    if len(data) > FILE_BYTES:
        raise UsageError(f"The tour {made.name} is larger than {FILE_BYTES >> 20} MB.")
    with storage_errors(folder.parent):
        folder.mkdir(exist_ok=True)
        path = folder / f"{made.name}.json"
        if not path.exists() and len(list(folder.glob("*.json"))) >= TOURS:
            raise UsageError(f"{dataset} has {TOURS} tours, which is the most. Delete one first.")
        aside = path.with_name(f".{made.name}.{os.getpid()}")
        try:
            with aside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def add(dataset: str, name: str, title: str, made: Stop) -> Tour:
    """Put a view at the end of a tour, which is made where it is not there yet.

    Raises:
        UnknownDatasetError, UsageError, StorageError: as `save`, or the tour's file cannot be read.
    """
    there = info(dataset)

    def busy(_: str) -> StorageError:
        return StorageError("Somebody else changes this tour now. Try again.")

    with storage_errors(there.folder):
        (there.folder / FOLDER).mkdir(exist_ok=True)
    with alone(there.folder / FOLDER / f".{slug(name)}.lock", busy):
        known = name in {each.name for each in tours(there)}
        grown = (tour(dataset, name) if known else Tour(name, title)).with_stop(made)
        save(dataset, grown)
    return grown


def remove(dataset: str, name: str) -> None:
    """Delete a tour; the shipped one only goes back to what was shipped.

    Raises:
        UnknownDatasetError, UsageError: there is no such tour.
        StorageError: it cannot be written.
    """
    there = info(dataset)
    path = there.folder / FOLDER / f"{name}.json"
    if not NAME.fullmatch(name) or not path.exists():
        raise UsageError(f"{dataset} has no tour {name[:40]!r} that could be deleted.")
    with storage_errors(there.folder):
        path.unlink(missing_ok=True)


def receive(dataset: str, data: bytes) -> Tour:
    """Store the tour of a file that somebody sent; one of its name is not replaced: it gets a number.

    Raises:
        UnknownDatasetError: the dataset is not here.
        UsageError: it is no such file.
        StorageError: it cannot be written.
    """
    made = read(data)
    taken = {each.name for each in tours(info(dataset))}
    number, name = 1, made.name
    while name in taken:
        number += 1
        name = f"{made.name[:36]}-{number}"
    made = replace(made, name=name)
    save(dataset, made)
    return made


def read(data: bytes) -> Tour:
    """A tour of a file's bytes.

    Raises:
        UsageError: it is none; the text says what is wrong.
    """
    if len(data) > FILE_BYTES:
        raise UsageError(f"The file is larger than {FILE_BYTES >> 20} MB: it holds no tour of Vitrine.")
    try:
        said = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError("This is not a file of a tour: it is not JSON.") from error
    if not isinstance(said, dict) or said.get("vitrine") != "tour" or not isinstance(said.get("stops"), list):
        raise UsageError("This is not a file of a tour: it does not say that it holds one.")
    if said.get("version") != VERSION:
        raise UsageError(f"This tour is of version {str(said.get('version'))[:20]}; this Vitrine reads {VERSION}.")  # fmt: skip
    if len(said["stops"]) > STOPS:
        raise UsageError(f"This tour has {len(said['stops']):,} views; {STOPS} are allowed.")
    name, title = said.get("name"), said.get("title")
    if not isinstance(name, str) or not isinstance(title, str):
        raise UsageError("This tour has no name and title.")
    return Tour(name, title, tuple(_stop(entry, number) for number, entry in enumerate(said["stops"], 1)))


def _stop(entry: Any, number: int) -> Stop:
    query = entry.get("query", {}) if isinstance(entry, dict) else None
    values = list(query.values()) if isinstance(query, dict) else [None]
    good = all(isinstance(these, list) and all(isinstance(one, str) for one in these) for these in values)
    texts: list[Any] = (
        [entry.get(key, "") for key in ("line", "page", "notes")] if isinstance(entry, dict) else [None]
    )
    if not good or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"View {number} of this tour is not a line, a page and a query of texts.")
    assert isinstance(query, dict)
    line, page, notes = texts
    try:
        return Stop(line, page, tuple((key, tuple(these)) for key, these in query.items()), notes)
    except UsageError as error:
        raise UsageError(f"View {number} of this tour: {error}") from error


def _read_file(path: Path) -> Tour:
    try:
        with path.open("rb") as file:
            found = read(file.read(FILE_BYTES + 1))
    except OSError as error:
        raise UsageError(f"The tour {path.stem} cannot be read ({error.strerror}).") from error
    return replace(found, name=path.stem)


def _shipped(dataset: DatasetInfo) -> Tour | None:
    """The tour that comes with Vitrine, for a dataset that it drew itself."""
    if dataset.source != "glami" or not (dataset.folder / "truth.parquet").exists():
        return None
    return replace(_read_file(SHIPPED), name=STORY)


def place(dataset: str, name: str) -> str:
    """The address of a tour on the stage."""
    return f"/stage/{dataset}/{name}"
