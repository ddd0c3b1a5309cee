"""A filter in a person's own SQL, for the command line: one condition over the product table, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.errors import UsageError
from core.schema import PRODUCTS

CHARACTERS = 10_000
# What each costs grows only with its texts. Others make gigabytes of one row (repeat, range) or take hours for it
# (levenshtein), and DuckDB can be interrupted only between 2,048 rows.
_OFFERED = """
    abs array_contains array_extract array_has array_has_all array_has_any array_length array_slice ascii ceil ceiling char_length
    character_length coalesce contains ends_with exp floor fmod greatest hash ifnull ilike_escape instr isfinite isinf isnan
    json_array_length json_exists json_extract json_extract_path json_extract_path_text json_extract_string json_type json_valid
    json_value lcase least left len length like_escape list_contains list_element list_extract list_has list_has_all list_has_any
    list_indexof list_position list_slice list_value ln log log10 log2 lower ltrim md5 mod nfc_normalize not_ilike_escape
    not_like_escape nullif ord position pow power prefix regexp_extract regexp_full_match regexp_matches right round row rtrim sign
    split split_part sqrt starts_with str_split string_split strip_accents strlen strpos substr substring suffix trim trunc ucase
    unicode upper
"""
FUNCTIONS = frozenset(_OFFERED.split())


@dataclass(frozen=True)
class Conditioned(Cohort):
    """A cohort's products for which a condition holds. Only `cohort_where` makes one, since the condition becomes SQL; a
    link to it leaves the condition out."""

    condition: str = ""

    def where(self) -> tuple[str, list[Any]]:
        """As of any cohort; the condition has no bound values."""
        sql, values = super().where()
        return f"{sql} AND (({self.condition}\n))", values  # twice: it may close one and open another

    def looked_for(self) -> Cohort:
        return Conditioned(**vars(super().looked_for()), condition=self.condition)

    def describe(self) -> str:
        before = super().describe()
        return f"{'' if before == 'all products' else before + '; '}where {self.condition}"


def cohort_where(products: Products, condition: str, cohort: Cohort) -> Conditioned:
    """The products of a cohort for which a condition in SQL holds, for whatever takes a cohort.

    Raises:
        UsageError: see `rows_where`.
    """
    rows_where(products, condition, cohort)
    return Conditioned(**vars(cohort), condition=condition)


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
        name = str(node.get("function_name") or "")
        if node.get("class") == "LAMBDA" or (name[:1].isalpha() and name not in FUNCTIONS):
            raise UsageError(
                f"--where {condition[:200]}: the function {name or 'lambda'} is not offered. Functions: "
                f"{', '.join(sorted(FUNCTIONS))}."
            )
        names = node.get("column_names")
        if names and names[0] not in PRODUCTS.names:
            raise UsageError(
                f"--where {condition}: there is no column {names[0]!r}. Columns: {', '.join(PRODUCTS.names)}."
            )


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every node, without recursion: a condition may be nested as deep as DuckDB's parser lets it."""
    left = [tree]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            yield part
            left += part.values()
        elif isinstance(part, list):
            left += part
