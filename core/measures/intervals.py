"""Confidence intervals of proportions, and tests of the difference between two models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def wilson(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion.

    Args:
        hits: number of successes among `n` observations, 0 to n; need not be whole.

    Returns:
        Lower and upper bound, fractions in [0, 1]; (0, 1) without observations.

    Source: Wilson 1927; statsmodels' proportion_confint.
    """
    if n == 0:
        return 0.0, 1.0
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(hits, n, alpha=1 - confidence, method="wilson")
    return min(float(low), hits / n), max(
        float(high), hits / n
    )  # rounding must not exclude the proportion itself


def bootstrap(
    values: NDArray[np.floating], repeats: int = 1_000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap percentile interval of a mean over products.

    Args:
        values: (n,) one value per product.

    Returns:
        Lower and upper bound; NaN without products.
    """
    if not len(values):
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(repeats)]
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def paired_difference(
    only_first: int, only_second: int, n: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Confidence interval of the difference of two accuracies on the same products.

    Args:
        only_first, only_second: number of products that only one model got right.
        n: number of products.

    Returns:
        Lower and upper bound of first minus second, in [-1, 1]; (-1, 1) without products.

    Source: Bonett and Price 2012, "Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data", Journal of Educational and Behavioral Statistics 37.

    >>> [round(end, 4) for end in paired_difference(9, 1, 100)]
    [0.0136, 0.1432]
    """
    if n == 0:
        return -1.0, 1.0
    from statistics import NormalDist

    first, second = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    reach = z * float(np.sqrt((first + second - (first - second) ** 2) / (n + 2)))
    return max(-1.0, first - second - reach), min(1.0, first - second + reach)


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> dict[str, float]:
    """McNemar's exact test of two models on the same products.

    Args:
        first, second: (n,) whether each product was classified correctly; same products, same order.

    Returns:
        only_first, only_second (number of products that only one got right) and p (exact, two-sided).

    Raises:
        ValueError: the lengths differ.

    Source: McNemar 1947; statsmodels' exact test.

    >>> mcnemar(np.array([True, True, False]), np.array([True, False, False]))
    {'only_first': 1.0, 'only_second': 0.0, 'p': 1.0}
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} products cannot be compared")
    from statsmodels.stats.contingency_tables import mcnemar as test

    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    table = [
        [int((first & second).sum()), only_first],
        [only_second, int((~first & ~second).sum())],
    ]
    return {
        "only_first": float(only_first),
        "only_second": float(only_second),
        "p": float(test(table, exact=True).pvalue),
    }
