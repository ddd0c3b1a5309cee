"""A custom table: CSV, TSV, JSON or Parquet with a column for the picture."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

from core.errors import SourceError, UsageError
from core.progress import Progress
from core.sources.bounds import check_growth
from core.sources.compressed import ENDINGS, unfolding, without_ending
from core.sources.converter import SPLITS, RecordConverter
from core.sources.delimited import Record, csv_records, find_dialect
from core.sources.encoding import detect, known, sample
from core.sources.json_records import is_json_lines, json_lines, json_records
from core.sources.json_shapes import unwrapped
from core.sources.naming import MAPPABLE, SYNONYMS, choose_columns, looks_like_picture, overlooked, plain_name
from core.sources.parquet import parquet_records
from core.sources.reading import (
    Collector,
    Folder,
    Found,
    Places,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    given,
)
from core.sources.values import listed

TO_CHOOSE_BY = 1_000  # number of first records used to choose columns
DELIMITERS = {"\t": "tab", " ": "space"}  # names in messages
MOST_NOTES = 20  # warnings about the parts of one table
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
IDENTIFIERS = ("item_id", "image_id", "category", "category_id")
_SHARD = re.compile(r"^([a-z]+)(?:[-_.\d].*)?$", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"-?\d+\.0|-?\d(?:\.\d+)?e\+\d+", re.IGNORECASE)


def suffix_of(path: Path) -> str:
    """The file extension of a table, without that of its compression."""
    return Path(without_ending(path.name)).suffix


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open a table, or a folder of its shards. Picture paths are relative to its folder."""
    if len(paths) != 1:
        raise SourceError("table takes one path: a CSV, TSV, JSON or Parquet file, or a folder of its parts.")
    path = given(paths[0], "table")
    if unknown := sorted(set(options.columns) - set(MAPPABLE)):
        raise UsageError(f"--map knows no column {', '.join(unknown)}. Columns: {', '.join(MAPPABLE)}.")
    if not options.separator.strip():
        raise UsageError("The separator of category paths is empty. Use for example ' > ' or '/'.")
    if len(options.delimiter) > 1:
        raise UsageError("The delimiter is one character. Use for example ';' or a tab.")
    if options.encoding:
        options = replace(options, encoding=known(options.encoding))
    root = path if path.is_dir() else path.parent
    tables = _shards(path) if path.is_dir() else [path]
    for table in tables:
        if suffix_of(table) not in SUFFIXES:
            raise SourceError(
                f"{table.name}: a table has the extension {', '.join(SUFFIXES)}, optionally followed by {', '.join(ENDINGS)}."
            )
    warnings: list[str] = []
    columns: dict[str, str] = {}
    collector = Collector(options)
    converter = RecordConverter(collector, root, options, warnings)
    sizes = [max(1, table.stat().st_size) for table in tables]

    found, notes = Found(), _Notes()

    def rows() -> Generator[None]:
        before = 0
        try:
            for size, table in zip(sizes, tables, strict=True):
                where = f"{table.name}:" if len(tables) > 1 else ""
                split = _split_of(table) if len(tables) > 1 or path.is_dir() else None
                for record, chosen, done in records(table, options, notes.of(table.name), found):
                    columns.update(chosen) if len(columns) != len(chosen) else None
                    converter.add(record, chosen, where, split=split)
                    yield
                    if converter.seen % 5_000 == 0:
                        progress(before + min(done, size), sum(sizes), "Reading the table")
                before += size
            progress(sum(sizes), sum(sizes), "Reading the table")
        finally:
            warnings.extend(notes.merged())
            converter.finish()

    places = Places(root=root)
    return Reading(
        batches_of(collector, rows()),
        places,
        SPEC.licence,
        warnings,
        columns=columns,
        found=found,
        size=sum(sizes),
    )


