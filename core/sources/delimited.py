"""Records of CSV, TSV and JSON files, one at a time, with the line where each began."""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from core.errors import SourceError
from core.sources.reading import valid

LINE_BYTES = 64 * 2**20  # of one JSON record; a longer one is no record
CHUNK = 2**20  # characters of JSON read at once
MANY_LINES = 20  # of one field: more is told
csv.field_size_limit(4 * 2**20)  # characters; a longer field is a quote that was never closed

# (line, record) or (line, reason, what was read): a reason marks a record that must be rejected.
Record = tuple[int, dict[str, Any] | None, str, Any]


@dataclass(frozen=True)
class Dialect:
    """How a delimited text is written."""

    delimiter: str = ","
    quoted: bool = True  # False: a quote is a letter like any other, as in most TSV files
    encoding: str = "utf-8-sig"
    skip: int = 0  # lines before the header (Excel's `sep=;`)


class _Lines(Iterator[str]):
    """Lines of a text, with those of the record that is being read kept, so that they can be read anew."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.record: list[str] = []
        self.number = 0  # of lines read

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._text)
        self.number += 1
        self.record.append(line)
        return line

    def back_to(self, lines: list[str]) -> None:
        """Read these, the last ones of the record, again."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)


def split_line(line: str, delimiter: str) -> list[str]:
    """One line with quotes taken as letters."""
    return line.rstrip("\r\n").split(delimiter)


def csv_header(stream: IO[bytes], place: str, dialect: Dialect) -> tuple[list[str], _Lines]:
    """The column names and what follows; bytes that are not of the encoding become lone surrogates."""
    text = io.TextIOWrapper(stream, encoding=dialect.encoding, errors="surrogateescape", newline="")
    lines = _Lines(iter(text))
    for _ in range(dialect.skip):
        next(lines, None)
    try:
        header = next(_reader(lines, dialect), None)
    except csv.Error as error:
        raise SourceError(f"{place} is not a table: {error}.") from error
    if not header:
        raise SourceError(f"{place} is empty: it has no header line.")
    names = [name.strip().removeprefix("\ufeff") for name in header]
    if any(valid(name) != name or "\0" in name for name in names):
        raise SourceError(f"{place} is not a table in UTF-8: its first line cannot be read as text.")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise SourceError(f"{place} has the column {', '.join(twice)} twice. Rename one of them.")
    names = [name or f"(unnamed {number})" for number, name in enumerate(names, 1)]
    return names, lines


def _reader(lines: Iterator[str], dialect: Dialect) -> Any:
    if dialect.quoted:
        return csv.reader(lines, delimiter=dialect.delimiter, strict=True)
    return csv.reader(lines, delimiter=dialect.delimiter, strict=True, quoting=csv.QUOTE_NONE)


def csv_records(  # noqa: C901 (one branch a way in which a record is broken)
    stream: IO[bytes],
    place: str,
    dialect: Dialect | None = None,
    check: Callable[[list[str]], None] = lambda names: None,
    warnings: list[str] | None = None,
) -> Iterator[Record]:
    """Every record after the header. A stray quote swallows nothing: lines that are whole records by themselves
    are read as such, and told.

    Args:
        check: is shown the column names before anything is read, and raises if they will not do.
        warnings: what was read otherwise than written.

    Raises:
        SourceError: no header, or the file ends in the middle of a quoted field.
    """
    dialect = dialect or Dialect()
    names, lines = csv_header(stream, place, dialect)
    check(names)
    width, stray, long = len(names), _Told(), _Told()
    reader = _reader(lines, dialect)
    while True:
        lines.record.clear()
        line = lines.number + 1
        reason = ""
        try:
            row = next(reader, None)
        except csv.Error as error:
            reason, row = str(error), []
        if row is None:
            break
        if len(lines.record) > 1 or reason:
            read = lines.record.copy()
            if reason or _swallowed(read, width, dialect.delimiter):
                row = _alone(read[0], width, dialect.delimiter)
                cut = "unexpected end of data" in reason
                if cut and (len(read) == 1 or len(split_line(read[1], dialect.delimiter)) != width):
                    raise SourceError(
                        f"{place} ends in the middle of a quoted field that starts near line {line}: "
                        "the file was cut short. Download or export it again."
                    )
                lines.back_to(read[1:])
                reader = _reader(lines, dialect)
                if row is None:
                    yield line, None, f"not readable as CSV ({reason or 'a stray quote'})", read[0]
                    continue
                stray.add(line)
            elif len(read) > MANY_LINES:
                long.add(line)
        while len(row) > width and row[-1] == "":
            row.pop()
        if len(row) == width:
            yield line, dict(zip(names, row, strict=True)), "", None
        elif row:  # a blank line is no record
            yield line, None, f"{len(row)} fields instead of {width}", row
    if warnings is not None:
        if stray.count:
            warnings.append(
                f"{place}: {stray.count:,} lines with a quote that does not belong to a quoted field were read "
                f"each as one row (first line {stray.first})."
            )
        if long.count:
            warnings.append(
                f"{place}: {long.count:,} fields hold more than {MANY_LINES} lines (first line {long.first}). "
                "Look for a quote that is not closed."
            )


