"""Every statistic as numbers: the JSON of `python -m core stats`."""

from __future__ import annotations

from typing import Any

from core.catalog import Products
from core.cohort import Cohort
from core.statistics import long_tail
from core.statistics.counts import categories


def summary(products: Products, cohort: Cohort | None = None) -> dict[str, Any]:
    """The statistics of a cohort, ready for json.dumps."""
    counted = categories(products, cohort)
    return {
        "categories": [
            {
                "category": row["category"],
                "path": list(row["path"]),
                **{s: int(row[s]) for s in ("train", "test")},
            }
            for _, row in counted.iterrows()
        ],
        "long_tail": long_tail.numbers(counted["total"].to_numpy()),
    }
