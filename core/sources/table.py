"""A table of one's own: CSV, TSV, JSON Lines or Parquet with a column that says where the picture is."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.errors import SourceError, UsageError
from core.schema import FROM_SOURCE
from core.sources.archive import is_url
from core.sources.delimited import Record, csv_records, json_lines
from core.sources.reading import (
    Collector,
    Places,
    Progress,
    Reading,
    ReadOptions,
    SourceSpec,
    batches_of,
    existing,
    is_inside,
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
    warnings: list[str] = []
    collector = Collector(options)
    size = max(1, path.stat().st_size)
    chosen: dict[str, str] = {}

    def rows() -> Iterator[None]:
        adder = _Adder(collector, path.parent, options, warnings)
        for record, done in _records(path, suffix, options, chosen):
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
    lower = {name.lower(): name for name in names}
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
        taken = set(options.columns.values())
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


def _records(
    path: Path, suffix: str, options: ReadOptions, chosen: dict[str, str]
) -> Iterator[tuple[Record, int]]:
    if suffix == ".parquet":
        yield from _parquet(path, options, chosen)
        return

    def check(names: list[str]) -> None:
        chosen.update(choose_columns(names, options, path.name))

    with path.open("rb") as raw:
        stream: Any = gzip.GzipFile(fileobj=raw) if path.name.endswith(".gz") else raw
        try:
            if suffix in (".csv", ".tsv"):
                records = csv_records(stream, path.name, "\t" if suffix == ".tsv" else ",", check)
            else:
                records = json_lines(stream, path.name)
            for record in records:
                if not chosen and record[1]:
                    check(list(record[1]))
                yield record, _told(raw)
        except (gzip.BadGzipFile, EOFError) as error:
            raise SourceError(f"{path.name} is damaged: {error}. Download or export it again.") from error


def _told(raw: Any) -> int:
    try:
        return int(raw.tell())
    except (OSError, ValueError):  # a text layer above forbids it while it reads ahead
        return 0


def _parquet(path: Path, options: ReadOptions, chosen: dict[str, str]) -> Iterator[tuple[Record, int]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        chosen.update(choose_columns(file.schema_arrow.names, options, path.name))
        rows, size, line = max(1, file.metadata.num_rows), path.stat().st_size, 0
        for batch in file.iter_batches(1_000):
            for record in batch.to_pylist():
                line += 1
                yield (line, record, "", None), size * line // rows
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}") from error


class _Adder:
    """Turns records of the table into products."""

    def __init__(self, collector: Collector, root: Path, options: ReadOptions, warnings: list[str]) -> None:
        self.collector, self.root, self.options, self.warnings = collector, root, options, warnings
        self.seen = 0
        self.without_picture = 0

    def add(self, record: Record, chosen: dict[str, str]) -> None:
        self.seen += 1
        line, fields, reason, raw = record
        place = f"line {line}"
        if fields is None:
            self.collector.reject(place, reason, raw)
            return
        image = fields.get(chosen.get("image", ""))
        payload = (
            image.get("bytes") if isinstance(image, dict) else image if isinstance(image, bytes) else None
        )
        if isinstance(image, dict | bytes):
            image = None
        try:
            row: dict[str, Any] = {
                ours: text_or_none(_plain(fields.get(theirs)))
                for ours, theirs in chosen.items()
                if ours != "image"
            }
            where = text_or_none(image)
            used = set(chosen.values())
            extra = {
                key: _plain(value)
                for key, value in fields.items()
                if key not in used and value not in (None, "")
            }
            json.dumps(extra, ensure_ascii=False, default=str).encode()
        except ValueError:
            self.collector.reject(place, "not UTF-8", {key: repr(value) for key, value in fields.items()})
            return
        if row.get("name") is None and where is None and payload is None:
            self.collector.reject(place, "neither a name nor a picture", fields)
            return
        if where and not is_url(where) and not is_inside(where):
            self.collector.reject(place, "image path leaves its folder", fields)
            return
        self._finish(row, where, payload, line)
        row["extra"] = extra or None
        self.collector.add(row, payload)

    def _finish(self, row: dict[str, Any], where: str | None, payload: bytes | None, line: int) -> None:
        """Fill in what follows from the rest."""
        row["item_id"] = row.get("item_id") or str(line)
        split = row.get("split")
        row["split"] = SPLITS.get(split.lower(), split) if split else None
        category = row.get("category")
        levels = [level.strip() for level in category.split(self.options.separator)] if category else []
        levels = [level for level in levels if level] or ["(no category)"]
        row["category"] = levels[-1]
        row["category_path"] = list(self.options.tree.get(levels[-1], levels)) if len(levels) == 1 else levels
        kind = (row.get("label_kind") or "").lower()
        row["label_kind"] = kind if kind in ("human", "machine") else None
        if payload is not None:
            row["image"] = row.get("image_id") or hashlib.sha256(payload).hexdigest()[:16]
        elif where and is_url(where):
            row["image"] = where
        elif where:
            there = (self.root / where).is_file()
            self.without_picture += not there
            row["image"] = where if there else None
        row["image_id"] = row.get("image_id") or _image_id(where, row.get("image"))


def _image_id(where: str | None, image: str | None) -> str | None:
    if where and is_url(where):
        return hashlib.sha256(where.encode()).hexdigest()[:16]
    return where or image


def _plain(value: Any) -> Any:
    """A list or a number from JSON or Parquet as text; NaN is missing."""
    if isinstance(value, float) and value != value:
        return None
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
