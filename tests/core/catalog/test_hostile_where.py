"""Conditions made to read, write, hang or break: each is refused in one line, or is a condition."""

from __future__ import annotations

import numpy as np
import pytest

from core.catalog.products import Products
from core.catalog.where import rows_where
from core.errors import UsageError

CALLS = """read_text('/etc/passwd') read_blob('/etc/passwd') read_csv('/etc/passwd') read_parquet('x') glob('/*') getenv('HOME') current_setting('home_directory')
set_config('a','b') pg_read_file('/etc/passwd') duckdb_settings() query('1') query_table('products') sql_auto_complete('S') json_serialize_sql('S')
json_execute_serialized_sql('x') write_log('x') current_database() current_schema() current_user session_user version() pi() random() uuid() nextval('s') error('x')
repeat(name,1000000000) range(10000000000) generate_series(1,10000000000) lpad(name,2000000000,'x') rpad(name,2000000000,'x') replace(name,'a','aaaa')
levenshtein(name,description) damerau_levenshtein(name,name) hamming(name,name) jaccard(name,name) jaro_similarity(name,name) editdist3(name,name)
list_aggregate([1],'sum') list_transform([1],x->x) list_filter([1],x->x>0) list_reduce([1],(a,b)->a+b) array_apply([1],x->x) unnest([1]) unnest(category_path)
list_sort([1]) format('{}',name) printf('%1000000000d',1) bar(1,0,1,1000000000) concat(name,name) string_agg(name) list(name) sum(row_id) max(name) first(name)
encode(name) base64(encode(name)) to_json(name) struct_pack(a:=1) map([1],[2]) factorial(1000000000) gcd(1,2) strftime(now(),'%Y') now() epoch(now())
add_parquet_key('a','b') getvariable('x') parse_path(name) in_search_path('a','b') txid_current() stats(name) alias(name) typeof(name) enum_range(name)"""
SHAPES = [
    "", " ", "--", "/*", "'", '"', "(", ")", "true;", "true; SELECT 1", "true)", "true) --", "1", "name", "NULL; --", "\0", "true\0", "true \ud800", "$1", "?", ":x", "*",
    "SELECT 1", "(SELECT true)", "EXISTS (SELECT 1)", "row_id = ANY (SELECT 1)", "row_id IN (FROM products)", "true UNION SELECT true", "true) FROM products; ATTACH 'x' AS y --",
    "true) FROM products LIMIT 1 --", "true AS x", "true, true", "products.name = 'x'", "search.text = 'x'", "cohort.name = 'x'", "rowid = 1", "file_row_number = 1",
    "row_number() OVER () = 1", "count(*) > 0", "COLUMNS('name') = 'x'", "* LIKE 'x'", "name COLLATE nothing = 'x'", "name::no_such_type = 'x'", "DEFAULT", "name = name FILTER (true)",
    "PIVOT", "COPY products TO '/tmp/x'", "INSTALL httpfs", "LOAD httpfs", "PRAGMA database_list", "SET threads = 1", "CREATE TABLE x (i int)", "EXPLAIN true", "CALL pragma_version()",
]  # fmt: skip
NESTED = [
    "(" * 4_000 + "true" + ")" * 4_000, "NOT " * 2_400 + "true", "true" + " AND true" * 1_000, "true" + " OR (true" * 900 + ")" * 900, "row_id" + "+1" * 4_900 + " > 0",
    "-" * 9_000 + "1 > 0", "[" * 4_000 + "]" * 4_000 + " = []", "CASE WHEN true THEN " * 450 + "true" + " END" * 450, "abs(" * 900 + "row_id" + ")" * 900 + " > 0",
    "row_id IN (" + "1," * 4_000 + "1)", "lower(" * 450 + "name" + ")" * 450 + " = 'x'", "row_id::" + "int::" * 1_500 + "int > 0", "name[1]" + "[1]" * 3_000 + " = 'x'",
    "x" * 9_999, "'" + "x" * 9_000 + "' = name",
]  # fmt: skip


@pytest.mark.parametrize("condition", [*SHAPES, *(f"{call} IS NOT NULL" for call in CALLS.split())])
def test_a_hostile_condition_is_one_line(products: Products, condition: str) -> None:
    with pytest.raises(UsageError) as caught:
        rows_where(products, condition)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("condition", NESTED, ids=lambda condition: condition[:12])
def test_a_nested_condition_is_computed_or_one_line(products: Products, condition: str) -> None:
    try:
        assert rows_where(products, condition).dtype == np.bool_
    except UsageError as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    "condition",
    ["hash(item_id) % 10 < 5", "json_extract_string(extra, '$.a') IS NULL", "extra->>'a' IS NULL", "lower(name) LIKE '%b%' ESCAPE '$'", "len(category_path) > 1",
     "list_contains(category_path, 'red')", "name || description NOT ILIKE '%x%'", "coalesce(length(name), 0) BETWEEN 1 AND 99", "substring(item_id, 1, 1) = 'i'", "name SIMILAR TO '.*'"],
)  # fmt: skip
def test_what_people_ask_is_offered(products: Products, condition: str) -> None:
    assert rows_where(products, condition).shape == (len(products),)
