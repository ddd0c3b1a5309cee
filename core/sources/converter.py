"""Convert records of a table to products: resolve the picture, the split, the category and the extra columns."""

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
NO_VALUE = ("nan", "NaN", "<NA>", "NaT")  # a missing id or label that pandas converted to text
EXPORTED = ("\\", "=")  # first characters of exported values, which `text_of` decodes
NO_SPLIT = "none"  # name of the products without a split on every screen


class _Rejected(Exception):
    """A record that cannot be a product."""

    def __init__(self, reason: str, shown: Any) -> None:
        super().__init__(reason)
        self.reason, self.shown = reason, shown


class RecordConverter:
    """Converts records of a table to products, and gives them to the collector of an import."""

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
        """Convert one record and give it to the collector, as a product or as rejected.

        Args:
            chosen: the record's column for each of ours.
            where_from: prefix of the line number in reports: the table's name, if there are several.
            below: the folder that picture paths start from, with a slash at its end.
            split: the split of records that have none.
            picture: the member of an archive, if the layout knows it.

        Returns:
            The path of its picture below the root, if that is a file.
        """
        self.seen += 1
        line, fields, reason, raw = record
        place = f"{where_from}line {line}" if where_from else f"line {line}"
        if fields is None:
            self.collector.reject(place, reason, raw)
            return None
        try:
            row, levels, where, payload = self._parse(fields, chosen, picture)
            found, image = ("file", picture) if picture is not None else self._look(where, below)
            if found == "outside":
                raise _Rejected("image path leaves its folder", json_ready(fields))
        except _Rejected as rejected:
            self.collector.reject(place, rejected.reason, rejected.shown)
            return None
        self.without_picture += where is not None and found == "missing"
        if payload is not None:
            image = hashlib.sha256(payload).hexdigest()[:16]
        levels = self._category_path(levels)
        kind, named = (row.get("label_kind") or "").lower(), row.get("split")
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
            },
            payload,
        )
        return image if found == "file" else None

    def _parse(
        self, fields: dict[str, Any], chosen: dict[str, str], picture: str | None
    ) -> tuple[dict[str, str | None], list[str], str | None, bytes | None]:
        """The text columns and `extra`, the category's levels, and the picture's path or its bytes.

        Raises:
            _Rejected: the record cannot be a product.
        """
        nested = [value for value in fields.values() if value.__class__ is dict or value.__class__ is list]
        if nested and any(map(too_deep, nested)):
            raise _Rejected(NESTED, _columns(fields))
        try:
            picture_column, label_column = chosen.get("image"), chosen.get("category")
            where, payload = picture_of(fields.get(picture_column)) if picture_column else (picture, None)
            levels = levels_of(fields.get(label_column), self.options.separator) if label_column else []
            row = self._texts(fields, chosen)
            extra = self._extra(fields)
            encoded = JSON.encode(extra) if extra else None
            if encoded and not encoded.isascii():
                encoded.encode()  # a lone surrogate stands for a byte that was not UTF-8
        except StructureError as error:
            raise _Rejected(str(error), json_ready(fields)) from error
        except ValueError as error:
            raise _Rejected("not UTF-8", {key: repr(value) for key, value in fields.items()}) from error
        if max(map(len, filter(None, row.values())), default=0) > FIELD_CHARACTERS:
            raise _Rejected(LONG, _columns(fields))
        text = f"{row.get('name') or ''}{row.get('description') or ''}".strip()
        if not text and where is None and payload is None:
            raise _Rejected("neither a name nor a picture", json_ready(fields))
        row["extra"] = encoded
        return row, levels, where, payload

    def _category_path(self, levels: list[str]) -> list[str]:
        """The category's path, looked up in the tree of the import's options; counts its leaf."""
        levels = levels or [NO_CATEGORY]
        if len(levels) == 1:
            levels = list(self.options.tree.get(levels[0], levels))
        if len(self.classes) < 100_000:
            self.classes[levels[-1]] += 1
        if len(levels) == 1 and levels[0] in NO_VALUE:
            levels = [NO_CATEGORY]
        return levels

    def _texts(self, fields: dict[str, Any], chosen: dict[str, str]) -> dict[str, str | None]:
        """Our text columns. Called once a record: the most frequent kind of value, plain ASCII text, is tested first."""
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
        """The columns that are not ours, and whole lists of pictures and structures of which ours took a part."""
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
        """Whether the picture exists, and its path below the root, or its URL, as stored in the dataset."""
        if not where:
            return "missing", None
        if is_url(where):
            return "file", where
        if where.startswith("//") and "." in where[2:].partition("/")[0]:  # a URL without its scheme
            return "file", "https:" + where
        first = "missing"
        for path in self._spellings(where):
            found = self.folder.look(below + path)
            if found == "file":
                return found, below + path
            first = found if first == "missing" else first
        return first, None

    def _spellings(self, where: str) -> Iterator[str]:
        """The path as written, then with common errors of exports corrected."""
        path = where
        if path.lower().startswith("file://"):
            path = unquote(path[7:])
        yield from self._forms(path)
        for other in (path.replace("\\", "/"), path.strip(), unquote(path)):
            if other != path:
                yield from self._forms(other)

    def _forms(self, path: str) -> Iterator[str]:
        """The path relative to the root, then in the Unicode normal forms that file systems use."""
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
        """Add the warnings about all records together."""
        if self.without_picture:
            self.warnings.append(
                f"{self.without_picture:,} products name a picture that is not beside the table."
            )
        stripped = Counter(name.strip() for name in self.classes)
        if similar := [name for name, count in stripped.items() if count > 1]:
            self.warnings.append(
                f"{len(similar):,} classes differ only in leading or trailing white space, for example "
                f"{similar[0]!r}. They were not merged."
            )


def _identifier(value: Any) -> str | None:
    """`text_of`; bytes that are not text, such as UUIDs, in hexadecimal."""
    if isinstance(value, bytes):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = ""
        return text if text.isprintable() and text else value.hex()
    return text_of(value)


def _columns(fields: dict[str, Any]) -> str:
    return f"its columns: {', '.join(map(str, fields))}"


def _image_id(image: str | None) -> str | None:
    return hashlib.sha256(image.encode()).hexdigest()[:16] if image and is_url(image) else image
