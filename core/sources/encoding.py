"""Which encoding a text file is in: said by its byte order mark, by its bytes, or guessed."""

from __future__ import annotations

import codecs
from typing import IO

from core.errors import SourceError, UsageError

SAMPLE_BYTES = 16 * 2**20  # of a file, by which its encoding and dialect are chosen
GUESS_BYTES = 256 * 2**10  # of the lines that are not ASCII, which charset-normalizer sees
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What shops export; charset-normalizer chooses among these.
CANDIDATES = [
    "cp1250", "cp1252", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "gb18030", "big5",
    "shift_jis", "euc_kr",
]  # fmt: skip


def sample(stream: IO[bytes]) -> bytes:
    """The first bytes of a stream that can go back to its start."""
    data = stream.read(SAMPLE_BYTES)
    stream.seek(0)
    return data


def known(encoding: str) -> str:
    """An encoding that a person named.

    Raises:
        UsageError: Python knows no such encoding.
    """
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise UsageError(
            f"There is no encoding {encoding!r}. Use for example utf-8, cp1250 or gbk."
        ) from error


def detect(data: bytes, place: str, warnings: list[str] | None = None) -> str:
    """The encoding of a text of which `data` is the beginning. A guess is told in `warnings`.

    Raises:
        SourceError: the bytes are no text.
    """
    for mark, name in MARKS:
        if data.startswith(mark):
            return name
    even, odd = data[:4096:2].count(0), data[1:4096:2].count(0)
    half = max(1, min(len(data), 4096) // 2)
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    if b"\0" in data[:4096]:
        raise SourceError(
            f"{place} is not a table in UTF-8 or UTF-16: its first line cannot be read as text."
        )
    # One broken line makes no other encoding: that line is rejected by itself.
    lines = [line for line in data.splitlines() if not line.isascii()]
    broken = [line for line in lines if not _is_utf8(line)]
    if len(broken) * 2 <= len(lines):
        return "utf-8"
    found = _guess(b"\n".join(broken)[:GUESS_BYTES])
    if found is None:
        raise SourceError(
            f"{place} is not a table in UTF-8, and its encoding could not be found. Say it: --encoding cp1250"
        )
    if warnings is not None:
        warnings.append(
            f"{place} is not in UTF-8: it was read as {found}. If letters are wrong, say the encoding "
            "(--encoding)."
        )
    return found


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _guess(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=CANDIDATES, threshold=0.6, enable_fallback=False).best()
    if best is None:
        return None
    # A short Western text is easily taken for a Central European one; these two letters are rare there.
    if best.encoding == "cp1250" and any(letter in data.decode("cp1250", "replace") for letter in "ŕĺ"):
        return "cp1252"
    return str(best.encoding)
