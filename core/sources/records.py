"""What the layouts with columns of their own share: records through one RecordConverter, progress, notes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from core.progress import Progress
from core.sources.converter import RecordConverter
from core.sources.delimited import Record
from core.sources.reading import Collector, Found, Places, Reading, ReadOptions, SourceSpec, batches_of

Shape = Callable[[dict[str, Any]], dict[str, Any] | str]


def columns_reading(
    spec: SourceSpec,
    root: Path,
    tables: Sequence[tuple[Path, str | None]],
    records: Callable[[Path], Iterator[tuple[Record, int]]],
    shape: Shape,
    columns: dict[str, str],
    options: ReadOptions,
    progress: Progress,
    notes: Callable[[], list[str]] = list,
) -> Reading:
    """A Reading of tables whose columns are known.

    Args:
        root: the folder that paths of pictures start from.
        tables: files, each with the split of its records, or None.
        records: the records of a file, with how many bytes of it have been read.
        shape: a record's fields as the columns below name them, or why it is no product.
        columns: ours -> the fields' names after `shape`; all other fields become `extra`.
        notes: warnings that are known when all has been read.
    """
    warnings: list[str] = []
    collector = Collector(options)
    converter = RecordConverter(collector, root, options, warnings)
    sizes = [max(1, path.stat().st_size) for path, _ in tables]

    def rows() -> Generator[None]:
        before = 0
        try:
            for size, (path, split) in zip(sizes, tables, strict=True):
                where = f"{path.name}:" if len(tables) > 1 else ""
                for (line, fields, reason, raw), done in records(path):
                    shaped = shape(fields) if fields is not None else None
                    if isinstance(shaped, str):
                        converter.add((line, None, shaped, fields), columns, where)
                    else:
                        converter.add((line, shaped, reason, raw), columns, where, split=split)
                    yield
                    if converter.seen % 5_000 == 0:
                        progress(before + min(done, size), sum(sizes), "Reading products")
                before += size
            progress(sum(sizes), sum(sizes), "Reading products")
        finally:
            warnings.extend(notes())
            converter.finish()

    return Reading(
        batches_of(collector, rows()), Places(root=root), spec.licence, warnings,
        columns=dict(columns), found=Found(names=list(columns.values())), size=sum(sizes),
    )  # fmt: skip
