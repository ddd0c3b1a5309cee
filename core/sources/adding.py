"""Records of a table become products: which picture is meant, which split, what stays beside."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from core.sources.archive import is_url
from core.sources.bounds import FIELD_CHARACTERS, LONG, NESTED, too_deep
from core.sources.delimited import Record
from core.sources.reading import Collector, Folder, ReadOptions
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
NO_SPLIT = "none"  # what every screen calls the products without a split


class Adder:
    """Turns records of a table into products."""

    def __init__(self, collector: Collector, root: Path, options: ReadOptions, warnings: list[str]) -> None:
        self.collector, self.root, self.options, self.warnings = collector, root, options, warnings
        self.folder = Folder(root)
        self.seen = self.without_picture = 0
        self.classes: Counter[str] = Counter()

    def add(
        self,
        record: Record,
        chosen: dict[str, str],
        where_from: str = "",
        below: str = "",
        split: str | None = None,
    ) -> str | None:
        """One record; the path of its picture below the root, where it has one there.

        Args:
            where_from: the table's name before the line, where there are several.
            below: the folder that picture paths start from, with a slash at its end.
            split: of records that name none.
        """
        self.seen += 1
        line, fields, reason, raw = record
        place = f"{where_from}line {line}" if where_from else f"line {line}"
        if fields is None:
            self.collector.reject(place, reason, raw)
            return None
        if any(isinstance(value, dict | list) and too_deep(value) for value in fields.values()):
            self.collector.reject(place, NESTED, f"its columns: {', '.join(map(str, fields))}")
            return None
        try:
            picture_column, label_column = chosen.get("image"), chosen.get("category")
            where, payload = picture_of(fields.get(picture_column)) if picture_column else (None, None)
            levels = levels_of(fields.get(label_column), self.options.separator) if label_column else []
            row: dict[str, Any] = {
                ours: _identifier(fields.get(theirs)) if ours in IDENTIFIERS else text_of(fields.get(theirs))
                for ours, theirs in chosen.items()
                if ours not in ("image", "category")
            }
            extra = self._extra(fields, chosen)
            json.dumps(extra, ensure_ascii=False, default=str).encode()
        except StructureError as error:
            self.collector.reject(place, str(error), json_ready(fields))
            return None
        except ValueError:
            self.collector.reject(place, "not UTF-8", {key: repr(value) for key, value in fields.items()})
            return None
        if any(len(text) > FIELD_CHARACTERS for text in row.values() if text):
            self.collector.reject(place, LONG, f"its columns: {', '.join(map(str, fields))}")
            return None
        if (
            not f"{row.get('name') or ''}{row.get('description') or ''}".strip()
            and where is None
            and payload is None
        ):
            self.collector.reject(place, "neither a name nor a picture", json_ready(fields))
            return None
        there, image = self._look(where, below) if where else ("missing", None)
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
        for ours in IDENTIFIERS:
            if row.get(ours) is not None and (row[ours].isspace() or row[ours] in NO_VALUE):
                row[ours] = None
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
                "extra": extra,
            },
            payload,
        )
        return image if there == "file" else None

    def _extra(self, fields: dict[str, Any], chosen: dict[str, str]) -> dict[str, Any]:
        """What is not ours; of lists of pictures and of structures, of which a part became ours, the whole."""
        used = {theirs: ours for ours, theirs in chosen.items()}
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
            if value not in (None, "") and value == value:
                extra[key] = json_ready(value)
        return extra

    def _look(self, where: str, below: str) -> tuple[str, str | None]:
        """Is the picture there, and its path below the root (or address) as it is kept."""
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
