"""Records of CSV and TSV files, one at a time, each with the number of its first line."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from core.errors import SourceError
from core.sources.bounds import FIELD_CHARACTERS, RECORD_CHARACTERS
from core.sources.reading import valid

_PICTURE = re.compile(r"[^.]\.(?:jpe?g|png|webp|gif|bmp|tiff?)$|^https?://", re.IGNORECASE)
MANY_LINES = 20  # of one field; more give a warning
csv.field_size_limit(FIELD_CHARACTERS)  # a longer field is a quote that was never closed

# (line, fields, "", None), or (line, None, reason, raw text) for a record to reject.
Record = tuple[int, dict[str, Any] | None, str, Any]


@dataclass(frozen=True)
class Dialect:
    """The format of a delimited text."""

    delimiter: str = ","
    quoted: bool = True  # False: quotes are plain characters, as in most TSV files
    encoding: str = "utf-8-sig"
    skip: int = 0  # lines above the header: Excel's `sep=;`, titles, remarks
    spaced: bool = False  # spaces after a delimiter are skipped
    index: bool = False  # the header lacks the first column, as R writes it


class _Lines(Iterator[str]):
    """Lines of a text; those of the current record are buffered, so that they can be read again."""

    def __init__(self, read: Callable[[], str], place: str) -> None:
        self._read, self._place = read, place
        self._again: deque[str] = deque()
        self._left = RECORD_CHARACTERS
        self.record: list[str] = []
        self.number = 0  # of lines read

    def __next__(self) -> str:
        """
        Raises:
            SourceError: the record is too long: a file of one line, or an unclosed quote.
        """
        line = self._again.popleft() if self._again else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        self._left -= len(line)
        if self._left <= 0:
            raise SourceError(
                f"{self._place}: the record in line {self.number - len(self.record)} is longer than "
                f"{RECORD_CHARACTERS >> 20} MB: the file is not a table, or it is damaged."
            )
        self.record.append(line)
        return line

    def begin(self) -> None:
        """Start a record at the next line."""
        self.record.clear()
        self._left = RECORD_CHARACTERS

    def back_to(self, lines: list[str]) -> None:
        """Put the last lines of the record back, to be read again."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)


def split_line(line: str, delimiter: str) -> list[str]:
    """Split one line; quotes are plain characters."""
    return line.rstrip("\r\n").split(delimiter)


def csv_header(stream: IO[bytes], place: str, dialect: Dialect) -> tuple[list[str], _Lines]:
    """The column names and the lines after them; undecodable bytes become lone surrogates."""
    text = io.TextIOWrapper(stream, encoding=dialect.encoding, errors="surrogateescape", newline="")
    lines = _Lines(partial(text.readline, RECORD_CHARACTERS), place)
    for _ in range(dialect.skip):
        next(lines, None)
    try:
        header = next((row for row in _reader(lines, dialect) if row), None)  # blank lines are skipped
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
    if any(_PICTURE.search(name) for name in names):
        raise SourceError(
            f"{place} has no header line: its first line is a product ({', '.join(names)[:120]}). "
            "Add a line with the column names above it."
        )
    if dialect.index:
        names.insert(0, "")
    names = [name or f"(unnamed {number})" for number, name in enumerate(names, 1)]
    return names, lines


def _reader(lines: Iterator[str], dialect: Dialect) -> Any:
    quoting: Any = csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE
    return csv.reader(
        lines, delimiter=dialect.delimiter, strict=True, quoting=quoting, skipinitialspace=dialect.spaced
    )


def csv_records(
    stream: IO[bytes],
    place: str,
    dialect: Dialect | None = None,
    check: Callable[[list[str]], None] = lambda names: None,
    warnings: list[str] | None = None,
) -> Iterator[Record]:
    """Read every record after the header.

    A stray quote does not merge rows: lines that are complete records by themselves are read as such, with a warning.

    Args:
        check: called with the column names before any record is read; raises to refuse them.
        warnings: extended with the repairs that were made.

    Raises:
        SourceError: no header, or the file ends in the middle of a quoted field.
    """
    told = {"stray": _LineCounter(), "long": _LineCounter(), "rows": _LineCounter()}
    try:
        yield from _csv_records(stream, place, dialect or Dialect(), check, told)
    finally:
        notes = {
            "stray": "{count:,} lines with a quote that does not belong to a quoted field were each read as one "
            "row (first line {first}).",
            "long": f"{{count:,}} fields have more than {MANY_LINES} lines (first line {{first}}). "
            "Look for an unclosed quote.",
            "rows": "{count:,} fields have several lines that look like rows of their own (first line {first}). "
            "Look for an unclosed quote.",
        }
        if warnings is not None:
            for kind, seen in told.items():
                if seen.count:
                    warnings.append(f"{place}: " + notes[kind].format(count=seen.count, first=seen.first))


