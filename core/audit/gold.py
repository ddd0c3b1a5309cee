"""Gold items: products whose right label is known, from a CSV file."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from core.audit.plan import all_labels
from core.catalog.cohort import Cohort, path_from_text
from core.catalog.products import Products
from core.errors import SourceError, UsageError

MOST = 10_000
AT_ONCE = 500
BYTES = 16 * 2**20


def read_gold(products: Products, path: Path) -> dict[int, str]:
    """row_id -> right label, from a table with the columns `item_id` or `image_id`, and `label`.

    A label is written as the dataset's category path ("Women > Shoes"), or its last level where only one class has it.

    Raises:
        SourceError: the file cannot be read.
        UsageError: a column is missing, or a label is no class of the dataset.
    """
    try:
        if path.stat().st_size > BYTES:
            raise SourceError(f"{path} has more than {BYTES // 2**20} MB: too much for gold items.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path} cannot be read as CSV ({error}).") from error
    columns = set(rows[0]) if rows else set()
    key = next((name for name in ("item_id", "image_id") if name in columns), "")
    if not key or "label" not in columns:
        raise UsageError(f"{path} needs the columns item_id or image_id, and label.")
    if len(rows) > MOST:
        raise UsageError(f"{path} has {len(rows):,} gold items; at most {MOST:,} are allowed.")
    named = short_labels(all_labels(products))
    wanted: dict[str, str] = {}
    for row in rows:
        text = (row["label"] or "").strip()
        if text not in named:
            raise UsageError(
                f"{path}: {text!r} is no class of {products.info.name}, or several have this name."
            )
        wanted[row[key]] = named[text]
    found: dict[int, str] = {}
    ids = list(wanted)
    for start in range(0, len(ids), AT_ONCE):
        some = tuple(ids[start : start + AT_ONCE])
        cohort = Cohort(products.info.name, **{key: some})  # type: ignore[arg-type]
        table = products.table(f"SELECT row_id, {key} FROM cohort", cohort)  # noqa: S608
        found |= {
            int(row): wanted[one] for row, one in zip(*(c.to_pylist() for c in table.columns), strict=True)
        }
    return found


def short_labels(labels: tuple[str, ...]) -> dict[str, str]:
    """What a label may be called -> the label: itself, or its last level where that is unique."""
    leaves = Counter(path_from_text(label)[-1] for label in labels)
    short = {path_from_text(label)[-1]: label for label in labels}
    return {leaf: label for leaf, label in short.items() if leaves[leaf] == 1} | {
        label: label for label in labels
    }
