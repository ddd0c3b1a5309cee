"""The cohort that a command's options name: the filters of a link, and a condition in SQL."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qs

import typer

from core.catalog.cohort import Cohort
from core.errors import UsageError

if TYPE_CHECKING:
    from core.catalog.products import Products

Only = Annotated[
    str,
    typer.Option(
        "--cohort",
        metavar="QUERY",
        help="Only products of this cohort, as in an address: 'geo=cz&split=train'.",
    ),
]
Where = Annotated[str | None, typer.Option(help="Filter in SQL, e.g. \"geo = 'cz'\".")]


def cohort_of(products: Products, only: str, where: str | None = None) -> Cohort:
    """
    Raises:
        UsageError: a filter is none, or its value cannot be; or the condition is none.
    """
    query = parse_qs(only.strip().lstrip("?"), keep_blank_values=True)
    known = {field.name for field in fields(Cohort)} - {"dataset"}
    name = products.info.name
    if query.pop("dataset", [name]) != [name]:
        raise UsageError(f"--cohort names another dataset than {name}.")
    if unknown := sorted(set(query) - known):
        raise UsageError(
            f"--cohort: {', '.join(unknown)} is not a filter. Filters: {', '.join(sorted(known))}."
        )
    cohort = Cohort.from_query(query, dataset=name)
    if where is None:
        return cohort
    from core.catalog.where import cohort_where

    return cohort_where(products, where, cohort)
