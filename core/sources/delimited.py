"""Records of CSV, TSV and JSON Lines files, one at a time, with the line where each began."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import IO, Any

from core.errors import SourceError
from core.sources.reading import valid

LINE_BYTES = 64 * 2**20  # of one JSON record; a longer line is no JSON Lines
csv.field_size_limit(4 * 2**20)  # characters; a longer field is a quote that was never closed

# (line, record) or (line, reason, what was read): a reason marks a record that must be rejected.
Record = tuple[int, dict[str, Any] | None, str, Any]


def csv_header(stream: IO[bytes], place: str, delimiter: str) -> tuple[list[str], Any]:
    """The column names and a csv.reader of what follows; bytes that are not UTF-8 become lone surrogates."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise SourceError(f"{place} is not a table: {error}.") from error
    if not header:
        raise SourceError(f"{place} is empty: it has no header line.")
    names = [name.strip() for name in header]
    if any(valid(name) != name or "\0" in name for name in names):
        raise SourceError(f"{place} is not a table in UTF-8: its first line cannot be read as text.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(f"{place} has the column {', '.join(twice)} twice. Rename one of them.")
    return names, reader


def csv_records(
    stream: IO[bytes],
    place: str,
    delimiter: str = ",",
    check: Callable[[list[str]], None] = lambda names: None,
) -> Iterator[Record]:
    """Every record after the header.

    Args:
        check: is shown the column names before anything is read, and raises if they will not do.

    Raises:
        SourceError: no header, or the file ends in the middle of a quoted field.
    """
    names, reader = csv_header(stream, place, delimiter)
    check(names)
    width = len(names)
    line = 2
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise SourceError(
                    f"{place} ends in the middle of a quoted field that starts near line {line}: "
                    "the file was cut short. Download or export it again."
                ) from error
            yield line, None, f"not readable as CSV ({error})", ""
            line = reader.line_num + 1
            continue
        if row is None:
            return
        if len(row) == width:
            yield line, dict(zip(names, row, strict=True)), "", None
        elif row:  # a blank line is no record
            yield line, None, f"{len(row)} fields instead of {width}", row
        line = reader.line_num + 1


def json_lines(stream: IO[bytes], place: str) -> Iterator[Record]:
    """Every line's object.

    Raises:
        SourceError: a line is so long that the file is something else.
    """
    line = 0
    while raw := stream.readline(LINE_BYTES):
        line += 1
        if len(raw) == LINE_BYTES:
            raise SourceError(
                f"{place} is not JSON Lines: line {line} is longer than {LINE_BYTES >> 20} MB. "
                "A JSON list must be written as one object a line."
            )
        if not raw.strip():
            continue
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError):
            yield line, None, "not a line of JSON", raw.decode("utf-8", "replace")
            continue
        if isinstance(record, dict):
            yield line, record, "", None
        else:
            yield line, None, "not a JSON object", record
