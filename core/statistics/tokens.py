"""Count the words of texts: DuckDB for languages with spaces, jieba for Chinese."""

from __future__ import annotations

import logging
from collections import Counter
from functools import cache
from typing import Any, Literal

import pandas as pd

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics.cache import cached
from core.statistics.counts import column_sql, path_name

Column = Literal["name", "description"]
MOST_PRODUCTS = 500_000  # larger datasets are sampled, with a note in the display
MOST_CHINESE = 20_000  # texts segmented by jieba, at about 5,000 titles per second
WORD = r"[\p{L}\p{M}]+(?:['’\-][\p{L}\p{M}]+)*"  # letters; digits are sizes and article numbers


def sampled_every(products: Products, cohort: Cohort | None) -> int:
    """Sampling step: 1 for all products, k for a fixed sample of one in k."""
    return -(-products.count(cohort) // MOST_PRODUCTS)


def word_counts(
    products: Products, cohort: Cohort | None, column: Column, by: str | None = None
) -> pd.DataFrame:
    """The number of occurrences of each lower-cased word, by value of a column.

    Returns:
        `group` (a value of `by`; empty without one), `word`, `n` (occurrences), `texts` (products it occurs in), at least
        two occurrences where there are many products; `n` descending. Words of one letter are left out, but not of one
        Chinese character.
    """
    name = f"words-in-{column}-by-{by or 'all'}"
    return cached(products, cohort, name, lambda: _count(products, cohort, column, by))


def _count(products: Products, cohort: Cohort | None, column: Column, by: str | None) -> pd.DataFrame:
    every = max(1, sampled_every(products, cohort))
    group = column_sql(by) if by else "''"
    chosen = f"{column} IS NOT NULL" + (f" AND hash(row_id) % {every} = 0" if every > 1 else "")
    least = 2 if every > 1 else 1
    spaced = f"""
        SELECT g AS "group", word, sum(times)::BIGINT AS n, count(*) AS texts FROM (
            SELECT row_id, any_value(g) AS g, word, count(*) AS times FROM (
                SELECT row_id, {group} AS g, unnest(regexp_extract_all(lower({column}), ?)) AS word
                FROM cohort WHERE {chosen} AND NOT regexp_matches({column}, '\\p{{Han}}'))
            WHERE length(word) > 1 GROUP BY row_id, word)
        GROUP BY g, word HAVING sum(times) >= {least}"""
    found = products.frame(spaced, cohort, [WORD])
    chinese = f"""SELECT {group} AS "group", {column} AS text FROM cohort
                  WHERE {chosen} AND regexp_matches({column}, '\\p{{Han}}') ORDER BY hash(row_id) LIMIT ?"""
    texts = products.frame(chinese, cohort, [MOST_CHINESE])
    if len(texts):
        found = pd.concat([found, _chinese(texts, by)], ignore_index=True)
    if by == "category":
        found["group"] = [path_name(path) for path in found["group"]]
    found["group"] = found["group"].astype(object)
    found = found.groupby(["group", "word"], as_index=False, sort=False)[["n", "texts"]].sum()
    return found.sort_values(["n", "group", "word"], ascending=[False, True, True], ignore_index=True)


def chinese_texts(products: Products, cohort: Cohort | None, column: Column) -> int:
    """The number of texts with Chinese characters, counted up to MOST_CHINESE + 1."""
    sql = f"SELECT count(*) AS n FROM (SELECT 1 FROM cohort WHERE regexp_matches({column}, '\\p{{Han}}') LIMIT ?)"
    found = cached(
        products, cohort, f"chinese-{column}", lambda: products.frame(sql, cohort, [MOST_CHINESE + 1])
    )
    return int(found["n"][0])


def _chinese(texts: pd.DataFrame, by: str | None) -> pd.DataFrame:
    occurrences: Counter[tuple[Any, str]] = Counter()
    documents: Counter[tuple[Any, str]] = Counter()
    group_of: dict[Any, Any] = {}
    for group, text in zip(texts["group"], texts["text"], strict=True):
        key = path_name(group) if by == "category" else group
        group_of[key] = group
        words = [(key, word) for word in cut(text)]
        occurrences.update(words)
        documents.update(set(words))
    return pd.DataFrame(
        {
            "group": pd.Series([group_of[key] for key, _ in occurrences], dtype=object),
            "word": [word for _, word in occurrences],
            "n": list(occurrences.values()),
            "texts": [documents[entry] for entry in occurrences],
        }
    )


@cache
def chinese_tokenizer() -> Any:
    """jieba's tokenizer with its dictionary, loaded once: a second, 63 MB."""
    import jieba

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    return tokenizer


def cut(text: str) -> list[str]:
    """Words of a Chinese text, without punctuation and numbers.

    Source: jieba, https://github.com/fxsj/jieba, as MEP-3M uses it (section 3).

    >>> cut("孕妇配方奶粉 800克")
    ['孕妇', '配方', '奶粉', '克']
    """
    words = (word.strip().lower() for word in chinese_tokenizer().lcut(text))
    return [word for word in words if word and (word.isalpha()) and (len(word) > 1 or word > "\u2e80")]
