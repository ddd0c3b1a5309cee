"""Preview an import from the first rows of the files; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from core.catalog.build import source_errors
from core.errors import SourceError
from core.progress import Progress, no_progress
from core.sources import source
from core.sources.naming import overlooked
from core.sources.reading import Places, ReadOptions

HEAD = 1_000  # rows that are read, and by which warnings are given
SHOWN = 20  # of them


@dataclass(frozen=True)
class Preview:
    """The first products as they would be imported."""

    products: list[dict[str, Any]]  # columns of `core.schema.FROM_SOURCE`
    rows: int  # read for this preview, rejected ones too
    whole: bool  # were these all?
    columns: dict[str, str]  # of a table: ours -> theirs
    names: list[str]  # of a table: all its columns
    unused: list[str]  # of them: what looks like a picture or a label and is not used
    encoding: str
    delimiter: str
    rejected: dict[str, int]  # reason -> rows
    warnings: list[str]
    pictures: Places
    payload: Mapping[str, bytes] = field(default_factory=dict)  # image -> bytes, where the table holds them

    def as_dict(self) -> dict[str, Any]:
        """What can be printed: everything but the pictures."""
        return {key: value for key, value in vars(self).items() if key not in ("pictures", "payload")}


def preview(
    source_name: str,
    paths: Sequence[str],
    options: ReadOptions | None = None,
    progress: Progress = no_progress,
) -> Preview:
    """Read the first rows of `paths` as the named layout.

    Raises:
        UsageError: there is no such layout, or an option is invalid.
        SourceError: the files are missing, truncated or not of that layout.
    """
    options = replace(options or ReadOptions(), rows=HEAD)
    products: list[dict[str, Any]] = []
    rejected: dict[str, int] = {}
    payload: dict[str, bytes] = {}
    rows = 0
    with source_errors():
        reading = source(source_name).read(paths, options, progress)
        with closing(reading):
            for batch in reading.batches:
                rows += batch.products.num_rows + batch.rejected.num_rows
                products += batch.products.slice(0, SHOWN - len(products)).to_pylist()
                payload |= {
                    row["image"]: batch.payload[row["image"]]
                    for row in products
                    if row["image"] in batch.payload
                }
                for reason in batch.rejected.column("reason").to_pylist():
                    rejected[reason] = rejected.get(reason, 0) + 1
    if not products:
        reasons = "; ".join(f"{count:,} rows rejected: {reason}" for reason, count in rejected.items())
        raise SourceError(
            f"There are no products in the source{f' ({reasons})' if reasons else ': it has no rows'}."
        )
    return Preview(
        products=products,
        rows=rows,
        whole=rows < HEAD,
        columns=reading.columns,
        names=reading.found.names,
        unused=overlooked(reading.found.names, reading.columns),
        encoding=reading.found.encoding,
        delimiter=reading.found.delimiter,
        rejected=rejected,
        warnings=list(reading.warnings),
        pictures=reading.pictures,
        payload=payload,
    )
