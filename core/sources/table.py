"""A table of one's own: CSV, TSV, JSON or Parquet with a column that says where the picture is."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from core.errors import SourceError, UsageError
from core.progress import Progress
from core.sources.archive import is_url
from core.sources.delimited import (
    Record,
    csv_records,
    find_dialect,
    is_json_lines,
    json_lines,
    json_records,
)
from core.sources.encoding import detect, known, sample
from core.sources.naming import MAPPABLE, SYNONYMS, choose_columns, looks_like_picture, overlooked, plain_name
from core.sources.parquet import parquet_records
from core.sources.reading import (
    Collector,
    Folder,
    Places,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    given,
)
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
NO_SPLIT = "none"  # what every screen calls the products without a split
TO_CHOOSE_BY = 1_000  # first records, by which columns are chosen
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
IDENTIFIERS = ("item_id", "image_id", "category", "category_id")
_SHARD = re.compile(r"^([a-z]+)(?:[-_.\d].*)?$", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"-?\d+\.0|-?\d(?:\.\d+)?e\+\d+", re.IGNORECASE)


def suffix_of(path: Path) -> str:
    """The ending that says what a table is, without .gz."""
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open a table, or a folder of its shards; pictures are looked for beside it."""
    if len(paths) != 1:
        raise SourceError("table takes one path: a CSV, TSV, JSON or Parquet file, or a folder of its parts.")
    path = given(paths[0], "table")
    if unknown := sorted(set(options.columns) - set(MAPPABLE)):
        raise UsageError(f"--map knows no column {', '.join(unknown)}. Columns: {', '.join(MAPPABLE)}.")
    if not options.separator.strip():
        raise UsageError("The separator of category paths is empty. Use for example ' > ' or '/'.")
    if len(options.delimiter) > 1:
        raise UsageError("The delimiter is one character. Use for example ';' or a tab.")
    if options.encoding:
        options = replace(options, encoding=known(options.encoding))
    root = path if path.is_dir() else path.parent
    tables = _shards(path) if path.is_dir() else [path]
    for table in tables:
        if suffix_of(table) not in SUFFIXES:
            raise SourceError(f"{table.name}: a table ends in {', '.join(SUFFIXES)}, also with .gz after it.")
    warnings: list[str] = []
    columns: dict[str, str] = {}
    collector = Collector(options)
    adder = Adder(collector, root, options, warnings)
    sizes = [max(1, table.stat().st_size) for table in tables]

    def rows() -> Iterator[None]:
        for number, table in enumerate(tables):
            before = sum(sizes[:number])
            where = f"{table.name}:" if len(tables) > 1 else ""
            split = _split_of(table) if len(tables) > 1 or path.is_dir() else None
            for record, chosen, done in records(table, options, warnings):
                columns.update(chosen) if len(columns) != len(chosen) else None
                adder.add(record, chosen, where, split=split)
                yield
                if adder.seen % 5_000 == 0:
                    progress(before + min(done, sizes[number]), sum(sizes), "Reading the table")
        progress(sum(sizes), sum(sizes), "Reading the table")
        adder.finish()

    return Reading(batches_of(collector, rows()), Places(root=root), SPEC.licence, warnings, columns=columns)


def _shards(folder: Path) -> list[Path]:
    """The parts of one table in a folder, or in its folder data/: files of one kind."""
    for place in (folder, folder / "data"):
        found = [] if not place.is_dir() else sorted(
            file
            for file in place.iterdir()
            if suffix_of(file) in SUFFIXES and file.is_file() and not file.name.startswith((".", "_"))
        )  # fmt: skip
        kinds = {suffix_of(file) for file in found}
        if ".parquet" in kinds:  # what lies beside shards describes them: dataset_info.json, stats
            found, kinds = [file for file in found if suffix_of(file) == ".parquet"], {".parquet"}
        if len(kinds) > 1:
            raise SourceError(
                f"{folder} is a folder with tables of several kinds ({', '.join(sorted(kinds))}). Give one of them."
            )
        inside = Folder(folder)
        if found:
            relative = [file.relative_to(folder).as_posix() for file in found]
            return [f for f, name in zip(found, relative, strict=True) if inside.look(name) == "file"]
    raise SourceError(
        f"{folder} is a folder without a table in it. Give a table, or import it with the source `folder`."
    )


def _split_of(table: Path) -> str | None:
    found = _SHARD.match(table.name.split(".")[0])
    return SPLITS.get(found[1].lower()) if found else None


