"""Records of JSON files, one at a time, each with the number of its first line: JSON Lines, an array, or concatenated objects."""

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
PYTHON_CHARACTERS = 2**20  # of a line in Python's syntax; parsing takes about 100 bytes per character
LINE_BYTES = 64 * 2**20  # largest JSON record
CHUNK = 2**20  # characters of JSON read at once


def is_json_lines(data: bytes, encoding: str) -> bool:
    """Whether a text is JSON Lines; otherwise it is an array, or objects over several lines."""
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
    """The object of each line.

    Raises:
        SourceError: a line is longer than LINE_BYTES.
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
                "Write one object per line."
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
    """Parse a line as JSON, or as a Python dict literal, as in Amazon's older product files."""
    try:
        return json.loads(raw)
    except ValueError:
        text = raw if isinstance(raw, str) else raw.decode()
        if not text.startswith(PYTHON_DICT) or len(text) > PYTHON_CHARACTERS:
            raise
        return ast.literal_eval(text.strip())


def json_values(stream: IO[bytes], place: str, encoding: str = "utf-8-sig") -> Iterator[tuple[int, Any]]:
    """Iterate over (line, value) of the elements of an array, or of concatenated values, without loading all of them.

    NaN, as written by Python and pandas, is read as missing.

    Raises:
        SourceError: it is not JSON, it is incomplete, or one value is longer than LINE_BYTES.
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
                raise SourceError(f"{place} is not valid JSON: line {line} is nested too deeply.") from error
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
        f"{place} is not valid JSON: it ends in the middle of a record: the file is incomplete. Download it again."
    )


def json_records(stream: IO[bytes], place: str, encoding: str) -> Iterator[Record]:
    """`json_values` as records."""
    for line, value in json_values(stream, place, encoding):
        if isinstance(value, dict):
            yield line, value, "", None
        else:
            yield line, None, "not a JSON object", value
