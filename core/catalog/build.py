"""Build a dataset folder from a source. The folder is written aside and renamed at the end, so an import is atomic."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.catalog.cohort import fold
from core.errors import SourceError, StorageError
from core.progress import Progress, no_progress
from core.schema import FROM_SOURCE, PICTURES, PRODUCTS, REJECTED, SEARCH
from core.settings import settings
from core.sources import source
from core.sources.archive import directory
from core.sources.bounds import check_growth
from core.sources.reading import Batch, Places, Reading, ReadOptions
from core.storage import new_folder

FORMAT = 2  # of dataset.json and the tables beside it
# Rows per row group; small, so that a page of scattered products is read quickly.
ROW_GROUP = 2_048
FREE_BYTES = 2**30  # of the disk, which an import leaves for what else runs there
FEW_BYTES = 256 * 2**20  # so much is written in any case
INDEXED = ["row_id", "item_id", "image_id"]  # columns with the least and the greatest value of each row group


@dataclass(frozen=True)
class BuildReport:
    """The result of an import."""

    name: str
    rows: int
    splits: dict[str, int]
    rejected: dict[str, int]  # reason -> rows
    seconds: float
    fingerprint: str
    warnings: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)  # of a table: ours -> theirs


def import_dataset(
    source_name: str,
    paths: Sequence[str],
    name: str,
    options: ReadOptions | None = None,
    progress: Progress = no_progress,
    keep: Callable[[Path], Sequence[str]] | None = None,
) -> BuildReport:
    """Import `paths` with the named layout as a dataset.

    Args:
        keep: writes files of its own into the folder being built, and returns the paths to read
            instead of `paths` (the built-in dataset is drawn into its own folder).

    Raises:
        UsageError: the name is invalid, or there is no such layout.
        DatasetExistsError: the name is taken.
        SourceError: the files are missing, truncated or not of that layout.
        StorageError: the folder cannot be written, or the disk is full.
    """
    spec = source(source_name)
    started = time.monotonic()
    with new_folder(name) as folder:
        if keep is not None:
            paths = keep(folder)
        with source_errors():
            reading = spec.read(paths, options or ReadOptions(), progress)
        if options and options.licence:
            reading = replace(reading, licence=options.licence)
        with closing(reading):
            report = _write(name, source_name, reading, folder, progress, started)
    return report


def write_dataset(
    name: str, source_name: str, reading: Reading, progress: Progress, files: Mapping[str, str]
) -> BuildReport:
    """Write products that were made from other datasets as a dataset.

    Args:
        source_name: what the dataset's card says it comes from.
        files: small texts to put beside the table: name -> content.

    Raises:
        UsageError, DatasetExistsError, StorageError: as `import_dataset`.
    """
    started = time.monotonic()
    with new_folder(name) as folder, closing(reading):
        report = _write(name, source_name, reading, folder, progress, started)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
    return report


@contextmanager
def source_errors() -> Iterator[None]:
    """Turn system errors while the source is read into a SourceError."""
    try:
        yield
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise SourceError(f"The source cannot be read ({what}).") from error


def _batches(reading: Reading) -> Iterator[Batch]:
    with source_errors():
        yield from reading.batches


def _write(
    name: str, source_name: str, reading: Reading, folder: Path, progress: Progress, started: float
) -> BuildReport:
    digest = hashlib.blake2b(digest_size=8)
    rejected: dict[str, int] = {}
    rows = left_out = 0
    with (
        pq.ParquetWriter(
            folder / "products.parquet",
            PRODUCTS,
            compression="zstd",
            compression_level=1,
            write_statistics=INDEXED,
        ) as products,
        pa.OSFile(str(folder / "search.arrow"), "w") as texts,
        pa.ipc.new_file(texts, SEARCH) as search,
        pq.ParquetWriter(folder / "rejected.parquet", REJECTED, compression="zstd") as refused,
        _Payload(folder) as payload,
    ):
        for batch in _batches(reading):
            payload.add(batch)
            table = _complete(batch.products, rows)
            _digest(table, digest)
            products.write_table(table, row_group_size=ROW_GROUP)
            search.write_table(_searchable(table))
            _check_room(folder, texts.tell() + payload.written, reading.size, name)
            if batch.rejected.num_rows:
                refused.write_table(batch.rejected)
                for entry in batch.rejected.column("reason").value_counts().to_pylist():
                    rejected[entry["values"]] = rejected.get(entry["values"], 0) + entry["counts"]
            rows += table.num_rows
            left_out += batch.left_out
            progress(0, 0, f"{rows:,} products")
    if left_out:
        reading.warnings.append(f"{left_out:,} products of other categories were left out.")
    pictures = payload.places(reading.pictures)
    if rows == 0:
        reasons = "; ".join(f"{count:,} rows rejected: {reason}" for reason, count in rejected.items())
        raise SourceError(
            f"There are no products in the source{f' ({reasons})' if reasons else ': the table has no rows'}."
        )
    progress(0, 0, "Writing the table of pictures")
    counts = _finish(folder, pictures, digest)
    report = BuildReport(
        name=name,
        rows=rows,
        splits=counts["splits"],
        rejected=rejected,
        seconds=round(time.monotonic() - started, 2),
        fingerprint=digest.hexdigest(),
        warnings=[*reading.warnings, *counts.pop("warnings")],
        columns=reading.columns,
    )
    described = {
        "format": FORMAT,
        "source": source_name,
        "licence": reading.licence,
        # Caches are kept by it: an import anew within the same second is another dataset.
        "created": datetime.now(UTC).isoformat(timespec="microseconds"),
        "pictures": _where(pictures, folder),
        **asdict(report),
        **{key: value for key, value in counts.items() if key != "splits"},
    }
    (folder / "dataset.json").write_text(
        json.dumps(described, ensure_ascii=False, indent=1), encoding="utf-8"
    )
    return report


def _check_room(folder: Path, written: int, size: int, name: str) -> None:
    """Repeated text is small in every file but the one that is searched.

    Raises:
        SourceError: it is much more than the files it comes from.
        StorageError: the disk is nearly full.
    """
    if size:
        check_growth(written, size, f"What is in {name}")
    if written > FEW_BYTES and (free := shutil.disk_usage(folder).free) < FREE_BYTES:
        raise StorageError(
            f"The disk of {folder.parent} has {free / 2**30:.1f} GB left; the import was stopped and nothing was kept. "
            "Make room and run it again."
        )


def _complete(table: pa.Table, first_row: int) -> pa.Table:
    """Add the computed columns: row_id, lengths in characters, "unknown" for a missing label source."""
    columns: dict[str, Any] = {name: table.column(name) for name in FROM_SOURCE}
    columns["row_id"] = pa.array(range(first_row, first_row + table.num_rows), pa.int64())
    columns["label_source"] = pc.fill_null(table.column("label_source"), "unknown")
    for text in ("name", "description"):
        columns[f"{text}_length"] = pc.cast(pc.utf8_length(table.column(text)), pa.int32())
    return pa.table({name: columns[name] for name in PRODUCTS.names}, schema=PRODUCTS)


def _searchable(table: pa.Table) -> pa.Table:
    """The folded texts for a text search."""
    texts = zip(*(table.column(name).to_pylist() for name in ("name", "description")), strict=True)
    folded = [fold(f"{name or ''}\n{description or ''}") for name, description in texts]
    return pa.table([table.column("row_id"), folded], schema=SEARCH)


class _Hash:
    """A file object that only updates a digest."""

    closed = False

    def __init__(self, digest: Any) -> None:
        self._digest = digest

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...


def _digest(table: pa.Table, digest: Any) -> None:
    """Update the dataset's fingerprint with a table's content."""
    with pa.ipc.new_stream(pa.PythonFile(_Hash(digest), mode="w"), table.schema) as stream:
        stream.write_table(table.combine_chunks())


class _Payload:
    """Pictures that a table holds as bytes, written to one archive."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "pictures.zip"
        self._zip: zipfile.ZipFile | None = None
        self.written = 0  # bytes
        self._member_of: dict[
            str, str
        ] = {}  # members are numbered, so that no name from the table becomes a path

    def __enter__(self) -> _Payload:
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def add(self, batch: Batch) -> None:
        for image, data in batch.payload.items():
            if self._zip is None:
                self._zip = zipfile.ZipFile(self._path, "w", zipfile.ZIP_STORED)
            if image not in self._member_of:
                self._member_of[image] = f"{len(self._member_of)}.jpg"
                self.written += len(data)
                self._zip.writestr(zipfile.ZipInfo(self._member_of[image]), data)

    def places(self, otherwise: Places) -> Places:
        """The places of the pictures: the archive written here, if the table held bytes."""
        if self._zip is None:
            return otherwise
        with zipfile.ZipFile(self._path) as archive:
            found = directory([archive], no_progress)
        image_of = {member: image for image, member in self._member_of.items()}
        images = [image_of[member] for member in found.column("image").to_pylist()]
        found = found.set_column(1, "image", pa.array(images, pa.string()))
        return Places((str(self._path),), found, otherwise.root)


