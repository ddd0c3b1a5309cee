"""Which of many models is better, and the ranks that this leaves possible.

All models are compared on the same products. Differences are bootstrapped over products, all pairs at once, and their p
values corrected for the number of comparisons; a rank is a range that counts only differences that were shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REPEATS = 1_000
AT_ONCE = 25_000_000  # numbers of a bootstrap held in memory


@dataclass(frozen=True)
class Ranks:
    """Comparisons of m models.

    Attributes:
        difference: (m, m) accuracy of the row's model minus the column's.
        p: (m, m) corrected for all pairs; 1 on the diagonal.
        first, last: (m,) the best and the worst possible rank, from 1.
    """

    difference: NDArray[np.float64]
    p: NDArray[np.float64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]


def ranks(
    hits: NDArray[np.floating],
    alpha: float = 0.05,
    repeats: int = REPEATS,
    seed: int = 0,
    extra: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> Ranks:
    """Ranges of ranks which, all at once, contain the true ranks with probability 1 - alpha or more.

    Args:
        hits: (m, n) each product's contribution to accuracy, in [0, 1].
        extra: what is added to the accuracies, with draws of its error: (m,) and (repeats, m); for label noise.

    Returns:
        See Ranks. Two models with the same predictions never differ.

    Source: paired bootstrap, Efron and Tibshirani 1993; step-down maximum of studentised differences, Romano and Wolf 2005
    (Econometrica 73, algorithm 4.1), which is less conservative than Holm's since it knows how the models agree; ranges
    from pairwise tests, Mogstad, Romano, Shaikh and Wilhelm 2024 (Review of Economic Studies 91).

    >>> found = ranks(np.repeat([[1.0, 0.9, 0.9], [0.2, 0.9, 0.1]], 50, axis=1))
    >>> found.first.tolist(), found.last.tolist()
    ([1, 2], [1, 2])
    """
    m, n = hits.shape
    if m < 2 or n < 2:
        return Ranks(np.zeros((m, m)), np.ones((m, m)), np.ones(m, np.int64), np.full(m, m, np.int64))
    drawn = bootstrap_means(hits, repeats, seed)
    means = np.asarray(hits, np.float64).mean(axis=1)
    if extra is not None:
        means, drawn = means + extra[0], drawn + extra[1]
    difference = means[:, None] - means[None, :]
    one, other = np.triu_indices(m, 1)
    centred = drawn - means
    error = _errors(centred, one, other)
    observed = np.abs(difference[one, other])
    t = np.divide(observed, error, out=np.zeros_like(observed), where=error > 0)
    p = np.ones((m, m))
    p[one, other] = p[other, one] = _step_down(centred, one, other, error, t)
    better = (p <= alpha) & (difference > 0)
    first = 1 + better.sum(axis=0)
    last = m - better.sum(axis=1)
    return Ranks(difference, p, first.astype(np.int64), last.astype(np.int64))


def bootstrap_means(hits: NDArray[np.floating], repeats: int = REPEATS, seed: int = 0) -> NDArray[np.float64]:
    """(repeats, m) accuracies of m models on products drawn with replacement, the same for all models."""
    m, n = hits.shape
    rng = np.random.default_rng(seed)
    given = np.ascontiguousarray(hits.T, np.float32)
    found = np.empty((repeats, m))
    at_once = max(1, AT_ONCE // n)
    for start in range(0, repeats, at_once):
        count = min(at_once, repeats - start)
        weights = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(count)])
        found[start : start + count] = weights.astype(np.float32) @ given / n
    return found


def _errors(
    centred: NDArray[np.float64], one: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(pairs,) standard error of each difference, from the draws."""
    covariance = centred.T @ centred / (len(centred) - 1)
    variance = covariance[one, one] + covariance[other, other] - 2 * covariance[one, other]
    found = np.sqrt(np.clip(variance, 0, None))
    return np.where(found > 1e-7, found, 0.0)  # below is the rounding of single precision


def _step_down(
    centred: NDArray[np.float64],
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    error: NDArray[np.float64],
    t: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(pairs,) corrected p values: the largest t first, each against the largest of what is left."""
    order = np.argsort(-t, kind="stable")
    exceeded = np.zeros(len(t), np.int64)
    scale = np.divide(1, error, out=np.zeros_like(error), where=error > 0)[order]
    for start in range(0, len(centred), max(1, AT_ONCE // 5 // len(t))):
        some = centred[start : start + max(1, AT_ONCE // 5 // len(t))]
        drawn = np.abs(some[:, one[order]] - some[:, other[order]]) * scale
        left = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
        exceeded += (left >= t[order]).sum(axis=0)
    raw = (exceeded + 1) / (len(centred) + 1)
    found = np.empty(len(t))
    found[order] = np.minimum(1.0, np.maximum.accumulate(raw))
    found[t == 0] = 1.0
    return found


def mcnemar_holm(correct: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(m, m) p values of McNemar's exact test of every pair, corrected by Holm's method.

    Args:
        correct: (m, n) whether each model got each product right.

    Source: McNemar 1947; Holm 1979.
    """
    from scipy.stats import binom

    m = len(correct)
    given = correct.astype(np.float32)
    both = given @ given.T
    alone = (np.diag(both)[:, None] - both).round().astype(np.int64)  # only the row's model
    one, other = np.triu_indices(m, 1)
    first, second = alone[one, other], alone[other, one]
    raw = np.minimum(1.0, 2 * binom.cdf(np.minimum(first, second), first + second, 0.5))
    found = np.ones((m, m))
    found[one, other] = found[other, one] = holm(raw)
    return found


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down correction of p values.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    if not len(p):
        return p
    order = np.argsort(p, kind="stable")
    raw = p[order] * np.arange(len(p), 0, -1)
    found = np.empty(len(p))
    found[order] = np.minimum(1.0, np.maximum.accumulate(raw))
    return found


def spoken(first: int, last: int) -> str:
    """A range of ranks.

    >>> spoken(2, 4), spoken(3, 3)
    ('2 to 4', '3')
    """
    return str(first) if first == last else f"{first} to {last}"
