"""One product in several countries: all products of one picture inside a split, most countries first."""

from __future__ import annotations

from typing import Any

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.languages.pairs import PAPER

MOST = 40  # products of one picture that are read
_GROUPS = """SELECT split, image_id, count(DISTINCT geo) AS countries, min(row_id) AS first, list(row_id ORDER BY row_id) AS rows
             FROM cohort WHERE image_id IS NOT NULL AND geo IS NOT NULL GROUP BY split, image_id HAVING count(DISTINCT geo) > 1"""


def count(products: Products, cohort: Cohort | None = None) -> int:
    """How many pictures are sold in several countries, inside a split."""
    return int(products.frame(f"SELECT count(*) AS n FROM ({_GROUPS})", cohort)["n"].iloc[0])  # noqa: S608


def family(products: Products, cohort: Cohort | None = None, number: int = 0) -> list[dict[str, Any]]:
    """The products of the picture at a place of that order, by country in the paper's order; empty beyond the end."""
    sql = f"SELECT rows FROM ({_GROUPS}) ORDER BY countries DESC, first LIMIT 1 OFFSET ?"  # noqa: S608
    found = products.table(sql, cohort, [number]).to_pylist()
    if not found:
        return []
    rows = products.by_row(found[0]["rows"][:MOST])
    place = {geo: at for at, geo in enumerate(PAPER)}
    return sorted(rows, key=lambda row: (place.get(row["geo"], len(place)), row["geo"] or "", row["row_id"]))
