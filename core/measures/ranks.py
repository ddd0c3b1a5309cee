"""Figures of retrieval from ranks, and whether two models differ on the same queries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FLIPS = 9_999  # of a sign-flip test
SIGNS_AT_ONCE = 20_000_000  # drawn and held in memory


def own_ranks(similarity: NDArray[np.floating], own: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rank of each query's own gallery item, 1 being the nearest; ties count against it.

    Args:
        similarity: (q, g) higher is nearer.
        own: (q,) column of the own item.

    Raises:
        ValueError: the shapes differ, or a similarity is no number.

    >>> own_ranks(np.array([[0.9, 0.1, 0.9], [0.2, 0.8, 0.1]]), np.array([0, 1])).tolist()
    [2, 1]
    """
    if similarity.ndim != 2 or own.shape != similarity.shape[:1]:
        raise ValueError(f"similarity is {similarity.shape} but own is {own.shape}")
    if not np.isfinite(similarity).all():
        raise ValueError("a similarity is not a number")
    mine = np.take_along_axis(similarity, own[:, None], axis=1)
    return np.asarray((similarity >= mine).sum(axis=1), np.int64)


def rank_figures(ranks: NDArray[np.int64], ks: tuple[int, ...] = (1, 5, 10)) -> dict[str, float]:
    """Rank@K and mAP of queries with one right item each.

    Args:
        ranks: (...) 1 or more, any shape.

    Returns:
        `rank1` and so on, the share of ranks <= K; `map`, the mean of 1 / rank, which average precision is where one
        item is right. Fractions in [0, 1].

    >>> rank_figures(np.array([1, 2, 8]))
    {'rank1': 0.3333333333333333, 'rank5': 0.6666666666666666, 'rank10': 1.0, 'map': 0.5416666666666666}
    """
    found = {f"rank{k}": float((ranks <= k).mean()) for k in ks}
    return found | {"map": float((1 / ranks).mean())}


def sign_flip(differences: NDArray[np.floating], seed: int = 0, flips: int = FLIPS) -> float:
    """Two-sided p of paired differences: how often random signs give a mean as far from 0.

    Args:
        differences: (n,) first minus second on the same query or trial.

    Returns:
        In (0, 1]; 1 where nothing differs.

    Source: Fisher 1935, The Design of Experiments; the estimate (b + 1) / (m + 1) of Phipson and Smyth 2010.

    >>> sign_flip(np.full(20, 0.1)) < 0.001, sign_flip(np.array([0.1, -0.1]))
    (True, 1.0)
    """
    told = differences[differences != 0]
    if not len(told):
        return 1.0
    rng, seen = np.random.default_rng(seed), 0
    far = abs(float(told.sum())) * (1 - 1e-12)  # sums of one set of numbers in other orders are equal
    for start in range(0, flips, max(1, SIGNS_AT_ONCE // len(told))):
        n = min(flips - start, max(1, SIGNS_AT_ONCE // len(told)))
        signs = rng.integers(0, 2, (n, len(told)), np.int8) * 2 - 1
        seen += int(np.count_nonzero(np.abs(signs @ told) >= far))
    return (seen + 1) / (flips + 1)
