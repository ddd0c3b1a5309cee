"""Records of Parquet files, with the class names of Hugging Face `datasets` and dates out of Python's range."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.errors import SourceError
from core.sources.bounds import check_growth
from core.sources.delimited import Record

ROWS, BYTES = 1_000, 32 * 2**20  # converted to Python objects at a time


def parquet_records(path: Path, check: Callable[[Sequence[str]], None]) -> Iterator[tuple[Record, int]]:
    """Iterate over the rows, each with the number of bytes read so far.

    Raises:
        SourceError: it is not a Parquet file, is damaged, or has a column name twice.
    """
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise SourceError(f"{path.name} has the column {', '.join(twice)} twice. Rename one of them.")
            check(names)
            classes = class_names(file.schema_arrow.metadata)
            rows, size, line = max(1, file.metadata.num_rows), path.stat().st_size, 0
            groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
            holds = sum(max(0, group.total_byte_size) for group in groups)
            check_growth(holds, size, path.name)
            texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
            said = 0
            with pq.ParquetFile(path, read_dictionary=texts) as numbered:
                for number, group in enumerate(groups):
                    repeated = _repeated(numbered, number, texts)
                    said += repeated
                    check_growth(said, size, path.name)
                    held = max(1, group.total_byte_size + repeated)
                    at_once = max(1, min(ROWS, BYTES * group.num_rows // held))
                    for batch in file.iter_batches(at_once, row_groups=[number]):
                        for record in _rows(batch):
                            line += 1
                            for column, labels in classes.items():
                                if column in record:
                                    record[column] = _named(record[column], labels)
                            yield (line, record, "", None), size * line // rows
    except pa.ArrowMemoryError:  # reported by bounds.own_memory
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}") from error


def _repeated(numbered: pq.ParquetFile, number: int, texts: Sequence[str]) -> int:
    """The bytes of a row group's texts that are stored once and numbered: a page of numbers may stand for gigabytes.

    Args:
        numbered: the file, read with its texts as dictionaries.
    """
    group = numbered.metadata.row_group(number)
    chunks = map(group.column, range(group.num_columns))
    columns = {each.path_in_schema for each in chunks if each.has_dictionary_page}.intersection(texts)
    said = 0
    for name in sorted(columns):
        for part in numbered.read_row_group(number, columns=[name])[name].chunks:
            lengths = pc.binary_length(part.dictionary).take(part.indices)
            said += pc.sum(lengths.cast(pa.int64())).as_py() or 0
    return said


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(
        is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    )


def class_names(metadata: dict[bytes, bytes] | None) -> dict[str, list[str]]:
    """column -> class names, from the schema metadata of Hugging Face `datasets`; empty if there are none."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        found: dict[str, list[str]] = {}
        for column, feature in features.items():
            feature = feature[0] if isinstance(feature, list) and feature else feature
            inner = feature.get("feature") if isinstance(feature, dict) else None
            for kind in (feature, inner):
                if isinstance(kind, dict) and kind.get("_type") == "ClassLabel":
                    names = kind.get("names") or []
                    ordered = (
                        [names[key] for key in sorted(names, key=int)] if isinstance(names, dict) else names
                    )
                    found[column] = [str(name) for name in ordered]
        return found
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _named(value: Any, labels: list[str]) -> Any:
    if isinstance(value, list):
        return [_named(part, labels) for part in value]
    if isinstance(value, int | float) and value == value:
        if 0 <= value < len(labels):
            return labels[int(value)]
        return None if value == -1 else value  # -1 is the missing label of `datasets`
    return value


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    columns = {name: _values(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(column: pa.Array) -> list[Any]:
    """A column as Python objects; times out of Python's range (year 10000, unknown zones) as text."""
    try:
        return list(column.to_pylist())
    except Exception:  # OverflowError, ValueError, errors of pytz and zoneinfo
        if pa.types.is_timestamp(column.type):
            utc = column.cast(pa.timestamp(column.type.unit))  # the instant; a zone only affects its display
            said = pc.cast(utc, pa.string()).to_pylist()
            numbers = utc.cast(pa.int64()).to_pylist()
            return [
                f"{number} {column.type.unit} since 1970"
                if text and text.startswith("<")
                else text + "Z"
                if text and column.type.tz
                else text
                for text, number in zip(said, numbers, strict=True)
            ]
        try:
            return list(column.cast(pa.string()).to_pylist())
        except pa.ArrowException:
            return [_value(scalar) for scalar in column]


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except Exception:  # as above, inside a list or a structure
        return f"({scalar.type} that cannot be shown)"