def _csv_records(
    stream: IO[bytes],
    place: str,
    dialect: Dialect,
    check: Callable[[list[str]], None],
    seen: dict[str, _LineCounter],
) -> Iterator[Record]:
    names, lines = csv_header(stream, place, dialect)
    check(names)
    width = len(names)
    reader = _reader(lines, dialect)
    while True:
        lines.begin()
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
            swallowed = reason or _swallowed(read, width, dialect.delimiter)
            if swallowed is None:
                seen["rows"].add(line)
            elif swallowed:
                row = _alone(read[0], width, dialect)
                cut = "unexpected end of data" in reason
                if cut and (
                    (len(read) == 1 and (row is None or not read[0].endswith(("\n", "\r"))))
                    or (len(read) > 1 and len(split_line(read[1], dialect.delimiter)) != width)
                ):
                    raise SourceError(
                        f"{place} ends in the middle of a quoted field that starts near line {line}: "
                        "the file is incomplete. Download or export it again."
                    )
                lines.back_to(read[1:])
                reader = _reader(lines, dialect)
                if row is None:
                    yield line, None, f"not readable as CSV ({reason or 'a stray quote'})", read[0]
                    continue
                seen["stray"].add(line)
            elif len(read) > MANY_LINES:
                seen["long"].add(line)
        while len(row) > width and row[-1] == "":
            row.pop()
        if row == names:
            yield line, None, "the header again", row
        elif len(row) == width:
            yield line, dict(zip(names, row, strict=True)), "", None
        elif row:  # a blank line is not a record
            yield line, None, f"{len(row)} fields instead of {width}", row


class _LineCounter:
    """The number of lines with a problem, and the first of them."""

    def __init__(self) -> None:
        self.count, self.first = 0, 0

    def add(self, line: int) -> None:
        self.first = self.first or line
        self.count += 1


def _kind(field: str) -> str:
    """Classify a field: empty, `number` or `text`."""
    bare = field.strip().strip('"')
    return "" if not bare else "number" if bare.isdigit() else "text"


def _shape(field: str) -> str:
    """A field with every run of letters as `a` and of digits as `0`: SKU-12 gives a-0."""
    return re.sub(r"\d+", "0", re.sub(r"[^\W\d_]+", "a", field.strip().strip('"')))


def _swallowed(read: list[str], width: int, delimiter: str) -> bool | None:
    """Whether the lines of one quoted field are separate rows that a stray quote merged; None if uncertain.

    They are if every line has as many fields as a row, the first fields are similar (all numbers, or all of one
    shape), and the other fields are of the same kind, number or text, as in the first line.
    """
    if width < 2:
        return False
    rows = []
    for line in read:
        fields = split_line(line, delimiter)
        if len(fields) != width:
            fields = _parsed(line, delimiter) or []
        if len(fields) != width:
            return False
        rows.append(fields)
    first = {_kind(row[0]) for row in rows}
    shapes = {_shape(row[0]) for row in rows}
    if first != {"number"} and not (first == {"text"} and (len(shapes) == 1 or len(read) > 4) and width > 2):
        return None if len(first) == 1 and len(read) > 2 else False
    similar = [
        _kind(row[column]) == kind
        for column in range(1, width)
        if (kind := _kind(rows[0][column])) and '"' not in rows[0][column]
        for row in rows[1:]
        if _kind(row[column])
    ]
    return sum(similar) >= 0.8 * len(similar) or (None if sum(similar) >= 0.3 * len(similar) else False)


def _parsed(line: str, delimiter: str, **how: Any) -> list[str] | None:
    try:
        rows = list(csv.reader([line.rstrip("\r\n")], delimiter=delimiter, strict=True, **how))
    except csv.Error:
        return None
    return rows[0] if rows else None


def _alone(line: str, width: int, dialect: Dialect) -> list[str] | None:
    """Parse one line as a row of `width` fields, whichever way its quotes are read; None if no way fits."""
    delimiter = dialect.delimiter
    how: dict[str, Any] = {"skipinitialspace": dialect.spaced}
    escaped = (
        _parsed(line, delimiter, escapechar="\\", doublequote=False, **how)
        if '\\"' in line
        else _parsed(line, delimiter, **how)
    )
    for row in (escaped, _enclosed(line, delimiter), split_line(line, delimiter)):
        if row is not None and len(row) == width:
            return row
    return None