class _Told:
    """How many lines something was seen in, and the first."""

    def __init__(self) -> None:
        self.count, self.first = 0, 0

    def add(self, line: int) -> None:
        self.first = self.first or line
        self.count += 1


def _kind(field: str) -> str:
    """What the first field of a line looks like: numbers, or something else."""
    bare = field.strip().strip('"')
    return "" if not bare else "number" if bare.isdigit() else "text"


def _swallowed(read: list[str], width: int, delimiter: str) -> bool:
    """Are the lines of one quoted field whole rows, which a stray quote holds together?"""
    if width < 2:
        return False
    first: set[str] = set()
    for line in read:
        fields = split_line(line, delimiter)
        if len(fields) != width and len(_parsed(line, delimiter) or ()) != width:
            return False
        first.add(_kind(fields[0]))
    return first == {"number"} or (first == {"text"} and len(read) > 4 and width > 2)


def _parsed(line: str, delimiter: str, **how: Any) -> list[str] | None:
    try:
        rows = list(csv.reader([line.rstrip("\r\n")], delimiter=delimiter, strict=True, **how))
    except csv.Error:
        return None
    return rows[0] if rows else None


def _alone(line: str, width: int, delimiter: str) -> list[str] | None:
    """One line as a row of that many fields, whatever its quotes mean; None where none of the readings fits."""
    escaped = (
        _parsed(line, delimiter, escapechar="\\", doublequote=False)
        if '\\"' in line
        else _parsed(line, delimiter)
    )
    for row in (escaped, split_line(line, delimiter)):
        if row is not None and len(row) == width:
            return row
    try:  # quotes inside a quoted field that were not doubled
        rows = list(csv.reader([line.rstrip("\r\n")], delimiter=delimiter))
    except csv.Error:
        return None
    return rows[0] if rows and len(rows[0]) == width else None


def find_dialect(data: bytes, encoding: str, usual: str, score: Callable[[list[str]], int]) -> Dialect:
    """The delimiter and quoting of a text that begins with `data`.

    Args:
        usual: the delimiter that the file's ending stands for, taken where others fit no better.
        score: how many of these column names are known.
    """
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    lines = text.splitlines(keepends=True)[:2_000]
    if len(lines) > 1 and len(data) > 1 and not text.endswith(("\n", "\r")):
        lines = lines[:-1] if len(lines) > 2 else lines
    skip, best = 0, usual
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip("\r\n")) == 5:
        skip, best = 1, lines[0][4]
    else:
        marks = []
        for mark in dict.fromkeys([usual, ",", ";", "\t", "|"]):
            header = _parsed(lines[0], mark) if lines else None
            names = header or (split_line(lines[0], mark) if lines else [])
            if len(names) > 1 or mark == usual:
                fits = sum(
                    len(_parsed(line, mark) or split_line(line, mark)) == len(names) for line in lines[1:200]
                )
                share = fits / max(1, len(lines[1:200]))
                marks.append(
                    ((len(names) > 1, min(score(names), 1), share > 0.8, mark == usual, share), mark)
                )
        best = max(marks)[1]
    quoted = True
    if best == "\t":
        quoted = _tsv_is_quoted(lines[skip:])
    return Dialect(best, quoted, encoding, skip)


