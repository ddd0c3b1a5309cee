"""Detect the encoding of a text file: by its byte order mark, by its bytes, or by a guess."""

from __future__ import annotations

import codecs
from typing import IO

from core.errors import SourceError, UsageError

SAMPLE_BYTES = 16 * 2**20  # read from a file to detect its encoding and dialect
GUESS_BYTES = 64 * 2**10  # of non-ASCII lines given to charset-normalizer
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings that shops export, each with the non-ASCII letters of its languages, most frequent first.
_CYRILLIC = ("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъіїєё",)
_EAST = ("éáíčšžýřěůúóňťď", "ąłęóśżćńź", "áéöóőüűí", "ăâîşţ", "čšžćđ", "áéíčšžýľťúňôäď")
LETTERS = {
    "cp1252": ("éèàêçôâîûùëïœ", "üäöß", "óíáñéúü", "ãçáéóíêõâàú", "åäöéø", "øåæé", "èàéùìò"),
    "cp1250": _EAST,
    "cp1251": _CYRILLIC,
    "cp1253": ("αοιετσνηυρπκμλωςόάίέήδγχθύφβξώζψ",),
    "cp1254": ("ıişğüöçâ",),
    "cp1255": ("יוהלאתרבמנשפדקחעםכגצטןזסךףץ",),
    "cp1256": ("اليمونترةبسعدفكهحقجأشصطخىذغزضءئثإؤظآپچژگ",),
    "cp1257": ("ėšžąįųūčę", "āēīšžļņķģū", "õäöü"),
    "iso8859_2": _EAST,
    "koi8_r": _CYRILLIC,
}
LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "iso8859_2")
MARKS_OF_TEXT = "’‘“”„–—…€®™°·×½²\xa0"
# For multi-byte encodings: the first bytes of the usual characters.
COMMON_BYTES = {
    "gb18030": (0xB0, 0xD7),
    "big5": (0xA4, 0xC6),
    "shift_jis": (0x81, 0x97),
    "euc_kr": (0xB0, 0xC8),
}
CANDIDATES = [*LETTERS, *COMMON_BYTES]


def sample(stream: IO[bytes]) -> bytes:
    """The first bytes of a seekable stream, which is then rewound."""
    data = stream.read(SAMPLE_BYTES)
    stream.seek(0)
    return data


def known(encoding: str) -> str:
    """Validate an encoding given by the user.

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
    """Detect the encoding of a text that starts with `data`. A guess adds to `warnings`.

    Raises:
        SourceError: the bytes are not text.
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
    # One undecodable line does not change the encoding: the line is rejected alone.
    lines = [line for line in data.splitlines() if not line.isascii()]
    broken = [line for line in lines if not _is_utf8(line)]
    if len(broken) * 2 <= len(lines):
        return "utf-8"
    text = b"\n".join(broken)
    found = _guess(text if len(text) <= GUESS_BYTES else text[:GUESS_BYTES].rpartition(b"\n")[0])
    if found is None:
        raise SourceError(
            f"{place} is not a table in UTF-8, and its encoding could not be detected. Give it, for example --encoding cp1250"
        )
    if warnings is not None:
        warnings.append(
            f"{place} is not in UTF-8: it was read as {found}. If letters are wrong, give the encoding "
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
    """The best match of charset-normalizer; among equal matches, as for a few words, the one with the most
    frequent letters."""
    from charset_normalizer import from_bytes

    found = from_bytes(data, cp_isolation=CANDIDATES, threshold=0.6, enable_fallback=False)
    messy = {str(match.encoding): float(match.chaos) for match in found}
    western = min((messy[encoding] for encoding in ("cp1252", "cp1250") if encoding in messy), default=0.1)
    best: tuple[float, str | None] = (0.2, None)
    for encoding in CANDIDATES:
        text = data.decode(encoding, "replace")
        broken = text.count("\ufffd") / max(1, sum(letter > "\x7f" for letter in text))
        if broken > (0.2 if encoding in COMMON_BYTES else 0):
            continue
        # The library misses Western encodings if a text has a single letter of them.
        mess = messy.get(encoding, western if encoding in ("cp1252", "cp1250") else 0.1 if broken else 1.0)
        best = max(best, (_plausibility(text, encoding) - mess - broken, encoding), key=lambda pair: pair[0])
    if best[1] is None and (first := found.best()) is not None:
        return str(first.encoding)
    return best[1]


def _plausibility(text: str, encoding: str) -> float:
    """How frequent the non-ASCII characters are in the languages of an encoding, from 0 to 1."""
    beyond = [
        (letter, before, after)
        for before, letter, after in zip(" " + text, text, text[1:] + " ", strict=False)
        if letter > "\x7f"
    ][:4_000]
    languages = LETTERS.get(encoding, ("",))
    return max(
        sum(_common(*place, encoding, letters) for place in beyond) / max(1, len(beyond))
        for letters in languages
    )


def _common(letter: str, before: str, after: str, encoding: str, letters: str) -> float:
    """How frequent one character is, from 0 to 1; 0 for another script inside a word of ASCII letters."""
    if letter in MARKS_OF_TEXT:
        return 0.9
    latin = sum(near.isascii() and near.isalpha() for near in (before, after))
    if first_bytes := COMMON_BYTES.get(encoding):
        common = first_bytes[0] <= letter.encode(encoding, "replace")[0] <= first_bytes[1]
        return (0.9, 0.4, 0.0)[latin] if common else 0.0
    at = letters.find(letter.lower())
    if at < 0 or (letter.isupper() and before.islower()) or (latin and encoding not in LATIN):
        return 0.0
    return 1 - 0.3 * at / len(letters)
