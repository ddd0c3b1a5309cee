"""All statistics as numbers: the JSON of `vitrine stats`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics import (
    columns,
    comparison,
    hierarchy,
    label_sources,
    languages,
    long_tail,
    pictures,
    shift,
    text_length,
    words,
)
from core.statistics.counts import NONE, categories, crosstab
from core.statistics.display import Display
from core.statistics.papers import TABLES

TOP_WORDS = 50


def summary(
    products: Products,
    cohort: Cohort | None = None,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> dict[str, Any]:
    """The statistics of a cohort, ready for json.dumps: no NaN, no numpy, missing is None.

    Keys: `dataset`, `rows`, `filter`, `fingerprint`, then one per subject; `cannot` has the reason why a statistic is missing.
    """
    parts: list[tuple[str, Callable[[], Any]]] = [
        ("splits", lambda: columns.contents(products, cohort).values),
        (
            "repeats",
            lambda: {
                column: columns.repeats(products, cohort, column).values for column in ("item_id", "image_id")
            },
        ),
        ("categories", lambda: _categories(products, cohort)),
        ("long_tail", lambda: _long_tail(products, cohort)),
        ("geo", lambda: _by_split(products, cohort, "geo")),
        ("geo_shift", lambda: _shift(products, cohort)),
        ("shift", lambda: _frame(shift.every_column(products, cohort))),
        ("movers", lambda: _frame(shift.movers(products, cohort))),
        (
            "lengths",
            lambda: {column: _lengths(products, cohort, column) for column in ("name", "description")},
        ),
        ("texts", lambda: _frame(text_length.repeated(products, cohort))),
        ("languages", lambda: _values(languages.declared(products, cohort))),
        (
            "label_sources",
            lambda: label_sources.source_counts(products, cohort).drop(columns="total").to_dict("records"),
        ),
        ("machine_labels", lambda: _values(label_sources.machine_by(products, cohort, "category"))),
        ("conflicts", lambda: _values(label_sources.conflicts(products, cohort))),
        ("hierarchy", lambda: _hierarchy(products, cohort)),
        ("words", lambda: {column: _words(products, cohort, column) for column in ("name", "description")}),
        ("pictures", lambda: pictures.numbers(products, cohort)),
        (
            "comparison",
            lambda: {table.name: _frame(comparison.beside(products, cohort, table.name)) for table in TABLES},
        ),
    ]
    result: dict[str, Any] = {
        "dataset": products.info.name,
        "rows": products.count(cohort),
        "filter": cohort.describe() if cohort else "all products",
        "fingerprint": products.info.fingerprint,
    }
    for done, (key, compute) in enumerate(parts):
        progress(done, len(parts), key.replace("_", " "))
        result[key] = plain_values(compute())
    progress(len(parts), len(parts), "done")
    return result


def plain_values(value: Any) -> Any:
    """Convert to dictionaries, lists, text, numbers and None, for JSON."""
    if isinstance(value, dict):
        return {str(key): plain_values(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain_values(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _values(display: Display) -> dict[str, Any]:
    return display.values | ({"cannot": display.cannot} if display.cannot else {})


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _frame(display: Display) -> Any:
    return display.frame().to_dict("records")


def _categories(products: Products, cohort: Cohort | None) -> list[dict[str, Any]]:
    counted = categories(products, cohort)
    return _records(counted.drop(columns="label"))


def _long_tail(products: Products, cohort: Cohort | None) -> dict[str, Any]:
    counted = categories(products, cohort)
    training = long_tail.training_counts(counted)
    tail = long_tail.numbers(counted["total"].to_numpy(), training=training)
    tail["by_split"] = {
        split: long_tail.numbers(counted[split].to_numpy(), training=training)
        for split in ("train", "test")
        if counted[split].sum()
    }
    fits = long_tail.shapes(products, cohort)
    tail["fits"] = fits.values
    tail["best_fit"] = next(iter(fits.values), None)
    return tail | ({"fits_cannot": fits.cannot} if fits.cannot else {})


def _by_split(products: Products, cohort: Cohort | None, column: str) -> list[dict[str, Any]]:
    table = crosstab(products, cohort, column, "split").drop(index=NONE, errors="ignore")
    return _records(table.reset_index().rename_axis(columns=None))


def _shift(products: Products, cohort: Cohort | None) -> dict[str, Any]:
    table = crosstab(products, cohort, "geo", "split")
    return shift.numbers(table, shift.pair_of(table))


def _lengths(products: Products, cohort: Cohort | None, column: text_length.Column) -> dict[str, Any]:
    found = text_length.length_counts(products, cohort, column, "characters", "split")
    result = {}
    for split, part in found.groupby("side"):
        histogram = text_length.histogram(part)
        result[str(split)] = text_length.describe(part) | {
            "histogram": histogram,
            "histogram_log": text_length.histogram(part, log=True),
        }
    worded = text_length.length_counts(products, cohort, column, "words", "split")
    for split, part in worded.groupby("side"):
        result[str(split)]["words"] = text_length.describe(part)
    return result


def _hierarchy(products: Products, cohort: Cohort | None) -> dict[str, Any]:
    nodes = hierarchy.tree(categories(products, cohort))
    counted = hierarchy.levels(nodes)
    names = ("classes", "sub_classes", "third_levels")
    return {
        "depth": len(counted),
        "levels": counted,
        **{name: counted[level] if level < len(counted) else 0 for level, name in enumerate(names)},
        "tree": hierarchy.nested(nodes),
    }


def _words(products: Products, cohort: Cohort | None, column: words.Column) -> dict[str, Any]:
    made = words.frequent(products, cohort, column)
    return {
        "most_frequent": made.frame().head(TOP_WORDS).to_dict("records"),
        "notes": list(made.notes),
    } | _values(made)
