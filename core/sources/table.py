"""A table of one's own: CSV, TSV, JSON Lines or Parquet with a column that says where the picture is."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from core.errors import SourceError, UsageError
from core.schema import FROM_SOURCE
from core.sources.archive import is_url
from core.sources.delimited import Record, csv_records, json_lines
from core.sources.reading import (
    Collector,
    Folder,
    Places,
    Progress,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    existing,
    text_or_none,
)

MAPPABLE = tuple(name for name in FROM_SOURCE if name not in ("category_path", "extra"))
# What people call our columns; the first that is there is taken, a --map wins.
SYNONYMS = {
    "item_id": ("item_id", "id", "product_id", "sku"),
    "image": ("image", "image_path", "img_path", "image_url", "picture", "file_name", "path"),
    "name": ("name", "title", "product_name"),
    "description": ("description", "text", "caption"),
    "category": ("category", "category_path", "label", "class"),
    "language": ("language", "lang"),
    "geo": ("geo", "country"),
}
SPLITS = {"train": "train", "training": "train", "val": "validation", "valid": "validation", "dev": "validation",
          "validation": "validation", "test": "test", "testing": "test"}  # fmt: skip
LINES_TO_CHOOSE_BY = 1_000  # of JSON Lines, whose columns are the keys of the first so many
NO_CATEGORY = "(no category)"
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open one table; pictures are looked for beside it."""
    if len(paths) != 1:
        raise SourceError("table takes one path: a CSV, TSV, JSON Lines or Parquet file.")
    path = existing(paths[0], "table")
    if path.is_dir():
        raise SourceError(f"{path} is a folder. Give the table in it, or import it with the source `folder`.")
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in SUFFIXES:
        raise SourceError(f"{path.name}: a table ends in {', '.join(SUFFIXES)}, also with .gz after it.")
    if unknown := sorted(set(options.columns) - set(MAPPABLE)):
        raise UsageError(f"--map knows no column {', '.join(unknown)}. Columns: {', '.join(MAPPABLE)}.")
    if not options.separator.strip():
        raise UsageError("The separator of category paths is empty. Use for example ' > ' or '/'.")
    warnings: list[str] = []
    collector = Collector(options)
    size = max(1, path.stat().st_size)

    def rows() -> Iterator[None]:
        adder = _Adder(collector, path.parent, options)
        for record, chosen, done in _records(path, suffix, options):
            adder.add(record, chosen)
            yield
            if adder.seen % 5_000 == 0:
                progress(min(done, size), size, "Reading the table")
        progress(size, size, "Reading the table")
        if adder.without_picture:
            warnings.append(
                f"{adder.without_picture:,} products name a picture that is not beside the table."
            )

    return Reading(batches_of(collector, rows()), Places(root=path.parent), SPEC.licence, warnings)


def choose_columns(names: Sequence[str], options: ReadOptions, place: str) -> dict[str, str]:
    """Ours -> theirs, for the columns that are there.

    Raises:
        UsageError: a mapped column is not in the table.
        SourceError: no column says what the product is.
    """
    lower = {name.lower(): name for name in reversed(names)}
    taken = set(options.columns.values())
    chosen: dict[str, str] = {}
    for ours in MAPPABLE:
        if ours in options.columns:
            if options.columns[ours] not in names:
                raise UsageError(
                    f"--map {ours}={options.columns[ours]}: {place} has no such column. "
                    f"It has: {', '.join(names)}."
                )
            chosen[ours] = options.columns[ours]
            continue
        for synonym in SYNONYMS.get(ours, (ours,)):
            if synonym in lower and lower[synonym] not in taken:
                chosen[ours] = lower[synonym]
                break
    if not {"name", "image"} & set(chosen):
        raise SourceError(
            f"{place} has no column for a name or a picture (it has: {', '.join(names)}). "
            "Say which is which, for example: --map name=title --map image=photo"
        )
    return chosen


def _records(path: Path, suffix: str, options: ReadOptions) -> Iterator[tuple[Record, dict[str, str], int]]:
    """Every record, which of its columns are ours, and how many bytes of the file have been read."""
    if suffix == ".parquet":
        yield from _parquet(path, options)
        return
    chosen: dict[str, str] = {}

    def choose(names: Sequence[str]) -> None:
        chosen.update(choose_columns(names, options, path.name))

    with path.open("rb") as raw:
        stream: Any = gzip.GzipFile(fileobj=raw) if path.name.endswith(".gz") else raw
        try:
            if suffix in (".csv", ".tsv"):
                records = csv_records(stream, path.name, "\t" if suffix == ".tsv" else ",", choose)
            else:
                records = _choosing(json_lines(stream, path.name), choose)
            for record in records:
                yield record, chosen, raw.tell()
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise SourceError(f"{path.name} is damaged: {error}. Download or export it again.") from error


