"""Files of predictions as batches of rows: CSV, JSON Lines, Parquet; read in parts, every size bounded."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.errors import BenchmarkError

MOST_BYTES = 4 * 2**30  # of a file; 600,000 rows of 599 probabilities as text are 3.6 GB
LINE_BYTES = 2**20  # of a JSON line, and of the header of a CSV
GROUP_BYTES = 2**31  # decompressed, of a row group of Parquet
BLOCK_BYTES = 4 * 2**20  # of a CSV, read at once
BATCH = 8_192  # rows

IDS = ("row_id", "item_id", "image_id", "geo")
LABEL = (
    "prediction",
    "predicted",
    "label",
    "category",
    "category_name",
    "class",
)  # an evaluation's file has both
RANKED = ("labels", "ranked", "predictions", "top")
PROBABILITIES = ("probabilities", "scores")
PREFIXES = ("p:", "prob:", "prob_", "p_")  # of a column of one class's probabilities


@dataclass(frozen=True)
class Rows:
    """Some rows of a file, as it has them.

    Attributes:
        ids: of IDS, those that the file has, as text.
        label: the class of each row, by name or id.
        ranked: classes of each row, the most probable first.
        probabilities: {class: probability} of each row; or with `columns` an (n, columns) array.
    """

    start: int  # number of the first row, from 1
    ids: dict[str, list[str | None]]
    label: list[str | None] | None = None
    ranked: list[list[str]] | None = None
    probabilities: list[dict[str, float]] | NDArray[np.float32] | None = None
    columns: tuple[str, ...] = ()  # the classes of the array, by name or id


def rows_of(path: Path, is_class: Callable[[str], bool], most_bytes: int = MOST_BYTES) -> Iterator[Rows]:
    """The rows of a file, some thousand at a time.

    Args:
        is_class: whether the name of a column is a class, by name or id.

    Raises:
        BenchmarkError: it is no such file, too large, cut short, or lacks a column.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            begins = file.read(4)
    except OSError as error:
        raise BenchmarkError(f"{path.name} cannot be read: {error.strerror}.") from error
    if size > most_bytes:
        raise BenchmarkError(
            f"{path.name} has {size / 2**30:.1f} GB; {most_bytes / 2**30:.2g} GB are read at most. Write labels, the five most "
            "probable classes (labels), or Parquet."
        )
    if begins == b"PAR1":
        return _parquet(path, is_class)
    if begins[:2] in (b"PK", b"\x1f\x8b", b"\x80\x02", b"\x80\x04", b"\x80\x05"):
        raise BenchmarkError(f"{path.name} is an archive or a pickle; give CSV, JSON Lines or Parquet.")
    kind = path.suffix.lower()
    if kind in (".jsonl", ".ndjson", ".json") or begins.lstrip()[:1] == b"{":
        return _json_lines(path)
    return _csv(path, is_class)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class _Layout:
    """Which column of a table is what."""

    ids: tuple[str, ...]
    label: str = ""
    ranked: str = ""
    probabilities: str = ""
    wide: tuple[str, ...] = ()  # columns of one class each

    @property
    def wanted(self) -> list[str]:
        rest = (name for name in (self.label, self.ranked, self.probabilities) if name)
        return [*self.ids, *rest, *self.wide]


def _layout(file: str, columns: Sequence[str], is_class: Callable[[str], bool]) -> _Layout:
    """Probabilities before a ranked list before a label, where a file has several.

    Raises:
        BenchmarkError: there are no ids, or no predictions.
    """
    if len(set(columns)) != len(columns):
        twice = next(name for name in columns if list(columns).count(name) > 1)
        raise BenchmarkError(f"{file} has two columns {twice!r}.")
    ids = tuple(name for name in IDS if name in columns)
    if "item_id" not in ids and "row_id" not in ids:
        raise BenchmarkError(
            f"{file} has no column item_id (nor row_id). Its columns: {', '.join(map(repr, columns[:12]))}."
        )
    wide = tuple(name for name in columns if name not in ids and name not in LABEL and is_class(_bare(name)))
    if len(wide) > 1:
        return _Layout(ids, wide=wide)
    for known, where in ((PROBABILITIES, "probabilities"), (RANKED, "ranked"), (LABEL, "label")):
        if found := next((name for name in known if name in columns), ""):
            return replace(_Layout(ids), **{where: found})  # type: ignore[arg-type]
    raise BenchmarkError(
        f"{file} has no predictions: give a column label (one class), labels (classes, the most probable first), "
        f"probabilities, or one column a class. Its columns: {', '.join(map(repr, columns[:12]))}."
    )


def _bare(column: str) -> str:
    """The class of a column: `p:Boots` and `Boots` are both of Boots."""
    return next((column.removeprefix(each) for each in PREFIXES if column.startswith(each)), column)


