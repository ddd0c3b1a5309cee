"""Records of a table become products: which picture is meant, which split, what stays beside."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from core.sources.archive import is_url
from core.sources.bounds import FIELD_CHARACTERS, LONG, NESTED, too_deep
from core.sources.delimited import Record
from core.sources.reading import JSON, Collector, Folder, ReadOptions
from core.sources.values import (
    NO_CATEGORY,
    StructureError,
    json_ready,
    levels_of,
    listed,
    picture_of,
    text_of,
)

SPLITS = {"train": "train", "training": "train", "val": "validation", "valid": "validation", "dev": "validation",
          "validation": "validation", "test": "test", "testing": "test"}  # fmt: skip
IDENTIFIERS = ("item_id", "image_id", "category_id")
NO_VALUE = ("nan", "NaN", "<NA>", "NaT")  # what pandas makes of a missing id or label that becomes text
EXPORTED = ("\\", "=")  # first letters of what `text_of` reads otherwise than written
NO_SPLIT = "none"  # what every screen calls the products without a split


class Adder:
    """Turns records of a table into products."""

    def __init__(self, collector: Collector, root: Path, options: ReadOptions, warnings: list[str]) -> None:
        self.collector, self.root, self.options, self.warnings = collector, root, options, warnings
        self.folder = Folder(root)
        self.seen = self.without_picture = 0
        self.classes: Counter[str] = Counter()
        self._chosen: dict[str, str] = {}
        self._used: dict[str, str] = {}
        self._plain: list[tuple[str, str]] = []

    def add(
        self,
        record: Record,
        chosen: dict[str, str],
        where_from: str = "",
        below: str = "",
        split: str | None = None,
        picture: str | None = None,
    ) -> str | None:
        """One record; the path of its picture below the root, where it has one there.

        Args:
            where_from: the table's name before the line, where there are several.
            below: the folder that picture paths start from, with a slash at its end.
            split: of records that name none.
            picture: in an archive, where the layout knows it.
        """
        self.seen += 1
        line, fields, reason, raw = record
        place = f"{where_from}line {line}" if where_from else f"line {line}"
        if fields is None:
            self.collector.reject(place, reason, raw)
            return None
        nested = [value for value in fields.values() if value.__class__ is dict or value.__class__ is list]
        if nested and any(map(too_deep, nested)):
            self.collector.reject(place, NESTED, f"its columns: {', '.join(map(str, fields))}")
            return None
        try:
            picture_column, label_column = chosen.get("image"), chosen.get("category")
            where, payload = picture_of(fields.get(picture_column)) if picture_column else (picture, None)
            levels = levels_of(fields.get(label_column), self.options.separator) if label_column else []
            row = self._texts(fields, chosen)
            extra = self._extra(fields)
            kept = JSON.encode(extra) if extra else None
            if kept and not kept.isascii():
                kept.encode()  # a lone surrogate stands for a byte that was not UTF-8
        except StructureError as error:
            self.collector.reject(place, str(error), json_ready(fields))
            return None
        except ValueError:
            self.collector.reject(place, "not UTF-8", {key: repr(value) for key, value in fields.items()})
            return None
        if max(map(len, filter(None, row.values())), default=0) > FIELD_CHARACTERS:
            self.collector.reject(place, LONG, f"its columns: {', '.join(map(str, fields))}")
            return None
        if (
            not f"{row.get('name') or ''}{row.get('description') or ''}".strip()
            and where is None
            and payload is None
        ):
            self.collector.reject(place, "neither a name nor a picture", json_ready(fields))
            return None
        there, image = ("file", picture) if picture is not None else self._look(where, below)
        if there == "outside":
            self.collector.reject(place, "image path leaves its folder", json_ready(fields))
            return None
        self.without_picture += where is not None and there == "missing"
        if payload is not None:
            image = hashlib.sha256(payload).hexdigest()[:16]
        kind, named = (row.get("label_kind") or "").lower(), row.get("split")
        levels = levels or [NO_CATEGORY]
        if len(levels) == 1:
            levels = list(self.options.tree.get(levels[0], levels))
        if len(self.classes) < 100_000:
            self.classes[levels[-1]] += 1
        if len(levels) == 1 and levels[0] in NO_VALUE:
            levels = [NO_CATEGORY]
        missing = f"(no id, {place})" if "item_id" in chosen else f"{where_from}{line}"
        self.collector.add(
            {
                **row,
                "item_id": row.get("item_id") or missing,
                "image_id": row.get("image_id") or _image_id(image or where),
                "split": SPLITS.get(named.lower(), named) if named and named.lower() != NO_SPLIT else split,
                "category": levels[-1],
                "category_path": levels,
                "label_kind": kind if kind in ("human", "machine") else None,
                "image": image,
                "extra": kept,
            },
            payload,
        )
        return image if there == "file" else None

    def _texts(self, fields: dict[str, Any], chosen: dict[str, str]) -> dict[str, str | None]:
        """Our columns of text; a million times, so that what most texts are is tried first."""
        if chosen is not self._chosen:
            self._chosen = chosen
            self._used = {theirs: ours for ours, theirs in chosen.items()}
            self._plain = [pair for pair in chosen.items() if pair[0] not in ("image", "category")]
        row: dict[str, str | None] = {}
        for ours, theirs in self._plain:
            value = fields.get(theirs)
            text: str | None
            if value.__class__ is str and value.isascii() and value[:1] not in EXPORTED and "\0" not in value:
                text = value or None
            else:
                text = _identifier(value) if ours in IDENTIFIERS else text_of(value)
            if text and ours in IDENTIFIERS and (text.isspace() or text in NO_VALUE):
                text = None
            row[ours] = text
        return row

    def _extra(self, fields: dict[str, Any]) -> dict[str, Any]:
        """What is not ours; of lists of pictures and of structures, of which a part became ours, the whole."""
        used = self._used
        extra = {}
        for key, value in fields.items():
            ours = used.get(key)
            if ours is not None:
                if not isinstance(value, dict | list) and not (
                    ours in ("image", "category") and isinstance(value, str) and value[:1] == "["
                ):
                    continue
                value = listed(value)
                nested = isinstance(value, list) and any(isinstance(part, list | dict) for part in value)
                several = isinstance(value, list) and len(value) > 1 and ours == "image" and len(value) < 100
                if ours == "image" and isinstance(value, dict):
                    continue
                if not (isinstance(value, dict) or nested or (several and not isinstance(value[0], int))):
                    continue
            if value.__class__ is str:
                if value:
                    extra[key] = value
            elif value is not None and value == value:
                extra[key] = json_ready(value)
        return extra

    def _look(self, where: str | None, below: str) -> tuple[str, str | None]:
        """Is the picture there, and its path below the root (or address) as it is kept."""
        if not where:
            return "missing", None
        if is_url(where):
            return "file", where
        if where.startswith("//") and "." in where[2:].partition("/")[0]:  # an address without its scheme
            return "file", "https:" + where
        first = "missing"
        for path in self._spellings(where):
            there = self.folder.look(below + path)
            if there == "file":
                return there, below + path
            first = there if first == "missing" else first
        return first, None

    def _spellings(self, where: str) -> Iterator[str]:
        path = where
        if path.lower().startswith("file://"):
            path = unquote(path[7:])
        yield from self._forms(path)
        for other in (path.replace("\\", "/"), path.strip(), unquote(path)):
            if other != path:
                yield from self._forms(other)

    def _forms(self, path: str) -> Iterator[str]:
        for root in (str(self.root), str(self.root.resolve())):
            if path.startswith(root.rstrip("/") + "/"):
                path = path[len(root.rstrip("/")) + 1 :]
        if "/" in path:
            absolute = path.startswith("/")
            path = "/".join(part for part in path.split("/") if part not in ("", "."))
            path = "/" + path if absolute else path
        yield path
        if not path.isascii():
            for form in ("NFC", "NFD"):
                if (other := unicodedata.normalize(form, path)) != path:
                    yield other

    def finish(self) -> None:
        """Tell what was seen of all records."""
        if self.without_picture:
            self.warnings.append(
                f"{self.without_picture:,} products name a picture that is not beside the table."
            )
        stripped = Counter(name.strip() for name in self.classes)
        if alike := [name for name, count in stripped.items() if count > 1]:
            self.warnings.append(
                f"{len(alike):,} classes differ only in white space at their ends, for example {alike[0]!r}. "
                "They were kept apart."
            )


def _identifier(value: Any) -> str | None:
    """`text_of`; of bytes that are no text, as UUIDs are, their digits."""
    if isinstance(value, bytes):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = ""
        return text if text.isprintable() and text else value.hex()
    return text_of(value)


def _image_id(image: str | None) -> str | None:
    return hashlib.sha256(image.encode()).hexdigest()[:16] if image and is_url(image) else image
