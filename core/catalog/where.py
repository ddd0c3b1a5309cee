"""A filter in a person's own SQL, for the command line: one condition over the product table, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.errors import UsageError
from core.schema import PRODUCTS

CHARACTERS = 10_000


def rows_where(products: Products, condition: str, cohort: Cohort | None = None) -> NDArray[np.bool_]:
    """Which products a condition holds for: (n,) by row_id.

    It runs on the dataset's own connection, which can read nothing but the product table; before that it is
    parsed, and must be one expression without a subquery over the table's columns.

    Raises:
        UsageError: it is no such condition, or it cannot be computed.
    """
    _check(condition)
    mask = np.zeros(len(products), np.bool_)
    try:
        kind = products.query(f"SELECT ({condition}\n) FROM cohort LIMIT 0", cohort).types[0]  # noqa: S608
        if kind != "BOOLEAN":
            raise UsageError(f"--where {condition}: this is a {kind}, not true or false.")
        sql = f"SELECT row_id FROM cohort WHERE ({condition}\n)"  # noqa: S608 - parsed and checked above
        rows = products.read(lambda found: found.fetchnumpy()["row_id"], sql, cohort)
    except duckdb.Error as error:
        raise UsageError(f"--where {condition}: {str(error).splitlines()[0]}") from error
    mask[np.asarray(rows, np.int64)] = True
    return mask


def _check(condition: str) -> None:
    if not condition.strip() or len(condition) > CHARACTERS:
        raise UsageError(
            f"--where expects a condition of 1 to {CHARACTERS:,} characters, such as \"geo = 'cz'\"."
        )
    with duckdb.connect() as parser:  # parses only: nothing of the condition is run here
        sql = f"SELECT ({condition}\n) AS holds FROM products"  # noqa: S608 - only parsed
        try:
            parsed = json.loads(str(parser.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0]))
        except (duckdb.Error, RecursionError) as error:
            raise UsageError(f"--where {condition[:100]}: it is nested too deeply.") from error
    if parsed.get("error"):
        raise UsageError(f"--where {condition}: {str(parsed.get('error_message', 'no SQL')).splitlines()[0]}")
    statements = parsed["statements"]
    chosen = statements[0]["node"].get("select_list", []) if len(statements) == 1 else []
    whole = (
        len(statements) == 1
        and statements[0]["node"].get("type") == "SELECT_NODE"
        and len(chosen) == 1
        and chosen[0].get("alias") == "holds"
        and statements[0]["node"].get("where_clause") is None
        and statements[0]["node"].get("from_table", {}).get("table_name") == "products"
    )
    inside = list(_nodes(chosen[0])) if whole else []
    if not whole or any(node.get("class") in ("SUBQUERY", "STAR", "WINDOW") for node in inside):
        raise UsageError(
            f"--where {condition}: write one condition over the product table, without a SELECT."
        )
    for node in inside:
        names = node.get("column_names")
        if names and names[0] not in PRODUCTS.names:
            raise UsageError(
                f"--where {condition}: there is no column {names[0]!r}. Columns: {', '.join(PRODUCTS.names)}."
            )


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for part in tree.values():
            yield from _nodes(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)