def _choosing(records: Iterator[Record], choose: Callable[[Sequence[str]], None]) -> Iterator[Record]:
    """The same records, once `choose` has seen the keys of the first of them: not every line has every key."""
    first = list(islice(records, LINES_TO_CHOOSE_BY))
    names = dict.fromkeys(name for _, fields, _, _ in first for name in fields or ())
    if names:
        choose(list(names))
    yield from first
    yield from records


def _parquet(path: Path, options: ReadOptions) -> Iterator[tuple[Record, dict[str, str], int]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            chosen = choose_columns(file.schema_arrow.names, options, path.name)
            rows, size, line = max(1, file.metadata.num_rows), path.stat().st_size, 0
            for batch in file.iter_batches(1_000):
                for record in batch.to_pylist():
                    line += 1
                    yield (line, record, "", None), chosen, size * line // rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}") from error


class _Adder:
    """Turns records of the table into products."""

    def __init__(self, collector: Collector, root: Path, options: ReadOptions) -> None:
        self.collector, self.folder, self.options = collector, Folder(root), options
        self.seen = 0
        self.without_picture = 0

    def add(self, record: Record, chosen: dict[str, str]) -> None:
        self.seen += 1
        line, fields, reason, raw = record
        place = f"line {line}"
        if fields is None:
            self.collector.reject(place, reason, raw)
            return
        used = set(chosen.values())
        try:
            where, payload = _picture(fields.get(chosen.get("image", "")))
            levels = self._levels(fields.get(chosen.get("category", "")))
            row: dict[str, Any] = {
                ours: text_or_none(_plain(fields.get(theirs)))
                for ours, theirs in chosen.items()
                if ours not in ("image", "category")
            }
            extra = {
                key: value
                for key, value in fields.items()
                if key not in used and value not in (None, "") and value == value
            }
            json.dumps(extra, ensure_ascii=False, default=str).encode()
        except ValueError:
            self.collector.reject(place, "not UTF-8", {key: repr(value) for key, value in fields.items()})
            return
        if row.get("name") is None and where is None and payload is None:
            self.collector.reject(place, "neither a name nor a picture", fields)
            return
        there = self.folder.look(where) if where and not is_url(where) else None
        if there == "outside":
            self.collector.reject(place, "image path leaves its folder", fields)
            return
        self.without_picture += there == "missing"
        image = where if there != "missing" else None
        if payload is not None:
            image = hashlib.sha256(payload).hexdigest()[:16]
        split, kind = row.get("split"), (row.get("label_kind") or "").lower()
        self.collector.add(
            {
                **row,
                "item_id": row.get("item_id") or str(line),
                "image_id": row.get("image_id") or _image_id(where, image),
                "split": SPLITS.get(split.lower(), split) if split else None,
                "category": levels[-1],
                "category_path": levels,
                "label_kind": kind if kind in ("human", "machine") else None,
                "image": image,
                "extra": extra,
            },
            payload,
        )

    def _levels(self, value: Any) -> list[str]:
        """The category's path, from a list or from text with separators."""
        parts = (
            value
            if isinstance(value, list)
            else (text_or_none(_plain(value)) or "").split(self.options.separator)
        )
        levels = [level for part in parts if (level := text_or_none(_plain(part)))]
        if not levels:
            return [NO_CATEGORY]
        return list(self.options.tree.get(levels[0], levels)) if len(levels) == 1 else levels


def _picture(value: Any) -> tuple[str | None, bytes | None]:
    """The path or URL of a picture, or its bytes: also as Hugging Face writes both, {"bytes": .., "path": ..}."""
    if isinstance(value, dict):
        data = value.get("bytes")
        return (None, data) if isinstance(data, bytes) and data else (text_or_none(value.get("path")), None)
    if isinstance(value, bytes):
        return None, value or None
    return text_or_none(_plain(value)), None


def _image_id(where: str | None, image: str | None) -> str | None:
    if where and is_url(where):
        return hashlib.sha256(where.encode()).hexdigest()[:16]
    return where or image


def _plain(value: Any) -> Any:
    """A list from JSON or Parquet as text, bytes as UTF-8; NaN is missing."""
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list | tuple):
        return " > ".join(str(part) for part in value)
    return value


SPEC = SourceSpec(
    name="table",
    title="A table of your own",
    homepage="",
    licence="your own",
    accepts="CSV, TSV, JSON Lines or Parquet; pictures as paths beside it, URLs, or bytes",
    read=read,
)