class _Notes:
    """The warnings about the parts of a table; equal ones are merged."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, list[str]]] = []

    def of(self, name: str) -> list[str]:
        self._parts.append((name, []))
        return self._parts[-1][1]

    def merged(self) -> list[str]:
        where: dict[str, list[str]] = {}
        for name, notes in self._parts:
            for note in notes:
                where.setdefault(note.removeprefix(name), []).append(name)
        lines = [
            f"{names[0]}{note}" + (f" The same in {len(names) - 1:,} more files." if len(names) > 1 else "")
            for note, names in where.items()
        ]
        return (
            lines
            if len(lines) <= MOST_NOTES
            else [*lines[:MOST_NOTES], f"And {len(lines) - MOST_NOTES:,} more notes of this kind."]
        )


def _shards(folder: Path) -> list[Path]:
    """The parts of one table: files of one kind in a folder, its subfolder data/, or its subfolders of splits."""
    inside = Folder(folder)
    splits = sorted(place for place in folder.glob("*") if place.name.lower() in SPLITS and place.is_dir())
    places = [[folder], [folder / "data"], splits]
    tables = [[file for place in some if place.is_dir() for file in _tables(place)] for some in places]
    tables = [[file for file in found if suffix_of(file) == ".parquet"] for found in tables] + tables
    # Parquet first: JSON files beside Parquet shards describe them (dataset_infos.json).
    found = next((found for found in tables if found), [])
    kinds = {KINDS.get(suffix_of(file), suffix_of(file)) for file in found}
    if len(kinds) > 1:
        raise SourceError(
            f"{folder} is a folder with tables of several kinds ({', '.join(sorted(kinds))}). Give one of them."
        )
    found = [file for file in found if inside.look(file.relative_to(folder).as_posix()) == "file"]
    if not found:
        raise SourceError(
            f"{folder} is a folder without a table. Give a table, or import it with the source `folder`."
        )
    return found


KINDS = {".ndjson": ".jsonl", ".json": ".jsonl"}  # read in the same way


def _tables(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.iterdir()
        if suffix_of(file) in SUFFIXES
        and file.is_file()
        and not file.name.startswith((".", "_"))
        and file.name not in ABOUT
    )


ABOUT = (
    "dataset_info.json",
    "dataset_infos.json",
    "state.json",
    "package.json",
)  # metadata of a dataset


def _split_of(table: Path) -> str | None:
    found = _SHARD.match(table.name.split(".")[0])
    return SPLITS.get(found[1].lower() if found else "") or SPLITS.get(table.parent.name.lower())


def records(
    path: Path, options: ReadOptions, warnings: list[str], about: Found
) -> Iterator[tuple[Record, dict[str, str], int]]:
    """Iterate over (record, {ours: theirs}, bytes read so far)."""
    suffix = suffix_of(path)
    with path.open("rb") as raw:
        head = raw.read(8)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise SourceError(
            f"{path.name} is a zip archive or a workbook. Unpack it, or export the sheet as CSV."
        )
    if suffix == ".parquet" or head.startswith(b"PAR1"):
        plain = parquet_records(path, lambda names: None)
        for record, done, chosen in _choosing(plain, options, path.name, warnings, about):
            yield record, chosen, done
        return
    with path.open("rb") as raw, unfolding(raw, path) as stream:
        data = sample(stream)
        about.encoding = encoding = options.encoding or detect(data, path.name, warnings)
        if encoding == "utf-8":
            encoding = "utf-8-sig"
        if suffix in (".csv", ".tsv"):
            dialect = find_dialect(data, encoding, "\t" if suffix == ".tsv" else ",", _known_names)
            if options.delimiter:
                dialect = replace(dialect, delimiter=options.delimiter)
            about.delimiter = dialect.delimiter
            if dialect.skip and not _excels(data, encoding):
                warnings.append(f"{path.name}: {dialect.skip:,} lines above the column names were skipped.")
            found = csv_records(
                stream, path.name, dialect, lambda names: _empty(names, options, path), warnings
            )
        else:
            read_json = json_lines if is_json_lines(data, encoding) else json_records
            found = unwrapped(read_json(stream, path.name, encoding), _known_names)
        del data
        pairs = _unfolded(found, stream, raw, path)
        for record, done, chosen in _choosing(
            pairs, options, path.name, warnings, about, suffix in (".csv", ".tsv")
        ):
            yield record, chosen, done


def _excels(data: bytes, encoding: str) -> bool:
    """Whether a text starts with Excel's `sep=` line."""
    return "sep=" in data[:40].decode(encoding, "replace").lower()


def _unfolded(
    found: Iterator[Record], stream: Any, raw: IO[bytes], path: Path
) -> Iterator[tuple[Record, int]]:
    """The records, each with the number of bytes of the file read so far.

    Raises:
        SourceError: a compressed file decompresses to too much.
    """
    size = path.stat().st_size
    for record in found:
        if stream is not raw and not raw.closed:
            check_growth(stream.tell(), size, path.name)
        yield record, 0 if raw.closed else raw.tell()


def _known_names(names: list[str]) -> int:
    known_names = {name for synonyms in SYNONYMS.values() for name in synonyms}
    return sum(plain_name(name) in known_names for name in names)


