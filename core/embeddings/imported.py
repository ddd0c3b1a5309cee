"""Import vectors by image_id, item_id or row from .npy, .npz or Parquet."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.catalog.products import Products
from core.embeddings.store import Description, unit, writing
from core.errors import EmbeddingError
from core.progress import Progress, no_progress
from core.storage import load_array

By = Literal["image_id", "item_id", "row_id"]
KEYS: tuple[By, ...] = ("image_id", "item_id", "row_id")
CHUNK = 50_000  # vectors written at a time


@dataclass(frozen=True)
class ImportReport:
    """The result of an import of vectors."""

    name: str
    rows: int
    present: int
    dimensions: int
    by: str


def import_vectors(
    products: Products,
    path: Path,
    name: str,
    by: By | None = None,
    ids: Path | None = None,
    progress: Progress = no_progress,
) -> ImportReport:
    """Import a set of vectors from a file.

    Args:
        path: `.npz` with `vectors` and one of `image_id`, `item_id`, `row_id`; Parquet with such a column
            and one of lists of numbers; `.npy`, in row order or with `ids`.
        by: the kind of id in the file, if ambiguous.
        ids: a text file with one id per line, for a `.npy`.

    Raises:
        EmbeddingError: unreadable, NaN, wrong width, or ids that are unknown, missing or repeated.
    """
    given, vectors, by = _read(path, by, ids)
    if vectors.ndim != 2 or vectors.shape[1] < 1 or vectors.dtype.kind not in "fiu":
        raise EmbeddingError(
            f"The vectors in {path} are {vectors.shape} {vectors.dtype}; expected numbers of shape (n, d)."
        )
    n = len(products)
    if given is None:
        if len(vectors) != n:
            raise EmbeddingError(
                f"{path} has {len(vectors):,} vectors but {products.info.name} has {n:,} products. "
                "Give their ids: --ids FILE --by image_id"
            )
        source = np.arange(n, dtype=np.int64)
    else:
        if len(given) != len(vectors):
            raise EmbeddingError(f"{path} has {len(vectors):,} vectors but {len(given):,} ids.")
        source = _rows_of(products, given, by or "image_id", path)
    plan = Description(
        encoder=name,
        tower="imported",
        dimensions=int(vectors.shape[1]),
        fingerprint=products.info.fingerprint,
        rows=n,
        preprocessing={"file": path.name, "by": by or "row_id"},
    )
    starts = range(0, n, CHUNK)
    with writing(products.info, name, plan, len(starts), restart=True) as writer:
        for chunk, start in enumerate(starts):
            rows = np.arange(start, min(n, start + CHUNK), dtype=np.int64)
            at = source[rows]
            block = np.asarray(vectors[np.maximum(at, 0)], np.float32)
            bad = np.flatnonzero(~np.isfinite(block).all(axis=1) & (at >= 0))
            if len(bad):
                raise EmbeddingError(
                    f"Vector {int(at[bad[0]]):,} in {path} has NaN or infinity ({len(bad):,} in its block). Nothing was imported."
                )
            direction, good = unit(block)
            writer.write(chunk, rows, direction, good & (at >= 0))
            progress(int(rows[-1]) + 1, n, "Importing vectors")
        present = int(np.count_nonzero(writer.present))
        if not present:
            raise EmbeddingError(f"All vectors in {path} have length 0. Nothing was imported.")
        writer.skipped = {"no vector in the file": n - present} if present < n else {}
    return ImportReport(name, n, present, plan.dimensions, by or "row_id")


def _read(path: Path, by: By | None, ids: Path | None) -> tuple[Any, NDArray[Any], By | None]:
    if not path.is_file():
        raise EmbeddingError(f"There is no file {path}.")
    try:
        kind = path.suffix.lower()
        if kind == ".npz":
            return _read_npz(path, by)
        if kind in (".parquet", ".pq"):
            return _read_parquet(path, by)
        if kind == ".npy":
            vectors = load_array(path)
            if ids is None:
                return None, vectors, "row_id"
            lines = ids.read_text(encoding="utf-8").split("\n")
            return np.array(lines[:-1] if lines and not lines[-1] else lines), vectors, by or "image_id"
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        # NumPy's own message suggests to allow pickles.
        why = "it does not contain plain numbers" if "pickle" in str(error) else str(error).rstrip(".")
        raise EmbeddingError(
            f"{path} cannot be read: {why}. Pickled arrays are refused: save numbers and strings."
        ) from error
    raise EmbeddingError(f"{path.name}: expected .npy, .npz or .parquet.")


def _read_npz(path: Path, by: By | None) -> tuple[Any, NDArray[Any], By | None]:
    with np.load(path, allow_pickle=False) as file:
        key = by or next((key for key in KEYS if key in file.files), None)
        if "vectors" not in file.files or key is None or key not in file.files:
            raise EmbeddingError(
                f"{path} contains {', '.join(file.files) or 'nothing'}; `vectors` and {by or 'one of ' + ', '.join(KEYS)} are needed."
            )
        return file[key], file["vectors"], key


def _read_parquet(path: Path, by: By | None) -> tuple[Any, NDArray[Any], By | None]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
        key = by or next((key for key in KEYS if key in schema.names), None)
        column = next((field.name for field in schema if _is_vector(field.type)), None)
        if key is None or key not in schema.names or column is None:
            raise EmbeddingError(
                f"{path} has the columns {', '.join(schema.names)}; {by or 'one of ' + ', '.join(KEYS)} "
                "and a column of lists of numbers are needed."
            )
        table = pq.read_table(path, columns=[key, column])
        if table.column(column).null_count:
            raise EmbeddingError(f"{path}: {table.column(column).null_count:,} vectors are missing (NULL).")
        widths = pc.unique(pc.list_value_length(table.column(column))).to_pylist()
        if len(widths) != 1:
            raise EmbeddingError(
                f"{path}: its vectors have {len(widths)} different widths: {', '.join(map(str, sorted(widths)[:5]))}."
            )
        flat = pc.list_flatten(table.column(column)).to_numpy()
        return table.column(key).to_numpy(), flat.reshape(table.num_rows, -1), key
    except pa.ArrowException as error:
        raise EmbeddingError(f"{path} cannot be read: {error}.") from error


def _is_vector(kind: Any) -> bool:
    import pyarrow as pa

    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)))


def _rows_of(products: Products, given: NDArray[Any], by: By, path: Path) -> NDArray[np.int64]:
    """(n,) for each product, the index of its vector in the file, or -1."""
    import pandas as pd

    keys = pd.Index(given.astype(str))
    if len(twice := keys[keys.duplicated()].unique()):
        raise EmbeddingError(
            f"{path}: {len(twice):,} ids occur more than once, the first is {by} {twice[0]!r}."
        )
    own = products.frame(f"SELECT CAST({by} AS VARCHAR) AS id FROM cohort ORDER BY row_id").id  # noqa: S608 - one of KEYS
    unknown = keys[~keys.isin(own.dropna())]
    if len(unknown) == len(keys):
        raise EmbeddingError(
            f"None of the {len(keys):,} ids in {path} is an {by} of {products.info.name} (the first is {keys[0]!r}). "
            "Are they another kind of id (--by item_id), or ids of another dataset?"
            if len(keys)
            else f"{path} contains no vectors."
        )
    if len(unknown):
        raise EmbeddingError(
            f"{path}: {len(unknown):,} of {len(keys):,} ids are not an {by} of {products.info.name}, the first is {unknown[0]!r}. "
            "Remove them from the file."
        )
    return keys.get_indexer(pd.Index(own.astype(object))).astype(np.int64)
