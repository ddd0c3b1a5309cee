"""GLAMI-1M as published: two CSV tables and a folder of pictures, in a zip, in several, or unpacked.

Source: GLAMI-1M (BMVC 2022), Table 4; https://github.com/glami/glami-1m.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pandas as pd

from core.errors import SourceError
from core.schema import LANGUAGE_OF_GEO
from core.sources.archive import directory, is_url, open_zip
from core.sources.delimited import csv_records
from core.sources.reading import (
    Collector,
    Places,
    Progress,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    existing,
    text_or_none,
)

COLUMNS = ("item_id", "image_id", "geo", "name", "description", "category", "category_name", "label_source")
HUMAN_SOURCES = frozenset(
    ("admin", "quality-check", "custom-tag")
)  # Table 4; combined-tag and empty are rules
TABLE = re.compile(r"(?:^|/)[^/]*?(train|validation|test)\.csv$", re.IGNORECASE)


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open the published archive (zip, several zips, URL) or its unpacked folder."""
    if len(paths) == 1 and not is_url(paths[0]) and existing(paths[0], "GLAMI archive").is_dir():
        return _read_folder(existing(paths[0], "folder"), options, progress)
    archives = [open_zip(path) for path in paths]
    pictures = directory(archives, progress)
    tables: dict[str, tuple[str, int, Callable[[], IO[bytes]]]] = {}
    for path, archive in zip(paths, archives, strict=True):
        for member in archive.infolist():
            if (found := TABLE.search(member.filename)) and "__MACOSX" not in member.filename:
                opener = _member_opener(archive, member)
                tables[found[1].lower()] = (f"{Path(path).name}:{member.filename}", member.file_size, opener)
    _check_tables(tables, " and ".join(paths))
    images = pictures.column("image").to_pylist()
    index = pd.Index(pictures.column("image_id").to_pylist())
    if not index.is_unique:
        keep = ~index.duplicated()
        index, images = index[keep], [image for image, kept in zip(images, keep, strict=True) if kept]
    image_of = dict(zip(index, images, strict=True)).get
    places = tuple(path if is_url(path) else str(existing(path, "archive")) for path in paths)
    return _reading(tables, image_of, Places(places, pictures), options, progress)


def _read_folder(root: Path, options: ReadOptions, progress: Progress) -> Reading:
    tables: dict[str, tuple[str, int, Callable[[], IO[bytes]]]] = {}
    images: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root).as_posix()
        if found := TABLE.search(relative):
            tables[found[1].lower()] = (relative, path.stat().st_size, lambda path=path: path.open("rb"))  # type: ignore[misc]
        elif path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
            images[path.stem] = relative
    _check_tables(tables, str(root))
    return _reading(tables, images.get, Places(root=root), options, progress)


def _member_opener(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    def opener() -> IO[bytes]:
        try:
            return archive.open(member)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise SourceError(f"{member.filename} in the archive cannot be opened: {error}.") from error

    return opener


def _check_tables(tables: dict[str, Any], place: str) -> None:
    missing = [name for name in ("train", "test") if name not in tables]
    if len(missing) == 2:
        raise SourceError(
            f"There is no GLAMI-1M-train.csv and no GLAMI-1M-test.csv in {place}. "
            "Is it a GLAMI archive? For tables of your own: python -m core import table."
        )
    if missing:
        raise SourceError(
            f"GLAMI-1M-{missing[0]}.csv is missing from {place}. The published archive holds both tables, "
            "so the download may be cut: compare its size with the publisher's and download it again."
        )


def _reading(
    tables: dict[str, tuple[str, int, Callable[[], IO[bytes]]]],
    image_of: Callable[[str], str | None],
    pictures: Places,
    options: ReadOptions,
    progress: Progress,
) -> Reading:
    warnings: list[str] = []
    collector = Collector(options)
    order = [split for split in ("train", "validation", "test") if split in tables]
    total = sum(tables[split][1] for split in order)

    def rows() -> Iterator[None]:
        before, without_picture = 0, 0
        for split in order:
            place, size, opener = tables[split]
            with opener() as stream:
                for line, record, reason, raw in _records(stream, place):
                    if record is None:
                        collector.reject(f"{place}:{line}", reason, raw)
                    else:
                        without_picture += _add(
                            collector, split, f"{place}:{line}", record, image_of, options
                        )
                    yield
                    if line % 10_000 == 0:
                        progress(before + min(size, _position(stream)), total, f"Reading the {split} table")
            before += size
        progress(total, total, "Reading the tables")
        if without_picture:
            warnings.append(f"{without_picture:,} products name a picture that the archive does not hold.")

    return Reading(batches_of(collector, rows()), pictures, SPEC.licence, warnings)


def _position(stream: Any) -> int:
    try:
        return int(stream.tell())
    except (OSError, ValueError):
        return 0


def _records(stream: IO[bytes], place: str) -> Iterator[Any]:
    def check(names: list[str]) -> None:
        if absent := [column for column in COLUMNS if column not in names]:
            raise SourceError(
                f"{place} lacks the column {', '.join(absent)}. GLAMI's tables have: {', '.join(COLUMNS)}."
            )

    try:
        yield from csv_records(stream, place, check=check)
    except (zipfile.BadZipFile, EOFError) as error:
        raise SourceError(
            f"{place} is damaged ({error or 'it ends too early'}). Download the archive again."
        ) from error


def _add(
    collector: Collector,
    split: str,
    place: str,
    record: dict[str, Any],
    image_of: Callable[[str], str | None],
    options: ReadOptions,
) -> int:
    """Add one published row; 1 where its picture is missing, else 0."""
    try:
        row: dict[str, Any] = {column: text_or_none(record[column]) for column in COLUMNS}
        other = {key: text_or_none(value) for key, value in record.items() if key not in COLUMNS}
    except ValueError:
        collector.reject(place, "not UTF-8", record)
        return 0
    absent = [column for column in ("item_id", "image_id", "category_name") if row[column] is None]
    if absent:
        collector.reject(place, f"no {' and no '.join(absent)}", record)
        return 0
    label = row["category_name"]
    image = image_of(row["image_id"])
    source = row["label_source"]
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
            "extra": other or None,
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