def _csv(path: Path, is_class: Callable[[str], bool]) -> Iterator[Rows]:
    with path.open("rb") as file:
        header = file.readline(LINE_BYTES)
    try:
        text = header.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BenchmarkError(f"{path.name} is not UTF-8. Save it as UTF-8.") from error
    delimiter = max(",;\t", key=text.count)
    columns = next(csv.reader([text], delimiter=delimiter), [])
    layout = _layout(path.name, columns, is_class)
    text_columns = [name for name in layout.wanted if name not in layout.wide]
    kinds = dict.fromkeys(text_columns, pa.string()) | dict.fromkeys(layout.wide, pa.float32())
    try:
        with pyarrow.csv.open_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(
                block_size=BLOCK_BYTES, column_names=columns, skip_rows=1, use_threads=False
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=kinds, include_columns=layout.wanted, strings_can_be_null=True, null_values=[""]
            ),
        ) as reader:
            yield from _tables(path.name, reader, layout)
    except pa.ArrowInvalid as error:
        raise BenchmarkError(f"{path.name} cannot be read: {_first(error)}") from error


def _parquet(path: Path, is_class: Callable[[str], bool]) -> Iterator[Rows]:
    try:
        with pq.ParquetFile(path) as file:
            metadata = file.metadata
            for number in range(metadata.num_row_groups):
                if metadata.row_group(number).total_byte_size > GROUP_BYTES:
                    raise BenchmarkError(
                        f"{path.name}: a row group has over {GROUP_BYTES / 2**30:.0f} GB; write smaller ones."
                    )
            layout = _layout(path.name, file.schema_arrow.names, is_class)
            yield from _tables(path.name, file.iter_batches(BATCH, columns=layout.wanted), layout)
    except (pa.ArrowException, OSError) as error:
        raise BenchmarkError(f"{path.name} is damaged or cut short: {_first(error)}") from error


def _tables(name: str, batches: Any, layout: _Layout) -> Iterator[Rows]:
    start = 1
    for batch in batches:
        if batch.num_rows == 0:
            continue
        ids = {each: batch.column(each).cast(pa.string()).to_pylist() for each in layout.ids}
        given: dict[str, Any] = {}
        if layout.wide:
            arrays = [
                batch.column(each).cast(pa.float32()).to_numpy(zero_copy_only=False) for each in layout.wide
            ]
            given = {
                "probabilities": np.stack(arrays, 1),
                "columns": tuple(_bare(each) for each in layout.wide),
            }
        elif layout.label:
            given = {"label": batch.column(layout.label).cast(pa.string()).to_pylist()}
        else:
            key = "ranked" if layout.ranked else "probabilities"
            values = batch.column(layout.ranked or layout.probabilities).to_pylist()
            read = _list if layout.ranked else _weights
            given = {key: [read(name, start + at, value) for at, value in enumerate(values)]}
        yield Rows(start, ids, **given)
        start += batch.num_rows


def _json_lines(path: Path) -> Iterator[Rows]:
    with path.open("rb") as file:
        first, start, number, held = None, 1, 0, []
        while line := file.readline(LINE_BYTES + 1):
            number += 1
            if len(line) > LINE_BYTES:
                raise BenchmarkError(
                    f"{path.name}, line {number}: longer than 1 MB. Write one product a line (JSON Lines)."
                )
            if not line.strip():
                continue
            held.append(_object(path.name, number, line))
            if first is None:
                # A class is never a key of its own here: probabilities are one object.
                first = _layout(path.name, list(held[0]), lambda _: False)
            if len(held) == BATCH:
                yield _records(path.name, start, held, first)
                start, held = start + len(held), []
        if held and first is not None:
            yield _records(path.name, start, held, first)


def _object(name: str, number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BenchmarkError(f"{name}, line {number}: no JSON ({str(error)[:80]}).") from error
    if not isinstance(found, dict):
        raise BenchmarkError(f"{name}, line {number}: no JSON object. Write one product a line (JSON Lines).")
    return found


def _records(name: str, start: int, held: list[dict[str, Any]], layout: _Layout) -> Rows:
    ids = {each: [_text(one.get(each)) for one in held] for each in layout.ids}
    if layout.label:
        return Rows(start, ids, label=[_text(one.get(layout.label)) for one in held])
    if layout.ranked:
        found = [_list(name, start + at, one.get(layout.ranked)) for at, one in enumerate(held)]
        return Rows(start, ids, ranked=found)
    weights = [_weights(name, start + at, one.get(layout.probabilities)) for at, one in enumerate(held)]
    return Rows(start, ids, probabilities=weights)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _list(name: str, row: int, value: Any) -> list[str]:
    """Classes of a list, of JSON, or with | between them."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                value = None
        else:
            value = [each.strip() for each in value.split("|")]
    if not isinstance(value, list) or not value or not all(isinstance(each, str | int) for each in value):
        raise BenchmarkError(
            f"{name}, row {row}: no list of classes. Write a JSON list, or classes with | between them."
        )
    return [str(each) for each in value]


def _weights(name: str, row: int, value: Any) -> dict[str, float]:
    """Probabilities by class, of an object, a map, or its JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if isinstance(value, list) and all(isinstance(each, tuple) and len(each) == 2 for each in value):
        value = dict(value)  # a map of Parquet
    if not isinstance(value, dict) or not value:
        raise BenchmarkError(
            f'{name}, row {row}: no probabilities by class, such as {{"Boots": 0.9, "Hats": 0.1}}.'
        )
    try:
        return {str(key): float("nan") if p is None else float(p) for key, p in value.items()}
    except (TypeError, ValueError, OverflowError) as error:
        raise BenchmarkError(f"{name}, row {row}: a probability is no number.") from error


def _first(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
