"""MEP-3M: one JSON list of annotations, folders of pictures, and a table of the label tree.

Source: MEP-3M (Liu et al., LTDL workshop at IJCAI 2021), section 3; https://github.com/ChenDelong1999/MEP-3M.
"""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import SourceError
from core.progress import Progress
from core.sources.bounds import FIELD_CHARACTERS, LONG, NESTED, too_deep
from core.sources.encoding import detect, sample
from core.sources.json_records import json_values
from core.sources.reading import (
    Collector,
    Folder,
    Found,
    Places,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    existing,
    text_or_none,
)
from core.sources.values import text_of

LEVELS = ("class", "sub_class", "subsub_class")
ABSENT = (
    "FALSE",
    "FLASE",
    "False",
    "false",
    "",
    "NaN",
    "nan",
)  # no third level, with the published spelling
BOOK_BYTES = 256 * 2**20  # of dataset_info.xlsx, decompressed
USED = {f"{level}_{part}" for level in LEVELS for part in ("id", "name")} | {"img_path", "title", "OCR"}


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open annotation.json, or the folder that contains it, its pictures and dataset_info.xlsx."""
    if len(paths) != 1:
        raise SourceError("mep3m takes one path: annotation.json or the folder that contains it.")
    given = existing(paths[0], "MEP-3M annotation file or folder")
    annotation = _annotation(given)
    root = annotation.parent
    warnings: list[str] = []
    names = _label_tree(root / "dataset_info.xlsx", warnings)
    collector = Collector(options)
    folder, found = Folder(root), Found()
    size = annotation.stat().st_size

    def rows() -> Generator[None]:
        missing_pictures = 0
        try:
            for number, (record, position) in enumerate(
                _stream(annotation, options.encoding, warnings, found), 1
            ):
                missing_pictures += _add(collector, number, record, folder, names)
                yield
                if number % 5_000 == 0:
                    progress(min(position, size), size, "Reading annotations")
            progress(size, size, "Reading annotations")
        finally:
            if missing_pictures:
                warnings.append(
                    f"{missing_pictures:,} products name a picture that is not beside the annotations."
                )

    return Reading(
        batches_of(collector, rows()), Places(root=root), SPEC.licence, warnings, found=found, size=size
    )


def _annotation(given: Path) -> Path:
    if given.is_file():
        return given
    found = sorted(given.glob("annotation*.json"))
    if len(found) != 1:
        count = "no" if not found else "more than one"
        raise SourceError(f"There is {count} annotation*.json in {given}. Give the path of the file itself.")
    return found[0]


def _stream(path: Path, encoding: str, warnings: list[str], about: Found) -> Iterator[tuple[Any, int]]:
    """Iterate over the records with their positions in the file, without loading the whole list."""
    with path.open("rb") as stream:
        data = sample(stream)
        if not data.lstrip(b"\xef\xbb\xbf \t\r\n"):
            raise SourceError(f"{path.name} is empty.")
        start = data.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
        if not start.startswith(b"["):
            raise SourceError(
                f"{path.name} is not a JSON list of annotations (it starts with {start[:20]!r})."
            )
        try:
            about.encoding = encoding = encoding or detect(data, path.name, warnings)
        except SourceError as error:
            raise SourceError(f"{path.name} is not valid JSON: it is not in UTF-8.") from error
        for _, record in json_values(stream, path.name, encoding):
            yield record, stream.tell()


def _label_tree(path: Path, warnings: list[str]) -> dict[tuple[str, str], str]:
    """(level, id) -> name from dataset_info.xlsx; empty if the file is missing or unreadable."""
    if not path.exists():
        return {}
    import openpyxl

    names: dict[tuple[str, str], str] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > BOOK_BYTES:
                raise ValueError("its decompressed size is too large")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        rows = book.worksheets[0].iter_rows(values_only=True)
        header = [str(cell) for cell in next(rows, ())]
        for row in rows:
            cells = dict(zip(header, row, strict=False))
            for level in LEVELS:
                number, name = cells.get(f"{level}_id"), cells.get(f"{level}_name")
                if number and name:
                    names[level, str(number)] = str(name)
        book.close()
    except Exception as error:  # openpyxl passes on the errors of its parsers
        warnings.append(f"dataset_info.xlsx could not be read ({type(error).__name__}) and was skipped.")
    return names


def _add(
    collector: Collector, number: int, record: Any, folder: Folder, names: dict[tuple[str, str], str]
) -> int:
    """Add one annotation. Returns 1 if its picture is missing, else 0."""
    place = f"record {number}"
    if not isinstance(record, dict):
        collector.reject(place, "not a JSON object", record)
        return 0
    try:
        if any(isinstance(value, dict | list) and too_deep(value) for value in record.values()):
            collector.reject(place, NESTED, f"its columns: {', '.join(record)}")
            return 0
        levels = _levels(record, names)
        title, image, ocr = (text_or_none(record.get(key)) for key in ("title", "img_path", "OCR"))
    except ValueError:
        collector.reject(place, "not valid Unicode", record)
        return 0
    if any(len(text) > FIELD_CHARACTERS for text in (title, ocr) if text):
        collector.reject(place, LONG, f"its columns: {', '.join(record)}")
        return 0
    image = image.replace("\\\\", "/").replace("\\", "/") if image else None  # paths written on Windows
    there = folder.look(image) if image else "missing"
    if not levels:
        collector.reject(place, "no category", record)
        return 0
    if there == "outside":
        collector.reject(place, "image path leaves its folder", record)
        return 0
    identifier = PurePosixPath(image).with_suffix("").as_posix().removeprefix("Images/") if image else None
    path = [label for _, label in levels]
    extra = {key: value for key, value in record.items() if key not in USED}
    collector.add(
        {
            "item_id": identifier or f"record-{number}",
            "image_id": identifier,
            "language": "zh",
            "name": title,
            "category": path[-1],
            "category_path": path,
            "category_id": levels[-1][0],
            "image": image if there == "file" else None,
            "extra": ({"ocr": ocr} if ocr else {}) | extra,
        }
    )
    return int(bool(image) and there == "missing")


def _levels(record: dict[str, Any], names: dict[tuple[str, str], str]) -> list[tuple[str, str]]:
    """(id, label) from the root to the leaf."""
    levels = []
    for level in LEVELS:
        identifier, name = text_of(record.get(f"{level}_id")), record.get(f"{level}_name")
        if identifier is None or identifier in ABSENT:
            continue
        label = text_or_none(name) or names.get((level, identifier))
        if label and label not in ABSENT:
            levels.append((identifier, label))
    return levels


SPEC = SourceSpec(
    name="mep3m",
    title="MEP-3M annotations",
    homepage="https://github.com/ChenDelong1999/MEP-3M",
    licence="academic use",
    accepts="annotation.json, or the folder that contains it, with Images/ and dataset_info.xlsx (both optional)",
    read=read,
)