def records(
    path: Path, options: ReadOptions, warnings: list[str]
) -> Iterator[tuple[Record, dict[str, str], int]]:
    """Every record, which of its columns are ours, and how many bytes of the file have been read."""
    suffix = suffix_of(path)
    if suffix == ".parquet":
        plain = parquet_records(path, lambda names: None)
        for record, done, chosen in _choosing(plain, options, path.name, warnings):
            yield record, chosen, done
        return
    with path.open("rb") as raw:
        stream: Any = gzip.GzipFile(fileobj=raw) if path.name.lower().endswith(".gz") else raw
        try:
            data = sample(stream)
            encoding = options.encoding or detect(data, path.name, warnings)
            if encoding == "utf-8":
                encoding = "utf-8-sig"
            if suffix in (".csv", ".tsv"):
                dialect = find_dialect(data, encoding, "\t" if suffix == ".tsv" else ",", _known_names)
                if options.delimiter:
                    dialect = replace(dialect, delimiter=options.delimiter)
                found = csv_records(
                    stream, path.name, dialect, lambda names: _empty(names, options, path), warnings
                )
            elif is_json_lines(data, encoding):
                found = json_lines(stream, path.name, encoding)
            else:
                found = json_records(stream, path.name, encoding)
            del data
            pairs = ((record, raw.tell()) for record in found)
            for record, done, chosen in _choosing(
                pairs, options, path.name, warnings, suffix in (".csv", ".tsv")
            ):
                yield record, chosen, done
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise SourceError(f"{path.name} is damaged: {error}. Download or export it again.") from error


def _known_names(names: list[str]) -> int:
    known_names = {name for synonyms in SYNONYMS.values() for name in synonyms}
    return sum(plain_name(name) in known_names for name in names)


def _empty(names: Sequence[str], options: ReadOptions, path: Path) -> None:
    """Columns are chosen once rows are seen; a mapping that cannot be is told even of a table without rows."""
    if any(theirs not in names for theirs in options.columns.values()):
        choose_columns(names, options, path.name)


def _choosing(
    pairs: Iterator[tuple[Record, int]],
    options: ReadOptions,
    place: str,
    warnings: list[str],
    text: bool = False,
) -> Iterator[tuple[Record, int, dict[str, str]]]:
    """The same records with the columns that are ours, chosen by the first records; keys that come later are
    looked at as they come."""
    first = list(islice(pairs, TO_CHOOSE_BY))
    seen = dict.fromkeys(name for (_, fields, _, _), _ in first for name in fields or ())
    chosen: dict[str, str] = {}
    pictures = [name for name in seen if _pictures(name, first)]
    if seen:
        chosen = choose_columns(list(seen), options, place, pictures)
    floats = _float_columns(chosen, first) if text else []
    if floats:
        warnings.append(
            f"{place}: the numbers in {', '.join(floats)} are written 1001.0 and were read as 1001."
        )

    def mended(record: Record) -> Record:
        line, fields, reason, raw = record
        if fields is not None:
            for name in floats:
                if _WHOLE_FLOAT.fullmatch(fields[name]):
                    fields[name] = (
                        str(int(float(fields[name]))) if "e" in fields[name].lower() else fields[name][:-2]
                    )
        return line, fields, reason, raw

    for record, done in first:
        yield mended(record), done, chosen
    del first
    for record, done in pairs:
        fields = record[1]
        if fields is not None and not (fields.keys() <= seen.keys()):
            seen.update(dict.fromkeys(fields))
            later = choose_columns(list(seen), options, place, pictures)
            used = set(chosen.values())
            chosen = {**{a: b for a, b in later.items() if b not in used}, **chosen}
        yield mended(record), done, chosen
    if unused := overlooked(list(seen), chosen, pictures):
        warnings.append(
            f"{place}: not used, though it looks like a picture or a label: {', '.join(unused)}. "
            f"To use it: --map image={unused[0]} or --map category={unused[0]}"
        )


def _pictures(name: str, first: list[tuple[Record, int]]) -> bool:
    values = [fields[name] for (_, fields, _, _), _ in first if fields and fields.get(name)][:50]
    return bool(values) and sum(_is_picture(value) for value in values) > len(values) / 2


def _is_picture(value: Any) -> bool:
    value = listed(value)
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        return isinstance(value.get("bytes"), bytes) or looks_like_picture(
            value.get("path") or value.get("url")
        )
    return looks_like_picture(value)


def _float_columns(chosen: dict[str, str], first: list[tuple[Record, int]]) -> list[str]:
    """Columns of ids and labels in a text table whose every value is a whole number written as a float."""
    found = []
    for ours in IDENTIFIERS:
        if theirs := chosen.get(ours):
            values = [fields[theirs] for (_, fields, _, _), _ in first if fields and fields[theirs]]
            if values and all(_WHOLE_FLOAT.fullmatch(value) for value in values):
                found.append(theirs)
    return found


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
        try:
            picture_column, label_column = chosen.get("image"), chosen.get("category")
            where, payload = picture_of(fields.get(picture_column)) if picture_column else (None, None)
            levels = levels_of(fields.get(label_column), self.options.separator) if label_column else []
            row: dict[str, Any] = {
                ours: text_of(fields.get(theirs))
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


def _image_id(image: str | None) -> str | None:
    return hashlib.sha256(image.encode()).hexdigest()[:16] if image and is_url(image) else image


SPEC = SourceSpec(
    name="table",
    title="A table of your own",
    homepage="",
    licence="your own",
    accepts="CSV, TSV, JSON or Parquet, or a folder of its parts; pictures as paths beside it, URLs, or bytes",
    read=read,
)
