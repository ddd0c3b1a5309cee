"""Convert values of a table to text, category paths and pictures, also from lists and structures."""

from __future__ import annotations

import ast
import base64
import binascii
import json
import re
import unicodedata
from contextlib import suppress
from typing import Any

from core.sources.reading import text_or_none

NO_CATEGORY = "(no category)"
# Fields of a structure with its text, and with its picture, by precedence.
TEXT_FIELDS = ("name", "title", "label", "text", "value", "en", "#text")
PICTURE_FIELDS = ("path", "url", "src", "href", "large", "hi_res", "file_name", "filename", "image", "thumb")
BASE64 = ("/9j/", "iVBORw0KGgo", "UklGR", "R0lGOD")  # first characters of JPEG, PNG, WebP and GIF in base64
_ADDRESSES = re.compile(r"[|,;\s]+(?=https?://)", re.IGNORECASE)


class StructureError(ValueError):
    """A structure without a text field."""


def text_of(value: Any) -> str | None:
    """One value as text. Whole floats become integers, since pandas stores integers with missing values as floats.

    >>> text_of(1001.0), text_of({"id": 3, "name": "Tops"}), text_of(["a", "b"]), text_of(float("nan"))
    ('1001', 'Tops', 'a\\nb', None)

    Raises:
        StructureError: a structure has no text field.
        ValueError: bytes or text that are not valid Unicode.
    """
    if isinstance(value, str) or value is None:
        if value and value[0] in "\\=":
            value = _exported(value)
        return text_or_none(value)
    if isinstance(value, float):
        if value != value:
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, bytes):
        return text_or_none(value.decode())
    if isinstance(value, dict):
        return _text_field(value)
    if isinstance(value, list | tuple):
        if value and all(isinstance(part, tuple) and len(part) == 2 for part in value):
            return _text_field(dict(value))
        return text_or_none("\n".join(text for part in value if (text := text_of(part)) is not None))
    return text_or_none(value)


def _exported(value: str) -> str | None:
    """Decode NULL of databases, \\N, and texts of spreadsheets, ="007"."""
    if value == "\\N":
        return None
    return value[2:-1] if len(value) > 3 and value[:2] == '="' and value[-1] == '"' else value


def _text_field(value: dict[Any, Any]) -> str | None:
    by_name = {str(key).lower(): part for key, part in value.items()}
    for key in TEXT_FIELDS:
        if isinstance(by_name.get(key), str) and by_name[key]:
            return text_or_none(by_name[key])
    present = [part for part in value.values() if part not in (None, "", [], {}) and part == part]
    if not present:
        return None
    if len(present) == 1 and isinstance(present[0], dict):
        return _text_field(present[0])
    if all(isinstance(part, str) for part in present):  # a text in several languages, or a single field
        return text_or_none(present[0])
    raise StructureError("a structure without a text field")


def levels_of(value: Any, separator: str) -> list[str]:
    """The path of a category, root to leaf; empty if there is none. Of several paths the first.

    >>> levels_of("Fruit > Apple", " > "), levels_of([["Clothing", "Tops"], ["Sale"]], " > ")
    (['Fruit', 'Apple'], ['Clothing', 'Tops'])
    """
    value = listed(value)
    if (
        isinstance(value, list)
        and value
        and all(isinstance(part, tuple) and len(part) == 2 for part in value)
    ):
        value = dict(value)  # a map type of Parquet
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], list | tuple) and not isinstance(value, tuple):
            return levels_of(next((part for part in value if part), []), separator)
        parts: list[Any] = list(value)
        if len(parts) == 1 and isinstance(parts[0], str):
            parts = parts[0].split(separator)
    else:
        parts = (text_of(value) or "").split(separator)
    if separator == " > " and len(parts) == 1 and isinstance(parts[0], str) and " >> " in parts[0]:
        parts = parts[0].split(" >> ")
    texts = [text_of(part) for part in parts]
    return [unicodedata.normalize("NFC", text) for text in texts if text and text.strip()]


def listed(value: Any) -> Any:
    """Parse a list in a text, in JSON or Python syntax; other values are returned unchanged."""
    if not (isinstance(value, str) and len(value) < 100_000):
        return value
    text = value.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return value
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return value
    return found if isinstance(found, list) and found and not _numbers(found) else value


def _numbers(value: list[Any]) -> bool:
    return all(isinstance(part, int | float) for part in value)


def picture_of(value: Any) -> tuple[str | None, bytes | None]:  # noqa: C901 (one branch a form)
    """The path or URL of a picture, or its bytes. Of several pictures the first.

    >>> picture_of(["a.jpg", "b.jpg"]), picture_of({"bytes": None, "path": "c.jpg"})
    (('a.jpg', None), ('c.jpg', None))
    """
    value = listed(value)
    if isinstance(value, bytes | bytearray):
        return None, bytes(value) or None
    if isinstance(value, dict):
        data = value.get("bytes")
        if isinstance(data, list):
            data = picture_of(data)[1]
        if isinstance(data, bytes) and data:
            return None, data
        for key in PICTURE_FIELDS:
            if isinstance(value.get(key), str | list) and value[key]:
                return picture_of(value[key])
        return None, None
    if isinstance(value, list | tuple):
        if len(value) > 8 and all(isinstance(part, int) and -128 <= part < 256 for part in value):
            return None, bytes(part % 256 for part in value)
        for part in value:
            found = picture_of(part)
            if found != (None, None):
                return found
        return None, None
    text = text_of(value)
    if text is None or not text.strip():
        return None, None
    if text.startswith("data:image/") and ";base64," in text[:64]:
        try:
            return None, base64.b64decode(text.partition(",")[2])
        except (binascii.Error, ValueError):
            return None, None
    if len(text) > 100 and text.startswith(BASE64):
        with suppress(binascii.Error, ValueError):
            return None, base64.b64decode(text, validate=True)
    if "http" in text.lower():
        text = _ADDRESSES.split(text.strip(), maxsplit=1)[0]
    return text, None


def json_ready(value: Any) -> Any:
    """The value with NaN and infinity, which JSON lacks, as None."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {str(key): json_ready(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(part) for part in value]
    return value
