"""A condition of one's own: one boolean expression over the product table, nothing else."""

from __future__ import annotations

import pytest

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.catalog.where import rows_where
from core.errors import UsageError


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("geo = 'cz'", 30),
        ("geo = 'cz' AND category_path[2] = 'red'", 10),
        ("row_id < 5 -- a comment", 5),
        ("name LIKE '%šaty%'", 20),
        ("name IS NULL", 1),
        ("regexp_matches(item_id, '^i1.$') OR false", 10),
        ("row_id IN (1, 2, 3)", 3),
        ("CASE WHEN geo = 'cz' THEN true ELSE NULL END", 30),
    ],
)
def test_conditions(products: Products, condition: str, rows: int) -> None:
    assert rows_where(products, condition).sum() == rows


def test_within_a_cohort(products: Products) -> None:
    assert rows_where(products, "row_id < 10", Cohort("shop", geo=("cz",))).sum() == 5


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "   ",
        "name_length",
        "nothing > 1",
        "geo = 'cz'; DROP TABLE products",
        "geo = 'cz') UNION SELECT 1 --",
        "true) FROM products WHERE (true",
        "true) AS x, (true",
        "(SELECT count(*) FROM products) > 1",
        "EXISTS (FROM read_text('/etc/passwd'))",
        "row_id IN (SELECT row_id FROM search)",
        "row_number() OVER () < 3",
        "count(*) > 1",
        "geo = 'cz' ORDER BY 1",
        "getenv('HOME') = 'x'",
        "geo = ?",
        "COLUMNS(*) = 1",
        "x" * 20_000,
    ],
)
def test_everything_else_is_refused(products: Products, condition: str) -> None:
    with pytest.raises(UsageError):
        rows_where(products, condition)


@pytest.mark.parametrize("nested", ["(" * 3_000 + "true" + ")" * 3_000, "NOT " * 2_400 + "true"])
def test_a_nested_condition_is_one_line(products: Products, nested: str) -> None:
    with pytest.raises(UsageError, match=r"nested|depth"):
        rows_where(products, nested)


def test_a_question_may_take_only_so_long(products: Products, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_QUERY_SECONDS", "0.5")
    with pytest.raises(UsageError, match=r"longer than 0\.5 s and was stopped"):
        products.frame("SELECT sum(hash(a.range)) FROM range(100000000000) a, cohort")


def test_a_question_may_take_only_so_much_memory(glami_mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_QUERY_MB", "64")
    with pytest.raises(UsageError, match=r"more memory than 0\.1 GB"):
        Products.open(glami_mini).frame("SELECT list(repeat(name, 1000)) FROM cohort")
