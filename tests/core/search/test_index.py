"""Search equals brute force: with filters, absent rows and any k; the approximate index says its recall."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.embeddings.store import Description, EmbeddingSet
from core.errors import EmbeddingError, UsageError
from core.search import index as indexing
from core.search.index import Index, build_approximate, scanned_by_torch, wants_approximate

N, D = 20_000, 48
RNG = np.random.default_rng(0)


def make(folder: Path, n: int = N, d: int = D, absent: float = 0.1, centres: int = 0) -> EmbeddingSet:
    vectors = RNG.standard_normal((n, d)).astype(np.float32)
    if centres:
        middle = RNG.standard_normal((centres, d)).astype(np.float32)
        vectors = middle[RNG.integers(0, centres, n)] + 0.4 * vectors
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    present = RNG.random(n) >= absent
    vectors[~present] = 0
    np.save(folder / "vectors.npy", vectors.astype(np.float16))
    mapped = np.load(folder / "vectors.npy", mmap_mode="r")
    return EmbeddingSet("x", Description("x", "imported", d, "f", n, created="now"), mapped, present, folder)


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingSet:
    return make(tmp_path_factory.mktemp("index"))


def brute(
    found: EmbeddingSet, query: NDArray[np.floating], k: int, mask: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    scores = found.vectors.astype(np.float32) @ query.astype(np.float32)
    allowed = found.present if mask is None else found.present & mask
    rows = np.flatnonzero(allowed)
    return rows[np.lexsort((rows, -scores[rows]))][:k]


@pytest.mark.parametrize("share", [None, 0.9, 0.5, 0.01, 0.001, 0.0])
@pytest.mark.parametrize("k", [1, 100, 3_000])
def test_equals_brute_force(vectors: EmbeddingSet, share: float | None, k: int) -> None:
    index = Index(vectors)
    mask = None if share is None else RNG.random(N) < share
    for _ in range(3):
        query = RNG.standard_normal(D)
        found = index.search(query, k, mask)
        wanted = brute(vectors, query, k, mask)
        assert found.exact and len(found.rows) == len(wanted)
        assert (
            len(set(found.rows) ^ set(wanted)) <= 2
        )  # scores that differ in the last digit may change places
        np.testing.assert_allclose(found.scores, index.scores(query, wanted), atol=1e-5)
        assert (np.diff(found.scores) <= 0).all()


def test_a_negative_query_finds_the_farthest(vectors: EmbeddingSet) -> None:
    query = RNG.standard_normal(D)
    np.testing.assert_array_equal(Index(vectors).search(-query, 10).rows, brute(vectors, -query, 10, None))


def test_absent_rows_are_never_found(vectors: EmbeddingSet) -> None:
    found = Index(vectors).search(RNG.standard_normal(D), 10_000, ~vectors.present | (np.arange(N) < 9))
    assert set(found.rows) == set(np.flatnonzero(vectors.present[:9]))


def test_the_scan_of_a_gpu_is_the_same(vectors: EmbeddingSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "BLOCK", 512)
    query = RNG.standard_normal(D).astype(np.float32)
    rows, scores = scanned_by_torch(vectors.vectors, query, 50, vectors.present, "cpu")
    best = rows[np.argsort(-scores)][:50]
    np.testing.assert_array_equal(best, brute(vectors, query, 50, None))


@pytest.mark.parametrize("query", [np.ones(D + 1), np.full(D, np.nan), np.ones((2, D))])
def test_a_wrong_query_is_refused(vectors: EmbeddingSet, query: NDArray[np.float64]) -> None:
    with pytest.raises(UsageError):
        Index(vectors).search(query)


@pytest.mark.parametrize("k", [0, -1, 10_001])
def test_k_is_bounded(vectors: EmbeddingSet, k: int) -> None:
    with pytest.raises(UsageError):
        Index(vectors).search(np.ones(D), k)


def test_vectors_of_another_kind_are_refused(vectors: EmbeddingSet) -> None:
    with pytest.raises(EmbeddingError):
        Index(replace(vectors, vectors=vectors.vectors.astype(np.float32)))  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_few_rows(tmp_path: Path, rows: int) -> None:
    found = Index(make(tmp_path, rows, 4, absent=0)).search(np.ones(4), 10)
    assert len(found.rows) == rows


def test_the_approximate_index_says_its_recall(tmp_path: Path) -> None:
    found = make(tmp_path, centres=100)
    assert not wants_approximate(found)
    described = build_approximate(found)
    assert described.recall_at_10 >= 0.99 and described.probes < described.lists
    index = Index(found)
    hits = 0
    for row in np.flatnonzero(found.present)[:100]:
        query = found.vectors[row].astype(np.float32) + 0.05 * RNG.standard_normal(D)
        answer = index.search(query, 10)
        assert not answer.exact and found.present[answer.rows].all()
        hits += len(set(answer.rows) & set(brute(found, query, 10, None)))
    assert hits >= 0.97 * 1_000
    mask = RNG.random(N) < 0.5
    filtered = index.search(query, 10, mask)
    assert filtered.exact and mask[filtered.rows].all()
    newer = replace(found, description=replace(found.description, created="later"))
    assert Index(newer).approximate is None


def test_equal_vectors_are_no_misses(tmp_path: Path) -> None:
    """Products that share a picture: any of the equals is as good, so that few lists are enough."""
    found = make(tmp_path, n=N // 20, centres=100, absent=0)
    shared = np.repeat(np.asarray(found.vectors), 20, axis=0)
    np.save(tmp_path / "vectors.npy", shared)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    described = build_approximate(replace(found, vectors=mapped, present=np.ones(N, np.bool_)))
    assert described.recall_at_10 >= 0.99 and described.probes < described.lists / 4
