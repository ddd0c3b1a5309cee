"""The datasets there are, and questions to a dataset's product table."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd
import pyarrow as pa

from core.cohort import CHOICES, NONE, Cohort
from core.errors import UnknownDatasetError, UsageError
from core.schema import PRODUCTS
from core.settings import settings
from core.storage import NAME, check_name, remove_folder

Order = Literal["dataset", "name", "category", "shortest", "longest", "shuffle"]
_ORDER_SQL = {
    "dataset": "row_id",
    "name": "name IS NULL, name, row_id",
    "category": "category_path, row_id",
    "shortest": "coalesce(name_length, 0) + coalesce(description_length, 0), row_id",
    "longest": "coalesce(name_length, 0) + coalesce(description_length, 0) DESC, row_id",
    "shuffle": "hash(row_id + {seed}), row_id",
}
ORDERS: tuple[Order, ...] = tuple(_ORDER_SQL)  # type: ignore[arg-type]


@dataclass(frozen=True)
class DatasetInfo:
    """What dataset.json says."""

    name: str
    source: str
    licence: str
    rows: int
    fingerprint: str
    created: str
    splits: dict[str, int]
    categories: int
    geos: int
    with_picture: int
    pictures: dict[str, Any]
    rejected: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    folder: Path = Path()


def datasets() -> list[DatasetInfo]:
    """Every dataset that can be opened, by name; folders of anything else are passed over."""
    found = []
    for path in sorted(settings().home.glob("*/dataset.json")):
        if NAME.fullmatch(path.parent.name):  # not one that is being built or removed
            with suppress(OSError, ValueError, TypeError, AttributeError):
                found.append(_info(path.parent))
    return found


def info(name: str) -> DatasetInfo:
    """
    Raises:
        UnknownDatasetError: there is no such dataset.
    """
    try:
        check_name(name)
        return _info(settings().home / name)
    except (OSError, ValueError, TypeError, AttributeError, UsageError) as error:
        raise UnknownDatasetError(name, [known.name for known in datasets()]) from error


def _info(folder: Path) -> DatasetInfo:
    described = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    wanted = {entry.name for entry in fields(DatasetInfo)} - {"name", "folder"}
    known = {key: value for key, value in described.items() if key in wanted}
    return DatasetInfo(name=folder.name, folder=folder, **known)


def remove(name: str) -> None:
    """Delete a dataset and all that was computed from it. The files it was imported from stay.

    Raises:
        UnknownDatasetError: there is no such dataset.
        StorageError: the folder cannot be written.
    """
    try:
        remove_folder(info(name).folder)
    except FileNotFoundError as error:  # somebody else was faster
        raise UnknownDatasetError(name, [known.name for known in datasets()]) from error


class Products:
    """The product table of one dataset, for questions. Any number of threads may ask at once."""

    def __init__(self, dataset: DatasetInfo) -> None:
        self.info = dataset
        self.path = dataset.folder / "products.parquet"
        self._db = duckdb.connect(
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        self._db.execute("SET preserve_insertion_order = false")
        # Nothing that reaches this connection can read or write anything but this dataset's tables.
        self._db.execute(f"SET allowed_directories = ['{_quoted(dataset.folder)}']")
        self._db.execute("SET enable_external_access = false")
        self._db.execute("SET lock_configuration = true")
        self._local = threading.local()
        with self._gone_is_said():
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
        """The answer to `sql`, in which the table `cohort` is the cohort's products (all of them without one).

        Args:
            sql: a SELECT from `cohort`, with ? for each of `values`. Never built from a person's words.
        """
        where, bound = cohort.where() if cohort else ("true", [])
        with self._gone_is_said():
            return self._cursor().sql(
                f"WITH cohort AS (SELECT * FROM products WHERE {where}) {sql}", params=[*bound, *values]
            )

    def frame(self, sql: str, cohort: Cohort | None = None, values: Sequence[Any] = ()) -> pd.DataFrame:
        """`query` as a data frame."""
        with self._gone_is_said():
            return self.query(sql, cohort, values).df()

    def table(self, sql: str, cohort: Cohort | None = None, values: Sequence[Any] = ()) -> pa.Table:
        """`query` as an Arrow table."""
        with self._gone_is_said():
            return self.query(sql, cohort, values).to_arrow_table()

    def count(self, cohort: Cohort | None = None) -> int:
        with self._gone_is_said():
            return int(self.query("SELECT count(*) FROM cohort", cohort).fetchall()[0][0])

    def facet(self, column: str, cohort: Cohort | None = None) -> dict[str, int]:
        """How many of the cohort's products have each value of a column, most frequent first.

        The cohort's own choice in that column is left out of the question: a filter shows what else
        could be chosen.
        """
        if column not in CHOICES:
            raise UsageError(f"Products are not counted by {column!r}. Columns: {', '.join(CHOICES)}.")
        if cohort is not None:
            cohort = cohort.with_(**{column: ()})
        sql = f"SELECT coalesce({column}, '{NONE}'), count(*) FROM cohort GROUP BY 1 ORDER BY 2 DESC, 1"
        with self._gone_is_said():
            return dict(self.query(sql, cohort).fetchall())

    def categories(self, cohort: Cohort | None = None) -> list[tuple[tuple[str, ...], int]]:
        """Every leaf of the category tree that the cohort has, with its count, in the tree's order."""
        if cohort is not None:
            cohort = cohort.with_(category=())
        sql = "SELECT category_path, count(*) FROM cohort GROUP BY 1 ORDER BY 1"
        with self._gone_is_said():
            return [(tuple(path or ()), count) for path, count in self.query(sql, cohort).fetchall()]

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
            seed: of the shuffle, 0 or more.
        """
        if order not in _ORDER_SQL:
            raise UsageError(f"Products cannot be sorted by {order!r}. Orders: {', '.join(ORDERS)}.")
        by = _ORDER_SQL[order].format(seed=int(seed) * 0x9E3779B1)
        with self._gone_is_said():
            # Sort the row numbers alone, then fetch whole rows: a page never sorts descriptions.
            picked = self.query(
                f"SELECT row_id FROM cohort ORDER BY {by} LIMIT ? OFFSET ?", cohort, [limit, offset]
            )
            return self.by_row([row[0] for row in picked.fetchall()])

    def by_row(self, row_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Whole products in the order asked for; numbers that are not there are passed over."""
        if not row_ids:
            return []
        with self._gone_is_said():
            numbers = ", ".join(str(int(row)) for row in row_ids)
            found = self._cursor().sql(f"SELECT * FROM products WHERE row_id IN ({numbers})").fetchall()
        by_number = {row[0]: _product(row) for row in found}
        return [by_number[row] for row in row_ids if row in by_number]

    def item(self, item_id: str) -> list[dict[str, Any]]:
        """The products of that item_id: one, or several where it repeats."""
        return self.rows(Cohort(self.info.name, item_id=(item_id,)), limit=100)

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor of this thread; the connection itself is not to be shared while it works."""
        if not hasattr(self._local, "cursor"):
            self._local.cursor = self._db.cursor()
        cursor: duckdb.DuckDBPyConnection = self._local.cursor
        return cursor

    def _gone_is_said(self) -> _GoneIsSaid:
        return _GoneIsSaid(self.info.name, self.path)


class _GoneIsSaid:
    """A table that vanished under a question is a removed dataset, not a bug."""

    def __init__(self, name: str, path: Path) -> None:
        self._name, self._path = name, path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, duckdb.Error) and not self._path.exists():
            raise UnknownDatasetError(self._name, [known.name for known in datasets()]) from error


def _product(row: Sequence[Any]) -> dict[str, Any]:
    product = dict(zip(PRODUCTS.names, row, strict=True))
    product["category_path"] = tuple(product["category_path"] or ())
    product["extra"] = json.loads(product["extra"]) if product["extra"] else {}
    return product


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
