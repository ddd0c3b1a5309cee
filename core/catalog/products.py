"""The product table of a dataset, and queries to it."""

from __future__ import annotations

import json
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.catalog.cohort import CHOICES, NONE, Cohort
from core.catalog.columns import ORDERS, Columns, Mask, Order
from core.catalog.info import DatasetInfo, datasets, info
from core.catalog.map_files import read_map, version
from core.catalog.polygon import inside
from core.errors import DamagedDatasetError, UnknownDatasetError, UsageError
from core.settings import settings

# Exceptions that the libraries raise on a damaged file; any other is a bug.
UNREADABLE = (duckdb.SerializationException, pa.ArrowInvalid, OSError)
T = TypeVar("T")
PART_ROWS, PART_BYTES = 8_192, 16 * 2**20  # of the table, read at once for a download
FOUND_KEPT = 16  # cached masks of text or id filters, a byte per product each


class Products:
    """Queries to the product table of one dataset. Thread-safe.

    What Browse asks (counts, facets, pages) is answered from narrow columns in memory, read at the first such
    question; anything else is SQL over the files.
    """

    def __init__(self, dataset: DatasetInfo) -> None:
        self.info = dataset
        self.path = dataset.folder / "products.parquet"
        self._search = dataset.folder / "search.arrow"
        self._lock = threading.Lock()
        self._columns: Columns | None = None
        self._found: OrderedDict[tuple[Cohort, str], Mask] = (
            OrderedDict()
        )  # by text and ids, or by area; the most recent last
        self._file: tuple[int, int] | None = None
        with self._here():
            self._file = _identity(self.path)
            self._metadata = pq.read_metadata(self.path)
            self._texts = pa.ipc.open_file(pa.memory_map(str(self._search))).read_all()
        self._db = duckdb.connect(
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        self._db.execute("SET preserve_insertion_order = false")
        self._db.execute(f"SET memory_limit = '{settings().query_bytes}B'")
        self._db.execute("SET temp_directory = ''")  # no spilling to disk
        self._db.execute("SET parquet_metadata_cache = true")
        # The connection can read this dataset's table only, and write nothing.
        self._db.execute(f"SET allowed_paths = ['{_quoted(self.path)}']")
        self._db.execute("SET enable_external_access = false")
        self._db.execute("SET lock_configuration = true")
        self._db.execute(f"CREATE VIEW products AS SELECT * FROM read_parquet('{_quoted(self.path)}')")

    @classmethod
    def open(cls, name: str) -> Products:
        """
        Raises:
            UnknownDatasetError: there is no such dataset.
        """
        return cls(info(name))

    def __len__(self) -> int:
        return self.info.rows

    def query(
        self, sql: str, cohort: Cohort | None = None, values: Sequence[Any] = ()
    ) -> duckdb.DuckDBPyRelation:
        """The result of `sql`, where the table `cohort` is the cohort's products (all products without one).

        Args:
            sql: a SELECT from `cohort`, with ? for each of `values`. Never built from user input.
        """
        with self._here():
            return self._asked(self._cursor(cohort), sql, cohort, values)

    def read(
        self,
        reader: Callable[[duckdb.DuckDBPyRelation], T],
        sql: str,
        cohort: Cohort | None = None,
        values: Sequence[Any] = (),
    ) -> T:
        """The result of `reader` on the answer to `query`, within the limits of time and memory.

        Raises:
            UsageError: a limit was exceeded.
        """
        seconds = settings().query_seconds
        cursor = self._cursor(cohort)
        watch = threading.Timer(seconds, cursor.interrupt)
        watch.daemon = True
        watch.start()
        try:
            with self._here():
                return reader(self._asked(cursor, sql, cohort, values))
        except duckdb.InterruptException as error:
            raise UsageError(
                f"The query took longer than {seconds:g} s and was stopped. Query fewer products, "
                "or raise VITRINE_QUERY_SECONDS."
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise UsageError(
                f"The query needs more memory than {settings().query_bytes / 2**30:.1f} GB and was stopped. "
                "Query fewer products, or raise VITRINE_QUERY_MB."
            ) from error
        finally:
            watch.cancel()
            # Else it may still hold the cursor when the interpreter ends, and DuckDB aborts the process.
            watch.join()

    @staticmethod
    def _asked(
        cursor: duckdb.DuckDBPyConnection, sql: str, cohort: Cohort | None, values: Sequence[Any]
    ) -> duckdb.DuckDBPyRelation:
        where, bound = cohort.where() if cohort else ("true", [])
        return cursor.sql(
            f"WITH cohort AS (SELECT * FROM products WHERE {where}) {sql}", params=[*bound, *values]
        )

    def frame(self, sql: str, cohort: Cohort | None = None, values: Sequence[Any] = ()) -> pd.DataFrame:
        """`query` as a data frame; the errors are those of `read`."""
        return self.read(lambda found: found.df(), sql, cohort, values)

    def table(self, sql: str, cohort: Cohort | None = None, values: Sequence[Any] = ()) -> pa.Table:
        """`query` as an Arrow table; the errors are those of `read`."""
        return self.read(lambda found: found.to_arrow_table(), sql, cohort, values)

    def mask(self, cohort: Cohort | None = None) -> Mask:
        """(n,) by row_id: which products are in the cohort."""
        mask = self._mask(cohort)
        return np.ones(self.columns.rows, bool) if mask is None else mask.copy()

    def count(self, cohort: Cohort | None = None) -> int:
        mask = self._mask(cohort)
        return self.columns.rows if mask is None else int(np.count_nonzero(mask))

    def facet(self, column: str, cohort: Cohort | None = None) -> dict[str, int]:
        """The number of the cohort's products with each value of a column, most frequent first.

        The cohort's own filter of that column is ignored, since a filter shows what else
        could be chosen.
        """
        if column not in CHOICES:
            raise UsageError(f"Products are not counted by {column!r}. Columns: {', '.join(CHOICES)}.")
        counts = self.columns.choices[column].counts(self._mask(cohort, without=column))
        named: Counter[str] = Counter()
        for value, count in counts:
            named[NONE if value is None else value] += count
        return dict(sorted(named.items(), key=lambda entry: (-entry[1], entry[0])))

    def categories(self, cohort: Cohort | None = None) -> list[tuple[tuple[str, ...], int]]:
        """Every leaf category of the cohort with its count, in the tree's order."""
        return self.columns.category.counts(self._mask(cohort, without="category"))

    def rows(
        self,
        cohort: Cohort | None = None,
        order: Order = "dataset",
        seed: int = 0,
        offset: int = 0,
        limit: int = 24,
    ) -> list[dict[str, Any]]:
        """One page of products.

        Args:
            order: one of ORDERS; `shuffle` is the same for the same seed.
            seed: of the shuffle, any whole number.
        """
        if order not in ORDERS:
            raise UsageError(f"Products cannot be sorted by {order!r}. Orders: {', '.join(ORDERS)}.")
        return self.by_row(self.columns.page(self._mask(cohort), order, seed, offset, limit))

    def by_row(self, row_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Complete products in the given order; unknown row_ids are skipped."""
        wanted = [int(row) for row in row_ids if 0 <= row < self._metadata.num_rows]
        if not wanted:
            return []
        sizes = [self._metadata.row_group(group).num_rows for group in range(self._metadata.num_row_groups)]
        starts = np.concatenate(([0], np.cumsum(sizes)))
        groups = np.searchsorted(starts, wanted, "right") - 1
        read, where = np.unique(groups, return_inverse=True)
        begins = np.concatenate(([0], np.cumsum(np.asarray(sizes)[read])))
        with self._here(), pq.ParquetFile(self.path, metadata=self._metadata) as file:
            found = file.read_row_groups(read.tolist())
        return [_product(row) for row in found.take(begins[where] + wanted - starts[groups]).to_pylist()]

    def parts(self, cohort: Cohort | None = None) -> Iterator[pa.Table]:
        """The cohort's products in the dataset's order, some thousand at a time: no more lie in memory. The file
        stays open, so that a dataset which is removed meanwhile is read to its end.

        Raises:
            VitrineError: at once, where the cohort cannot be answered.
        """
        mask = self._mask(cohort)
        with self._here():
            file = pq.ParquetFile(self.path, metadata=self._metadata)
        return self._parts(file, mask)

    def _parts(self, file: pq.ParquetFile, mask: Mask | None) -> Iterator[pa.Table]:
        with file:
            groups: list[int] = []
            chosen: list[Mask] = []
            rows = size = start = 0
            for number in range(self._metadata.num_row_groups):
                group = self._metadata.row_group(number)
                here = np.ones(group.num_rows, bool) if mask is None else mask[start : start + group.num_rows]
                start += group.num_rows
                if not here.any():
                    continue
                if groups and (
                    rows + group.num_rows > PART_ROWS or size + group.total_byte_size > PART_BYTES
                ):
                    yield self._part(file, groups, chosen)
                    groups, chosen, rows, size = [], [], 0, 0
                groups.append(number)
                chosen.append(here)
                rows, size = rows + group.num_rows, size + group.total_byte_size
            if groups:
                yield self._part(file, groups, chosen)

    def _part(self, file: pq.ParquetFile, groups: list[int], chosen: list[Mask]) -> pa.Table:
        try:
            found = file.read_row_groups(groups)
        except UNREADABLE as error:
            raise DamagedDatasetError(self.info.name, "its files cannot be read") from error
        mask = np.concatenate(chosen)
        return found if mask.all() else found.filter(pa.array(mask))

    def item(self, item_id: str) -> list[dict[str, Any]]:
        """The products with that item_id; several if it repeats."""
        return self.rows(Cohort(self.info.name, item_id=(item_id,)), limit=100)

    @property
    def columns(self) -> Columns:
        """The narrow columns, read on first use."""
        with self._lock, self._here():
            if self._columns is None:
                self._columns = Columns(self.path, self.info.folder / "name_rank.npy")
            return self._columns

    def _mask(self, cohort: Cohort | None, without: str = "") -> Mask | None:
        """The mask of all filters but `without`; None for all products."""
        if cohort is None:
            return None
        masks = self.columns.masks(cohort)
        if cohort.area:
            masks["area"] = self._inside(cohort)
        masks.pop(without, None)
        found = list(masks.values())
        looked_for = cohort.looked_for()
        if not looked_for.is_whole():
            found.append(self._looked_for(looked_for))
        return np.logical_and.reduce(found) if found else None

    def _looked_for(self, cohort: Cohort) -> Mask:
        """The products with this text or these ids."""

        def find() -> Mask:
            mask = np.zeros(self.columns.rows, bool)
            rows = self.read(lambda found: found.fetchnumpy()["row_id"], "SELECT row_id FROM cohort", cohort)
            mask[rows] = True
            return mask

        return self._kept(cohort, "", find)

    def _inside(self, cohort: Cohort) -> Mask:
        """The products in the cohort's area.

        Raises:
            MapError: its map is not there, or no longer fits.
        """
        area = Cohort("", map=cohort.map, area=cohort.area)
        found = read_map(self.info, area.map)  # not cached: a mask must not outlive its map
        made = version(self.info, area.map)
        return self._kept(area, made, lambda: inside(found.points, area.area))

    def _kept(self, cohort: Cohort, made: str, find: Callable[[], Mask]) -> Mask:
        """A cache of the latest masks."""
        key = (cohort, made)
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        mask = find()
        with self._lock:
            self._found[key] = mask
            while len(self._found) > FOUND_KEPT:
                self._found.popitem(last=False)
        return mask

    def _cursor(self, cohort: Cohort | None = None) -> duckdb.DuckDBPyConnection:
        """A cursor for one query, so that results can be read while the same thread runs another."""
        cursor = self._db.cursor()
        cursor.register("search", self._texts)
        if cohort and cohort.area:
            cursor.register("area", pa.table({"row_id": np.flatnonzero(self._inside(cohort))}))
        return cursor

    @contextmanager
    def _here(self) -> Iterator[None]:
        """Report a table that was removed or replaced during a query as a removed dataset."""
        try:
            if self._file not in (None, _identity(self.path)):
                raise FileNotFoundError(self.path)
            yield
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            if self._file is not None and self._file == _identity(self.path):
                # With a number it is the system's refusal, such as too many open files, and not the file's damage.
                if isinstance(error, UNREADABLE) and not getattr(error, "errno", None):
                    raise DamagedDatasetError(self.info.name, "its files cannot be read") from error
                raise
            raise UnknownDatasetError(self.info.name, [known.name for known in datasets()]) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another that took its name; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _product(row: dict[str, Any]) -> dict[str, Any]:
    row["category_path"] = tuple(row["category_path"] or ())
    row["extra"] = json.loads(row["extra"]) if row["extra"] else {}
    return row


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
