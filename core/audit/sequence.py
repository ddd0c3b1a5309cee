"""A confidence sequence: an interval that holds at every moment at once, so that one may look after every answer and stop.

For each stratum, the ratio of what a mixture of all possible accuracies predicted of the answers so far to what the true
accuracy predicts is a martingale that begins at 1: drawn without replacement, in random order. So is their product over
strata, whatever the order in which strata are answered; by Ville's inequality it reaches 1 / alpha with a probability of
at most alpha, ever. The interval is all accuracies of the whole for which it has not.

Source: Waudby-Smith and Ramdas 2020, "Confidence sequences for sampling without replacement" (the prior-posterior ratio
with a beta-binomial prior), here as a product over strata.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

GRID = 2_001  # accuracies of a stratum that are tried
STEPS = 60


def sequence(
    sizes: ArrayLike, counts: ArrayLike, hits: ArrayLike, alpha: float = 0.05
) -> tuple[float, float]:
    """Both ends for the share of hits in the whole frame.

    Args:
        sizes, counts, hits: (s,) of each stratum its products, those answered so far, and those that are hits.

    Returns:
        Fractions in [0, 1].

    >>> [round(end, 3) for end in sequence([1000], [100], [90])]
    [0.797, 0.955]
    """
    size, n, k = (np.asarray(part, float).reshape(-1) for part in (sizes, counts, hits))
    weight = size / size.sum()
    accuracies, ratios = zip(*(_ratio(*one) for one in zip(size, n, k, strict=True)), strict=True)
    bound = -float(np.log(alpha))
    low = _least([w * p for w, p in zip(weight, accuracies, strict=True)], list(ratios), bound)
    high = -_least([-w * p for w, p in zip(weight, accuracies, strict=True)], list(ratios), bound)
    return max(0.0, low), min(1.0, high)


def _ratio(size: float, n: float, k: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """(g,) accuracies that are possible after k hits of n answers, and (g,) the logarithm of the ratio at each."""
    from scipy.special import betaln, gammaln

    least, most = k, size - (n - k)
    hits = np.unique(
        np.concatenate((np.linspace(least, most, min(GRID, int(most - least) + 1)), [least, most]))
    )
    predicted = betaln(1 + k, 1 + n - k)  # by the mixture, uniform over accuracies
    said = (
        gammaln(hits + 1) - gammaln(hits - k + 1)
        + gammaln(size - hits + 1) - gammaln(size - hits - (n - k) + 1)
        - gammaln(size + 1) + gammaln(size - n + 1)
    )  # fmt: skip
    return hits / size, predicted - said


def _least(values: list[NDArray[Any]], ratios: list[NDArray[Any]], bound: float) -> float:
    """The least sum of one value a stratum whose ratios' logarithms add up to at most `bound`.

    By its dual: for every multiplier >= 0 the minimum of the Lagrangian is a lower bound, so that what is returned is
    never too high; the largest such bound is found by sections, since the dual is concave.
    """

    def dual(logarithm: float) -> float:
        multiplier = float(np.exp(logarithm))
        return float(
            sum((v + multiplier * r).min() for v, r in zip(values, ratios, strict=True)) - multiplier * bound
        )

    low, high = -25.0, 5.0
    golden = (np.sqrt(5) - 1) / 2
    a, b = high - golden * (high - low), low + golden * (high - low)
    at_a, at_b = dual(a), dual(b)
    for _ in range(STEPS):
        if at_a > at_b:
            high, b, at_b = b, a, at_a
            a = high - golden * (high - low)
            at_a = dual(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + golden * (high - low)
            at_b = dual(b)
    return max(at_a, at_b, float(sum(v.min() for v in values)))
