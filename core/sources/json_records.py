"""Records of JSON files, one at a time, with the line where each began: objects a line, in an array, or in a row."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Iterator
from typing import IO, Any

from core.errors import SourceError
from core.sources.bounds import NESTED
from core.sources.delimited import Record

PYTHON_DICT = ("{'", "{u'")
PYTHON_CHARACTERS = 2**20  # of a line as Python writes it, which takes some hundred bytes a character to read
LINE_BYTES = 64 * 2**20  # of one JSON record; a longer one is no record
CHUNK = 2**20  # characters of JSON read at once


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
            if line.startswith(PYTHON_DICT) or isinstance(json.loads(line), dict):
                return True
        except (ValueError, RecursionError):
            pass
        if seen >= 100:
            break
    return text.lstrip()[:1] != "{"


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
            record = _json_line(raw)
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            said = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
            yield number, None, NESTED if isinstance(error, RecursionError) else "not a line of JSON", said
            continue
        if isinstance(record, dict):
            yield number, record, "", None
        else:
            yield number, None, "not a JSON object", record


def _json_line(raw: str | bytes) -> Any:
    """A line of JSON, or of Python's own writing of a dict, as Amazon's older product files have it."""
    try:
        return json.loads(raw)
    except ValueError:
        text = raw if isinstance(raw, str) else raw.decode()
        if not text.startswith(PYTHON_DICT) or len(text) > PYTHON_CHARACTERS:
            raise
        return ast.literal_eval(text.strip())


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