def _enclosed(line: str, delimiter: str) -> list[str]:
    """Split a line with undoubled quotes inside quoted fields: a field ends at a quote before a delimiter.

    >>> _enclosed('1,"15" laptop, black","b"', ",")
    ['1', '15" laptop, black', 'b']
    """
    text, fields, at = line.rstrip("\r\n"), [], 0
    while at <= len(text):
        end = -1
        if text.startswith('"', at):
            end = text.find(f'"{delimiter}', at + 1)
            if end < 0 and text.endswith('"') and len(text) - 1 > at:
                end = len(text) - 1
        if end >= 0:
            fields.append(text[at + 1 : end].replace('""', '"'))
            at = end + 2
        else:
            end = text.find(delimiter, at)
            end = len(text) if end < 0 else end
            fields.append(text[at:end])
            at = end + 1
    return fields


def find_dialect(data: bytes, encoding: str, usual: str, score: Callable[[list[str]], int]) -> Dialect:
    """Detect the delimiter and quoting of a text.

    Args:
        data: the beginning of the text.
        usual: the delimiter implied by the file's extension, used unless another fits better.
        score: counts the known names among column names.
    """
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    lines = text.splitlines(keepends=True)[:2_000]
    if len(lines) > 1 and len(data) > 1 and not text.endswith(("\n", "\r")):
        lines = lines[:-1] if len(lines) > 2 else lines
    skip, best = _before_header(lines, usual, score), usual
    said = lines[0].strip().strip('"').lower() if lines else ""
    if said.startswith("sep=") and len(lines[0].strip("\r\n").strip('"')) == 5:
        skip, best = 1, lines[0].strip('"')[4]
    else:
        marks = []
        body = [line for line in lines[skip + 1 : skip + 200] if line.strip()]
        for mark in dict.fromkeys([usual, *DELIMITERS]):
            header = _header(lines[skip], mark) if lines else []
            if len(header) > 1 or mark == usual:
                share = _share(body, mark, len(header))
                known = min(score(header), 1)
                marks.append(((len(header) > 1, known, share > 0.8, mark == usual, share), mark))
        best = max(marks)[1]
    lines = lines[skip:]
    quoted = _tsv_is_quoted(lines) if best == "\t" else True
    width = len(_header(lines[0], best)) if lines else 0
    body = [line for line in lines[1:200] if line.strip()]
    fits = _share(body, best, width)
    spaced = (
        quoted
        and fits < 1
        and f'{best} "' in text
        and _share(body, best, width, skipinitialspace=True) > fits
    )
    index = (
        quoted
        and width > 1
        and fits == 0
        and _share(body, best, width + 1) == 1
        and any(_header(line, best)[-1] for line in body)
    )
    return Dialect(best, quoted, encoding, skip, spaced, index)


DELIMITERS = (",", ";", "\t", "|")


def _header(line: str, delimiter: str) -> list[str]:
    return _parsed(line, delimiter) or split_line(line, delimiter)


def _share(lines: list[str], delimiter: str, width: int, **how: Any) -> float:
    """The fraction of lines with `width` fields."""
    fit = sum(len(_parsed(line, delimiter, **how) or split_line(line, delimiter)) == width for line in lines)
    return fit / max(1, len(lines))


def _before_header(lines: list[str], usual: str, score: Callable[[list[str]], int]) -> int:
    """The number of lines (titles, remarks, blank) above the column names; 0 if uncertain."""
    filled = next((number for number, line in enumerate(lines[:20]) if line.strip()), 0)
    for number, line in enumerate(lines[:20]):
        for mark in (usual, *DELIMITERS):
            if (
                (number == filled or line.strip())
                and len(_header(line, mark)) > 1
                and score(_header(line, mark))
            ):
                above = lines[filled:number]
                alone = all(len(_header(text, mark)) == 1 or text.lstrip().startswith("#") for text in above)
                return number if alone and not any(score(_header(text, mark)) for text in above) else filled
    return filled


def _tsv_is_quoted(lines: list[str]) -> bool:
    """Whether quotes enclose fields in a TSV text: if all of them do and at least one field needs them."""
    if not any('"' in line for line in lines):
        return True
    width = len(split_line(lines[0], "\t"))
    source = _Lines(partial(next, iter(lines), ""), "")
    reader = csv.reader(source, delimiter="\t", strict=True)
    plain, needed, enclosed, quotable = 0, 0, 0, 0
    while True:
        source.begin()
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
