"""Count products by split, by category, and by pairs of columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.catalog.cohort import CHOICES, Cohort, path_from_text, path_text
from core.catalog.cohort import NONE as ABSENT
from core.catalog.products import Products
from core.errors import UsageError
from core.statistics.cache import cached

BESIDE_SPLITS = (
    "category",
    "path",
    "label",
    "total",
    "class",
    "geo",
    "language",
    "label_source",
    "label_kind",
    "n",
)
NOT_COLUMN = " (split)"
NONE = "none"  # a missing value in a table, as in dataset.json
SPLITS = ("train", "validation", "test")  # in display order

# Columns to count by: name -> SQL over the table `cohort`.
COLUMNS = {
    # A split may have the name of another column of the table, which it must not replace.
    "split": f"CASE WHEN split IN {BESIDE_SPLITS} THEN split || '{NOT_COLUMN}' ELSE coalesce(split, '{NONE}') END",
    "geo": f"coalesce(geo, '{NONE}')",
    "language": f"coalesce(language, '{NONE}')",
    "category": "category_path",  # becomes `path_text`: leaf names may repeat in several branches
    "class": f"coalesce(category_path[1], '{NONE}')",
    "label_source": f"coalesce(label_source, '{NONE}')",
    "label_kind": f"coalesce(label_kind, '{NONE}')",
    "picture": "CASE WHEN image IS NULL THEN 'without a picture' ELSE 'with a picture' END",
    "name_length": "name_length // 20",  # becomes `_range`
    # The last bin is 990 and more. DuckDB's least() ignores NULL, but a missing length must stay NULL.
    "description_length": "CASE WHEN description_length IS NOT NULL THEN least(description_length // 110, 9) END",
}
BIN_WIDTH = {"name_length": 20, "description_length": 110}  # characters
LAST_BIN = {"description_length": 9}


def column_sql(column: str) -> str:
    """
    Raises:
        UsageError: products cannot be counted by that column.
    """
    if column not in COLUMNS:
        raise UsageError(f"Products cannot be counted by {column!r}. Columns: {', '.join(COLUMNS)}.")
    return COLUMNS[column]


def spoken(column: str) -> str:
    """The name of a column in a sentence.

    >>> spoken("geo"), spoken("label_source")
    ('country', 'label source')
    """
    return "country" if column == "geo" else column.replace("_", " ")


def split_order(splits: Iterable[str]) -> list[str]:
    """Train, validation, test, then others by name, then none."""
    known = set(splits)
    others = sorted(known - {*SPLITS, NONE})
    return [split for split in (*SPLITS, *others, NONE) if split in known]


def splits(products: Products, cohort: Cohort | None) -> dict[str, int]:
    """The number of products per split, in display order."""
    frame = products.frame(
        f"SELECT {COLUMNS['split']} AS split, count(*) AS n FROM cohort GROUP BY 1", cohort
    )
    found = dict(zip(frame["split"], frame["n"].astype(int), strict=True))
    return {split: int(found[split]) for split in split_order(found)}


def crosstab(products: Products, cohort: Cohort | None, rows: str, columns: str) -> pd.DataFrame:
    """Contingency table of two columns.

    Returns:
        int64 (R, C), index and columns named after the two; most frequent row first; splits in their order.

    Raises:
        UsageError: products are not counted by such a column.
    """
    sql = (
        f"SELECT {column_sql(rows)} AS r, {column_sql(columns)} AS c, count(*) AS n FROM cohort GROUP BY 1, 2"
    )

    def compute() -> pd.DataFrame:
        found = products.frame(sql, cohort)
        for side, column in (("r", rows), ("c", columns)):
            if column == "category":
                found[side] = [path_name(path) for path in found[side]]
            elif column in BIN_WIDTH:
                found[side] = [
                    NONE if pd.isna(number) else _range(int(number), column) for number in found[side]
                ]
        return found

    found = cached(products, cohort, f"crosstab-{rows}-{columns}".replace("_", "-"), compute)
    return pivot(found, rows, columns)


def path_name(path: Any) -> str:
    """A category path from DuckDB or pandas as text; missing values are `none`."""
    return (path_text(tuple(path)) or NONE) if isinstance(path, list | tuple | np.ndarray) else NONE


def _range(number: int, column: str) -> str:
    """A bin of lengths, with leading zeros for sorting as text.

    >>> _range(1, "name_length"), _range(9, "description_length")
    ('0020-0039', '0990 and more')
    """
    first = number * BIN_WIDTH[column]
    if number == LAST_BIN.get(column):
        return f"{first:04d} and more"
    return f"{first:04d}-{first + BIN_WIDTH[column] - 1:04d}"


def narrowing(column: str, value: str) -> dict[str, Any] | None:
    """The filter of a cohort for a value of a column; None if there is no such filter.

    >>> narrowing("geo", "cz"), narrowing("split", "none"), narrowing("category", "Men > Shoes")
    ({'geo': ('cz',)}, {'split': ('(none)',)}, {'category': (('Men', 'Shoes'),)})
    """
    if column == "split" and (bare := value.removesuffix(NOT_COLUMN)) in BESIDE_SPLITS:
        value = bare
    if column in CHOICES:
        return {column: (ABSENT if value == NONE else value,)}
    if column in ("category", "class") and value != NONE:
        return {"category": (path_from_text(value) if column == "category" else (value,),)}
    if column == "picture":
        return {"picture": value == "with a picture"}
    return None


def short_names(column: str, values: Sequence[str]) -> list[str]:
    """Display names of the values of a column: categories by leaf name, if unique."""
    if column != "category":
        return list(values)
    paths = [path_from_text(value) if value != NONE else (NONE,) for value in values]
    return labels(paths)


def pivot(found: pd.DataFrame, rows: str, columns: str) -> pd.DataFrame:
    """Pivot a (row, column, n) frame to a table of counts."""
    if found.empty:
        return pd.DataFrame(index=pd.Index([], name=rows), columns=pd.Index([], name=columns), dtype="int64")
    table = found.pivot_table(index="r", columns="c", values="n", aggfunc="sum", fill_value=0).astype("int64")
    order = split_order(table.columns) if columns == "split" else sorted(table.columns)
    table = table.reindex(columns=order)
    total = table.sum(axis=1)
    order_rows = sorted(table.index, key=lambda value: (-int(total[value]), value))
    return table.reindex(order_rows).rename_axis(index=rows, columns=columns)


def categories(products: Products, cohort: Cohort | None) -> pd.DataFrame:
    """The number of products of each leaf category, by split.

    Returns:
        `category` (leaf), `path` (tuple of str, root to leaf), `label` (the leaf, or the whole path if the
        leaf name is not unique), one column per split (train and test always), `total`; largest first.
        Without products that have no category.
    """
    sql = (
        f"SELECT category_path AS path, {COLUMNS['split']} AS split, count(*) AS n "
        "FROM cohort WHERE len(category_path) > 0 GROUP BY 1, 2"
    )
    found = cached(products, cohort, "categories", lambda: products.frame(sql, cohort))
    found["path"] = [tuple(path) for path in found["path"]]
    present = split_order({*found["split"], "train", "test"})
    counts: dict[tuple[str, ...], dict[str, int]] = {}
    for path, split, n in zip(found["path"], found["split"], found["n"], strict=True):
        counts.setdefault(path, dict.fromkeys(present, 0))[split] = int(n)
    order = sorted(counts, key=lambda path: (-sum(counts[path].values()), path))
    table = pd.DataFrame(
        {
            "category": pd.Series([path[-1] for path in order], dtype=object),
            "path": pd.Series(order, dtype=object),
            "label": pd.Series(labels(order), dtype=object),
            **{split: pd.Series([counts[path][split] for path in order], dtype="int64") for split in present},
        }
    )
    table["total"] = table[present].sum(axis=1).astype("int64")
    return table


def labels(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """Leaf names, or whole paths if a leaf name is not unique.

    >>> labels([("Men", "Shoes"), ("Women", "Shoes"), ("Women", "Hats")])
    ['Men > Shoes', 'Women > Shoes', 'Hats']
    """
    seen: dict[str, int] = {}
    for path in paths:
        seen[path[-1]] = seen.get(path[-1], 0) + 1
    return [path[-1] if seen[path[-1]] == 1 else path_text(path) for path in paths]


def split_columns(table: pd.DataFrame) -> list[str]:
    """The non-empty split columns of `categories`."""
    known = [column for column in table.columns if column not in BESIDE_SPLITS]
    return [column for column in known if table[column].sum() > 0]
