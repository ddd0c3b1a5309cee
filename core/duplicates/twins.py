"""Twins: one picture in several countries, with its texts; conflicting labels first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.catalog.cohort import Cohort
from core.catalog.products import Products


@dataclass(frozen=True)
class Twins:
    """The products of one picture in several countries."""

    image_id: str
    conflict: bool  # they have different categories
    rows: list[dict[str, Any]]  # products, by country


# A picture on file once and listed in several countries. `category_id` may be absent; the label is what is shown.
_SHARED = """
    SELECT image_id, count(DISTINCT geo) AS countries, count(*) AS listings,
           count(DISTINCT category) > 1 AS conflict, min(row_id) AS first, list(row_id ORDER BY geo, row_id) AS row_ids
    FROM {of} WHERE image IS NOT NULL AND geo IS NOT NULL {which} GROUP BY image_id HAVING count(DISTINCT geo) > 1
"""
_ALL = _SHARED.format(of="cohort", which="")
_TOUCHING = _SHARED.format(of="products", which="AND image_id IN (SELECT image_id FROM cohort)")
LISTINGS = 40  # of one picture that are read


def _shared(cohort: Cohort | None) -> str:
    return _ALL if cohort is None or cohort.is_whole() else _TOUCHING


def counts(products: Products, cohort: Cohort | None = None) -> dict[str, int]:
    """pictures: in several countries; conflicts: of those with different categories; products: with these pictures.

    Args:
        cohort: only pictures of its products; the same picture's other products count all the same.
    """
    sql = f"""SELECT count(*) AS pictures, coalesce(sum(conflict::int), 0) AS conflicts,
              coalesce(sum(listings), 0) AS products FROM ({_shared(cohort)})"""  # noqa: S608 - no word of a person in it
    row = products.frame(sql, cohort).iloc[0]
    return {name: int(row[name]) for name in ("pictures", "conflicts", "products")}


def twins(
    products: Products,
    cohort: Cohort | None = None,
    conflicts_only: bool = False,
    offset: int = 0,
    limit: int = 10,
) -> list[Twins]:
    """One page of twins: conflicting labels first, then most countries first.

    Args:
        cohort: as for `counts`.
    """
    only = "WHERE conflict" if conflicts_only else ""
    sql = f"SELECT * FROM ({_shared(cohort)}) {only} ORDER BY conflict DESC, countries DESC, first LIMIT ? OFFSET ?"  # noqa: S608
    found = products.table(sql, cohort, [limit, offset]).to_pylist()
    return [
        Twins(row["image_id"], bool(row["conflict"]), products.by_row(row["row_ids"][:LISTINGS]))
        for row in found
    ]