def _empty(names: Sequence[str], options: ReadOptions, path: Path) -> None:
    """Validate --map against the header: columns are chosen by the rows, of which there may be none."""
    if any(theirs and theirs not in names for theirs in options.columns.values()):
        choose_columns(names, options, path.name)


def _choosing(
    pairs: Iterator[tuple[Record, int]],
    options: ReadOptions,
    place: str,
    warnings: list[str],
    about: Found,
    text: bool = False,
) -> Iterator[tuple[Record, int, dict[str, str]]]:
    """The records, each with the columns that were chosen by the first records; keys that first occur in later
    records are added."""
    first = list(islice(pairs, TO_CHOOSE_BY))
    seen = dict.fromkeys(name for (_, fields, _, _), _ in first for name in fields or ())
    chosen: dict[str, str] = {}
    pictures = [name for name in seen if _pictures(name, first)]
    if seen:
        numbers = [name for name in seen if _numbers(name, first)]
        chosen = choose_columns(list(seen), options, place, pictures, numbers)
        _notify(chosen, about, options, place)
    about.names.extend(name for name in seen if name not in about.names)
    floats = _float_columns(chosen, first) if text else []
    if floats:
        warnings.append(
            f"{place}: the numbers in {', '.join(floats)} are written 1001.0 and were read as 1001."
        )

    def without_floats(record: Record) -> Record:
        line, fields, reason, raw = record
        if fields is not None:
            for name in floats:
                if _WHOLE_FLOAT.fullmatch(fields[name]):
                    fields[name] = (
                        str(int(float(fields[name]))) if "e" in fields[name].lower() else fields[name][:-2]
                    )
        return line, fields, reason, raw

    try:
        for record, done in first:
            yield without_floats(record), done, chosen
        del first
        for record, done in pairs:
            fields = record[1]
            if fields is not None and not (fields.keys() <= seen.keys()):
                seen.update(dict.fromkeys(fields))
                pictures += [name for name in fields if name not in pictures and _is_picture(fields[name])]
                later = choose_columns(list(seen), options, place, pictures)
                used = set(chosen.values())
                chosen = {**{a: b for a, b in later.items() if b not in used}, **chosen}
            yield without_floats(record), done, chosen
    finally:
        if unused := overlooked(list(seen), chosen, pictures):
            warnings.append(
                f"{place}: not used, although it looks like a picture or a label: {', '.join(unused)}. "
                f"To use it: --map image={unused[0]} or --map category={unused[0]}"
            )


def _notify(chosen: dict[str, str], about: Found, options: ReadOptions, place: str) -> None:
    """Report the detected format and the chosen columns of the first part."""
    if about.names:
        return
    how = [f"in {about.encoding}"] if about.encoding else []
    how += [f"delimited by {DELIMITERS.get(about.delimiter, about.delimiter)}"] if about.delimiter else []
    detected = f" ({', '.join(how)})" if how else ""
    options.notify(f"{place}{detected}: " + ", ".join(f"{ours}={theirs}" for ours, theirs in chosen.items()))


def _pictures(name: str, first: list[tuple[Record, int]]) -> bool:
    values = [fields[name] for (_, fields, _, _), _ in first if fields and fields.get(name)][:50]
    return bool(values) and sum(_is_picture(value) for value in values) > len(values) / 2


def _numbers(name: str, first: list[tuple[Record, int]]) -> bool:
    values = [fields[name] for (_, fields, _, _), _ in first if fields and fields.get(name) not in (None, "")]
    return bool(values) and all(str(value).removesuffix(".0").isdigit() for value in values)


def _is_picture(value: Any) -> bool:
    value = listed(value)
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        return isinstance(value.get("bytes"), bytes) or looks_like_picture(
            value.get("path") or value.get("url")
        )
    return looks_like_picture(value)


def _float_columns(chosen: dict[str, str], first: list[tuple[Record, int]]) -> list[str]:
    """Columns of ids and labels in a text table with only whole numbers written as floats."""
    found = []
    for ours in IDENTIFIERS:
        if theirs := chosen.get(ours):
            values = [fields[theirs] for (_, fields, _, _), _ in first if fields and fields[theirs]]
            if values and all(_WHOLE_FLOAT.fullmatch(value) for value in values):
                found.append(theirs)
    return found


SPEC = SourceSpec(
    name="table",
    title="A table of your own",
    homepage="",
    licence="your own",
    accepts="CSV, TSV, JSON or Parquet, or a folder of its parts; pictures as paths beside it, URLs, or bytes",
    read=read,
)
