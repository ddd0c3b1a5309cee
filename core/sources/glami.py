"""GLAMI-1M as published: two CSV tables and a folder of pictures, as one zip, several zips, or unpacked.

Source: GLAMI-1M (BMVC 2022), Table 4; https://github.com/glami/glami-1m.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from core.errors import SourceError
from core.progress import Progress
from core.schema import LANGUAGE_OF_GEO
from core.sources.archive import PICTURE_SUFFIXES, directory, is_url, open_zip
from core.sources.bounds import check_growth
from core.sources.delimited import csv_records
from core.sources.reading import (
    Collector,
    Folder,
    Places,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    existing,
    texts_or_none,
    walk,
)

COLUMNS = ("item_id", "image_id", "geo", "name", "description", "category", "category_name", "label_source")
REQUIRED = ("item_id", "image_id", "category_name")
# Table 4; combined-tag and empty are rule-based
HUMAN_SOURCES = frozenset(("admin", "quality-check", "custom-tag"))
SPLITS = ("train", "validation", "test")
TABLE = re.compile(r"(?:^|/)(?:[^/]*[-_ .])?(train|validation|test)\.csv$", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """One of the published CSV files."""

    place: str  # for messages
    size: int  # bytes
    packed: int  # bytes in its archive, compressed
    digest: int  # equal for copies of one file
    open: Callable[[], IO[bytes]]


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open the published archive (zip, several zips, URL) or its unpacked folder."""
    if len(paths) == 1 and not is_url(paths[0]) and existing(paths[0], "GLAMI archive").is_dir():
        return _read_folder(existing(paths[0], "folder"), options, progress)
    with ExitStack() as stack:
        archives = [stack.enter_context(open_zip(path)) for path in paths]
        tables = _Tables(" and ".join(paths))
        for path, archive in zip(paths, archives, strict=True):
            for member in archive.infolist():
                name = member.filename
                if name[-4:].lower() == ".csv" and not name.startswith("__MACOSX/"):
                    opener = _member_opener(archive, member)
                    tables.offer(
                        name,
                        Table(
                            f"{Path(path).name}:{name}",
                            member.file_size,
                            member.compress_size,
                            member.CRC,
                            opener,
                        ),
                    )
        tables.check()
        pictures = directory(archives, progress)
        images = pictures.column("image").to_pylist()
        identifiers = pictures.column("image_id").to_pylist()
        # If a name occurs in several parts, the first part wins.
        image_of = dict(zip(reversed(identifiers), reversed(images), strict=True)).get
        places = tuple(path if is_url(path) else str(existing(path, "archive")) for path in paths)
        reading = _reading(tables, image_of, Places(places, pictures), options, progress)
        return replace(reading, close=stack.pop_all().close)


def _read_folder(root: Path, options: ReadOptions, progress: Progress) -> Reading:
    tables = _Tables(str(root))
    folder = Folder(root)
    images: dict[str, str] = {}
    for done, relative in enumerate(walk(root)):
        if done % 10_000 == 0:
            progress(done, 0, "Looking for pictures")
        path = root / relative
        if path.suffix.lower() in PICTURE_SUFFIXES:
            if folder.look(relative) == "file":
                images.setdefault(path.stem, relative)
        elif TABLE.search(relative) and folder.look(relative) == "file":
            size = path.stat().st_size
            tables.offer(relative, Table(relative, size, size, hash(path), _file_opener(path)))
    tables.check()
    return _reading(tables, images.get, Places(root=root), options, progress)


