"""Words: beginnings of words, without case and diacritics, filtered, fused."""

from __future__ import annotations

import numpy as np
import pytest

from core.catalog.products import Products
from core.errors import EmbeddingError
from core.search.lexical import Lexical, plain_words


def names(products: Products, rows: np.ndarray) -> list[str]:
    return [row["name"] for row in products.by_row(rows.tolist())]


@pytest.mark.parametrize("text", ["cervene saty", "ČERVENÉ ŠATY", "Červ šat", "šaty, červené!"])
def test_beginnings_without_case_and_diacritics(products: Products, text: str) -> None:
    found = Lexical(products).search(text, 10)
    assert found.every and len(found.rows) == 10
    assert all(name.startswith("Červené šaty") for name in names(products, found.rows))


def test_cyrillic_and_chinese(products: Products) -> None:
    assert len(Lexical(products).search("СИНЯ", 100).rows) == 20
    assert plain_words("雪纺连衣裙 XL") == ["雪", "纺", "连", "衣", "裙", "xl"]


def test_any_word_where_none_has_all(products: Products) -> None:
    found = Lexical(products).search("saty mikina", 100)
    assert not found.every and len(found.rows) > 20


def test_without(products: Products) -> None:
    everything = Lexical(products).search("saty", 100).rows
    assert len(Lexical(products).search("saty", 100, without="prouzk").rows) == 0 < len(everything)


def test_a_filter_is_exact(products: Products) -> None:
    mask = np.arange(60) < 10
    rows = Lexical(products).search("saty", 100, mask).rows
    assert set(rows) == {0, 3, 6, 9}


@pytest.mark.parametrize(
    "text", ["", "   ", '"', "* OR NOT (", "xyzzy", "\0", "\ud800", "x" * 100_000, "NEAR("]
)
def test_odd_queries_find_nothing_and_break_nothing(products: Products, text: str) -> None:
    assert len(Lexical(products).search(text, 10).rows) == 0


def test_a_large_dataset_is_indexed_on_purpose(products: Products, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.search.lexical.BUILD_AT_ONCE", 10)
    with pytest.raises(EmbeddingError, match="vitrine index shop"):
        Lexical(products)
    told: list[int] = []
    Lexical(products, lambda done, total, what: told.append(done), build=True)
    assert told[-1] == 60
    assert len(Lexical(products).search("saty", 5).rows) == 5