def _tsv_is_quoted(lines: list[str]) -> bool:
    """Do quotes enclose fields in this TSV text? Only where every quote does, and some field needs it."""
    if not any('"' in line for line in lines):
        return True
    width = len(split_line(lines[0], "\t"))
    source = _Lines(iter(lines))
    reader = csv.reader(source, delimiter="\t", strict=True)
    plain, needed, enclosed, quotable = 0, 0, 0, 0
    while True:
        source.record.clear()
        try:
            row = next(reader, None)
        except csv.Error as error:
            if "unexpected end" in str(error) and len(lines) >= 2_000:
                break
            return False
        if row is None:
            break
        if len(source.record) > 1:
            if _swallowed(source.record, width, "\t"):
                return False
            needed += 1
            continue
        raw = split_line(source.record[0], "\t")
        if len(raw) != len(row):
            needed += 1
            continue
        for field, value in zip(raw, row, strict=True):
            if field.startswith('"'):
                enclosed += 1
                needed += '""' in field
            elif '"' in field:
                plain += 1
            quotable += not value.replace(".", "").isdigit()
    return plain == 0 and (needed > 0 or enclosed >= 0.9 * quotable)


def is_json_lines(data: bytes, encoding: str) -> bool:
    """Is it one object a line? Else it is an array, or objects that are written over several lines."""
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    if text.lstrip().startswith("["):
        return False
    seen = 0
    for line in text.splitlines():
        if not line.strip():
            continue
        seen += 1
        try:
            if isinstance(json.loads(line), dict):
                return True
        except (ValueError, RecursionError):
            pass
        if seen >= 100:
            break
    return text.lstrip()[:1] != "{" or seen < 2


def json_lines(stream: IO[bytes], place: str, encoding: str = "utf-8-sig") -> Iterator[Record]:
    """Every line's object.

    Raises:
        SourceError: a line is so long that the file is something else.
    """
    lines: Any = stream
    if encoding.replace("_", "-") not in ("utf-8", "utf-8-sig"):
        text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="\n")
        lines = text
    number = 0
    while raw := lines.readline(LINE_BYTES):
        number += 1
        if len(raw) == LINE_BYTES:
            raise SourceError(
                f"{place} is not JSON Lines: line {number} is longer than {LINE_BYTES >> 20} MB. "
                "Write one object a line."
            )
        if isinstance(raw, bytes) and number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if not raw.strip():
            continue
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError):
            said = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
            yield number, None, "not a line of JSON", said
            continue
        if isinstance(record, dict):
            yield number, record, "", None
        else:
            yield number, None, "not a JSON object", record


def json_values(stream: IO[bytes], place: str, encoding: str = "utf-8-sig") -> Iterator[tuple[int, Any]]:
    """(line, value) of every element of one array, or of values one after another, never all of them in memory.
    NaN, which Python and pandas write, is read as missing.

    Raises:
        SourceError: it is not JSON, it ends in the middle, or one value is longer than LINE_BYTES.
    """
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    decoder = json.JSONDecoder(strict=False, parse_constant=lambda name: None)
    buffer, at, line, array, want = "", 0, 1, False, CHUNK

    def more(size: int) -> bool:
        nonlocal buffer, at
        chunk = text.read(size)
        buffer, at = buffer[at:] + chunk, 0
        return bool(chunk)

    more(CHUNK)
    buffer = buffer.removeprefix("\ufeff")
    begun = False
    while True:
        while at < len(buffer) and buffer[at] in " \t\r\n,":
            line += buffer[at] == "\n"
            at += 1
        if at >= len(buffer):
            if more(CHUNK):
                continue
            if array:
                raise _cut(place)
            return
        if not begun and buffer[at] == "[":
            begun = array = True
            at += 1
            continue
        begun = True
        if array and buffer[at] == "]":
            return
        try:
            value, end = decoder.raw_decode(buffer, at)
        except (json.JSONDecodeError, RecursionError) as error:
            if isinstance(error, RecursionError):
                raise SourceError(f"{place} is not valid JSON: line {line} is nested too deep.") from error
            near = error.pos >= len(buffer) - 16 or error.msg.startswith("Unterminated string")
            if near and len(buffer) - at < LINE_BYTES:
                want = max(CHUNK, 2 * (len(buffer) - at))
                if more(want):
                    continue
                raise _cut(place) from error
            where = line + buffer.count("\n", at, error.pos)
            raise SourceError(f"{place} is not valid JSON: {error.msg} in line {where}.") from error
        yield line, value
        line += buffer.count("\n", at, end)
        at = end


def _cut(place: str) -> SourceError:
    return SourceError(
        f"{place} is not valid JSON: it ends in the middle of a record, so it was cut short. Download it again."
    )


def json_records(stream: IO[bytes], place: str, encoding: str) -> Iterator[Record]:
    """`json_values` as records."""
    for line, value in json_values(stream, place, encoding):
        if isinstance(value, dict):
            yield line, value, "", None
        else:
            yield line, None, "not a JSON object", value