def _file_opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _member_opener(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    def opener() -> IO[bytes]:
        try:
            return archive.open(member)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            what = "is encrypted" if "encrypted" in str(error) else f"cannot be opened ({error})"
            raise SourceError(
                f"{member.filename} in the archive {what}. Unpack the archive and import the folder."
            ) from error

    return opener


class _Tables(dict[str, Table]):
    """The tables found, by split."""

    def __init__(self, where: str) -> None:
        self._where = where

    def offer(self, name: str, table: Table) -> None:
        """Add a table if its file name is that of a split."""
        if not (found := TABLE.search(name)):
            return
        split = found[1].lower()
        if split in self and (self[split].size, self[split].digest) != (table.size, table.digest):
            raise SourceError(
                f"There are two different {split} tables: {self[split].place} and {table.place}. "
                "Remove one of them."
            )
        self.setdefault(split, table)

    def check(self) -> None:
        missing = [split for split in ("train", "test") if split not in self]
        if len(missing) == 2:
            raise SourceError(
                f"There is no GLAMI-1M-train.csv and no GLAMI-1M-test.csv in {self._where}. "
                "Is it a GLAMI archive? For tables of your own: vitrine import table."
            )
        if missing:
            raise SourceError(
                f"GLAMI-1M-{missing[0]}.csv is missing from {self._where}. The published archive has both "
                "tables, so the download may be incomplete: compare its size with the publisher's and download it again."
            )


def _reading(
    tables: dict[str, Table],
    image_of: Callable[[str], str | None],
    pictures: Places,
    options: ReadOptions,
    progress: Progress,
) -> Reading:
    warnings: list[str] = []
    collector = Collector(options)
    total = sum(table.size for table in tables.values())
    packed = sum(table.packed for table in tables.values())
    for table in tables.values():
        check_growth(table.size, table.packed, table.place)

    def rows() -> Generator[None]:
        before, without_picture = 0, 0
        try:
            for split in SPLITS:
                if split not in tables:
                    continue
                table = tables[split]
                with table.open() as stream:
                    for line, record, reason, raw in _records(stream, table.place, warnings):
                        place = f"{table.place}:{line}"
                        if record is None:
                            collector.reject(place, reason, raw)
                        else:
                            without_picture += _add(collector, split, place, record, image_of, options)
                        yield
                        if line % 10_000 == 0:
                            progress(
                                before + min(table.size, stream.tell()), total, f"Reading the {split} table"
                            )
                before += table.size
            progress(total, total, "Reading the tables")
        finally:
            if without_picture:
                warnings.append(f"{without_picture:,} products name a picture that is not in the archive.")

    return Reading(batches_of(collector, rows()), pictures, SPEC.licence, warnings, size=packed)


def _records(stream: IO[bytes], place: str, warnings: list[str]) -> Iterator[Any]:
    def check(names: list[str]) -> None:
        if absent := [column for column in COLUMNS if column not in names]:
            raise SourceError(
                f"{place} lacks the column {', '.join(absent)}. GLAMI's tables have: {', '.join(COLUMNS)}."
            )

    try:
        yield from csv_records(stream, place, check=check, warnings=warnings)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise SourceError(
            f"{place} is damaged ({error or 'it is incomplete'}). Download the archive again."
        ) from error


def _add(
    collector: Collector,
    split: str,
    place: str,
    record: dict[str, Any],
    image_of: Callable[[str], str | None],
    options: ReadOptions,
) -> int:
    """Add one published row. Returns 1 if its picture is missing, else 0."""
    try:
        row = texts_or_none(record)
    except ValueError:
        collector.reject(place, "not UTF-8", record)
        return 0
    if absent := [column for column in REQUIRED if row[column] is None]:
        collector.reject(place, f"no {' and no '.join(absent)}", record)
        return 0
    label, source = row["category_name"] or "", row["label_source"]
    image = image_of(row["image_id"] or "")
    collector.add(
        {
            "item_id": row["item_id"],
            "image_id": row["image_id"],
            "split": split,
            "geo": row["geo"],
            "language": LANGUAGE_OF_GEO.get(row["geo"] or ""),
            "name": row["name"],
            "description": row["description"],
            "category": label,
            "category_path": list(options.tree.get(label, (label,))),
            "category_id": row["category"],
            "label_source": source,
            "label_kind": "human" if source in HUMAN_SOURCES else "machine",
            "image": image,
            "extra": {column: row[column] for column in row if column not in COLUMNS} or None,
        }
    )
    return image is None


SPEC = SourceSpec(
    name="glami",
    title="GLAMI-1M archive",
    homepage="https://github.com/glami/glami-1m",
    licence="as published with GLAMI-1M",
    accepts="the published zip, several zips (800x800), an unpacked folder, or an http(s) URL of the zip",
    read=read,
)
