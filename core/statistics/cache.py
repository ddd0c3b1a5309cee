"""A cache of costly tables in the dataset's folder, keyed by fingerprint and cohort."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.catalog.cohort import Cohort
from core.catalog.map_files import version
from core.catalog.products import Products

VERSION = "3"  # increase it when the meaning of a cached table changes
FOLDER = "statistics"
WORTH_S = 0.2  # faster results are not cached
MOST_FILES = 400  # per dataset; the oldest are deleted
FORGIVEN = (OSError, pa.ArrowException)


def path(products: Products, cohort: Cohort | None, name: str) -> Path:
    """The file in which the table `name` of this cohort is cached."""
    query = (cohort or Cohort(products.info.name)).with_(dataset="", fingerprint=None).to_query()
    if cohort and cohort.area:  # of a map, which may be recomputed
        query["version"] = [version(products.info, cohort.map)]
    key = json.dumps([VERSION, products.info.fingerprint, query], sort_keys=True)
    return products.info.folder / FOLDER / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:24]}.parquet"


def cached(
    products: Products, cohort: Cohort | None, name: str, compute: Callable[[], pd.DataFrame]
) -> pd.DataFrame:
    """`compute()`, cached.

    If the folder is not writable or the file is damaged, the table is computed again.

    Args:
        name: name of the table, with every parameter of the result: letters, digits, hyphens.
    """
    place = path(products, cohort, name)
    with suppress(*FORGIVEN):
        return pd.read_parquet(place)
    started = time.monotonic()
    table = compute()
    if time.monotonic() - started >= WORTH_S:
        _store(place, table)
    return table


def _store(place: Path, table: pd.DataFrame) -> None:
    temporary = place.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    with suppress(*FORGIVEN):
        if not place.parent.parent.exists():  # the dataset was removed concurrently
            return
        place.parent.mkdir(exist_ok=True)
        try:
            pq.write_table(pa.Table.from_pandas(table, preserve_index=False), temporary, compression="zstd")
            temporary.replace(place)
        finally:
            temporary.unlink(missing_ok=True)
        files = sorted(place.parent.glob("*.parquet"), key=lambda file: file.stat().st_mtime)
        for file in files[:-MOST_FILES]:
            file.unlink(missing_ok=True)