def _finish(folder: Path, pictures: Places, digest: Any) -> dict[str, Any]:
    """Write pictures.parquet and compute the counts of the dataset's card."""
    names = pq.read_table(folder / "products.parquet", columns=["name"])
    rank = np.empty(len(names), np.int32)
    rank[np.asarray(pc.sort_indices(names, [("name", "ascending", "at_end")]))] = np.arange(len(names))
    np.save(folder / "name_rank.npy", rank)
    with duckdb.connect() as db, _duckdb_memory():
        db.execute("SET TimeZone = 'UTC'")
        db.execute(f"SET memory_limit = '{settings().import_bytes // 2}B'")
        db.read_parquet(str(folder / "products.parquet")).create_view("products")
        held = pictures.directory() if callable(pictures.directory) else pictures.directory
        db.register("directory", held if held is not None else PICTURES.empty_table())
        found = db.sql(
            """
            SELECT p.image_id, p.image, d.part, d."offset", d.size, d.method
            FROM (SELECT image_id, arg_min(image, row_id) AS image FROM products
                  WHERE image IS NOT NULL AND image_id IS NOT NULL GROUP BY 1) p
            LEFT JOIN (SELECT image, any_value(COLUMNS(* EXCLUDE (image, image_id))) FROM directory GROUP BY 1) d
              USING (image)
            ORDER BY 1
            """
        ).to_arrow_table()
        found = found.cast(PICTURES)
        pq.write_table(found, folder / "pictures.parquet", compression="zstd", row_group_size=16_384)
        _digest(found, digest)
        splits = db.execute(
            "SELECT coalesce(split, 'none'), count(*) FROM products GROUP BY 1 ORDER BY count(*) DESC"
        ).fetchall()
        categories, geos, with_picture = db.execute(  # type: ignore[misc]
            "SELECT count(DISTINCT category_path), count(DISTINCT geo), count(image) FROM products"
        ).fetchone()
        (ambiguous,) = db.execute(  # type: ignore[misc]
            "SELECT count(*) FROM (SELECT image_id FROM products GROUP BY 1 HAVING count(DISTINCT image) > 1)"
        ).fetchone()
    warnings = []
    if ambiguous:
        warnings.append(
            f"{ambiguous:,} image_ids belong to more than one picture; the first of each is shown. "
            "Leave the image_id column out, and every picture gets its own."
        )
    return {
        "warnings": warnings,
        "splits": dict(splits),
        "categories": categories,
        "geos": geos,
        "with_picture": with_picture,
        "picture_files": found.num_rows,
    }


@contextmanager
def _duckdb_memory() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise MemoryError(str(error)) from error


def _where(pictures: Places, folder: Path) -> dict[str, Any]:
    """The places for dataset.json; those inside the dataset's folder are relative, so that it can be moved."""

    def relative(place: str) -> str:
        path = Path(place)
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else place

    return {
        "archives": [relative(place) for place in pictures.archives],
        "root": relative(str(pictures.root)) if pictures.root else None,
    }
