"""Measures of a distribution and of the difference between two: arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

PERMUTATIONS = 999
SMALL_EXPECTED = 5.0  # Cochran 1954: below it the chi-square approximation is not trusted
PERMUTED_CELLS = 4_000_000  # bound on (draws x rows x columns), so that 10,000 classes end in a second


def _counts(counts: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(counts, dtype=np.float64)
    if array.ndim != 1 or (array < 0).any():
        raise ValueError("counts are one-dimensional and not negative")
    return array[array > 0]


def imbalance(counts: ArrayLike) -> float | None:
    """Largest class over smallest class that occurs; None without any.

    Source: Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss".

    >>> imbalance([90, 30, 3])
    30.0
    """
    n = _counts(counts)
    return float(n.max() / n.min()) if n.size else None


def gini(counts: ArrayLike) -> float | None:
    """Gini coefficient: 0 where all classes are equal, near 1 where one holds all.

    With x sorted ascending, G = sum_i (2 i - K - 1) x_i / (K sum x), i = 1..K.

    Source: Gini 1912; the form is Dixon et al. 1987, "Bootstrapping the Gini coefficient".

    >>> gini([1, 1, 1]), round(gini([1, 3]), 3)
    (0.0, 0.25)
    """
    n = np.sort(_counts(counts))
    if not n.size:
        return None
    ranks = np.arange(1, n.size + 1)
    return float(((2 * ranks - n.size - 1) * n).sum() / (n.size * n.sum()))


def entropy(counts: ArrayLike) -> float | None:
    """Shannon entropy in nats, H = -sum p ln p. Source: Shannon 1948.

    >>> round(entropy([1, 1]), 4)
    0.6931
    """
    n = _counts(counts)
    if not n.size:
        return None
    p = n / n.sum()
    return float(-(p * np.log(p)).sum()) + 0.0


def effective_classes(counts: ArrayLike) -> float | None:
    """exp(H): how many equally large classes would be as diverse. Source: Hill 1973, order 1.

    >>> round(effective_classes([5, 5, 5]), 6)
    3.0
    """
    h = entropy(counts)
    return None if h is None else float(np.exp(h))


def total_variation(p: ArrayLike, q: ArrayLike) -> float | None:
    """Half the sum of |p - q| over shares: the part of one that must move to become the other, 0 to 1.

    Args:
        p, q: (K,) counts or shares of the same K values; None where either holds nothing.

    Source: Levin, Peres, Wilmer, "Markov Chains and Mixing Times", section 4.1.

    >>> total_variation([1, 1], [3, 1])
    0.25
    """
    a, b = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if a.sum() <= 0 or b.sum() <= 0:
        return None
    return float(0.5 * np.abs(a / a.sum() - b / b.sum()).sum())


def jensen_shannon(p: ArrayLike, q: ArrayLike) -> float | None:
    """Jensen-Shannon distance, the square root of the divergence, in nats: 0 to sqrt(ln 2) = 0.833.

    Source: Endres and Schindelin 2003; `scipy.spatial.distance.jensenshannon` with its default base.
    """
    from scipy.spatial.distance import jensenshannon

    a, b = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if a.sum() <= 0 or b.sum() <= 0:
        return None
    distance = float(jensenshannon(a, b))
    return 0.0 if np.isnan(distance) else distance  # equal distributions may round to a negative divergence


@dataclass(frozen=True)
class Association:
    """How two columns hang together."""

    chi2: float | None
    p_value: float | None
    degrees: int
    cramers_v: float | None
    smallest_expected: float | None
    permutation_p: float | None  # where a cell is expected fewer than five times
    permutations: int
    why: str = ""  # why there is no number


def association(table: ArrayLike, permutations: int = PERMUTATIONS, seed: int = 0) -> Association:
    """Chi-square test of independence, Cramér's V, and a permutation p where counts are small.

    chi2 = sum (O - E)^2 / E without Yates' correction; V = sqrt(chi2 / (n (min(R, C) - 1))). The
    permutation p draws tables with the same margins (Patefield 1981): p = (1 + #{chi2* >= chi2}) / (1 + B).

    Args:
        table: (R, C) counts; rows and columns of zeros are left out.
        permutations: tables drawn at most; fewer where the table is large.

    Source: Pearson 1900; Cramér 1946, chapter 21; Phipson and Smyth 2010 for the +1.
    """
    from scipy.stats import chi2_contingency

    observed = np.asarray(table, dtype=np.int64)
    observed = observed[observed.sum(axis=1) > 0][:, observed.sum(axis=0) > 0]
    if min(observed.shape, default=0) < 2:
        return Association(None, None, 0, None, None, None, 0, "one of the two has a single value")
    result = chi2_contingency(observed, correction=False)
    expected = result.expected_freq
    chi2 = float(result.statistic)
    n = int(observed.sum())
    v = float(np.sqrt(chi2 / (n * (min(observed.shape) - 1))))
    smallest = float(expected.min())
    draws = min(permutations, max(99, PERMUTED_CELLS // observed.size))
    permuted = None
    if smallest < SMALL_EXPECTED and draws:
        permuted = _permutation_p(observed, expected, chi2, draws, seed)
    return Association(
        chi2, float(result.pvalue), int(result.dof), min(v, 1.0), smallest, permuted, draws if permuted else 0
    )


def _permutation_p(
    observed: NDArray[np.int64], expected: NDArray[np.float64], chi2: float, draws: int, seed: int
) -> float:
    from scipy.stats import random_table

    margins = random_table(observed.sum(axis=1), observed.sum(axis=0))
    generator = np.random.default_rng(seed)
    at_least, left = 0, draws
    chunk = max(1, 2_000_000 // observed.size)  # tables held at once: 16 MB
    while left:
        size = min(chunk, left)
        drawn = margins.rvs(size=size, method="patefield", random_state=generator).reshape(
            size, *observed.shape
        )
        drawn_chi2 = ((drawn - expected) ** 2 / expected).sum(axis=(1, 2))
        at_least += int((drawn_chi2 >= chi2 * (1 - 1e-12)).sum())
        left -= size
    return (1 + at_least) / (1 + draws)


def against_the_rest(hits: ArrayLike, sizes: ArrayLike) -> NDArray[np.float64]:
    """p of each group's share of hits being that of all other groups together, one 2x2 table a group.

    Chi-square with one degree of freedom without Yates' correction; where a cell is expected fewer than five
    times the exact permutation p instead: the hypergeometric probability of all tables with as large a chi-square.

    Args:
        hits: (G,) of each group.
        sizes: (G,) of each group, hits included; at least one each.

    Returns:
        (G,) p values; 1 where everything or nothing is a hit.

    Source: Pearson 1900; Fisher 1935 for the small ones.
    """
    from scipy.stats import chi2 as chi2_law
    from scipy.stats import hypergeom

    m, n = np.asarray(hits, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    total, hit = n.sum(), m.sum()
    if not 0 < hit < total:
        return np.ones(n.size)
    expected = n * hit / total
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = expected * (1 - hit / total) * (1 - n / total)
        statistic = np.where(variance > 0, (m - expected) ** 2 / variance, 0.0)
    p = np.asarray(chi2_law.sf(statistic, 1))
    smallest = np.minimum.reduce([expected, n - expected, hit - expected, total - hit - (n - expected)])
    exact: dict[tuple[float, float], float] = {}  # thousands of small groups have few different counts
    for group in np.flatnonzero((smallest < SMALL_EXPECTED) & (variance > 0)):
        key = (m[group], n[group])
        if key not in exact:
            possible = np.arange(max(0, n[group] - (total - hit)), min(n[group], hit) + 1)
            far = np.abs(possible - expected[group]) >= abs(m[group] - expected[group]) - 1e-9
            exact[key] = min(1.0, float(hypergeom.pmf(possible[far], total, hit, n[group]).sum()))
        p[group] = exact[key]
    return p


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p (q) values of a family of tests; None stays None and is not counted.

    Source: Benjamini and Hochberg 1995; `statsmodels.stats.multitest.multipletests(method="fdr_bh")`.

    >>> [round(q, 3) for q in benjamini_hochberg([0.01, 0.04, 0.03])]
    [0.03, 0.04, 0.04]
    """
    from statsmodels.stats.multitest import multipletests

    known = [index for index, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    if known:
        q_values = multipletests([p_values[index] for index in known], method="fdr_bh")[1]
        for index, q in zip(known, q_values, strict=True):
            adjusted[index] = float(q)
    return adjusted


def wilson(successes: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95% interval of a share. Source: Wilson 1927.

    >>> tuple(round(bound, 3) for bound in wilson(5, 10))
    (0.237, 0.763)
    """
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return max(0.0, centre - half), min(1.0, centre + half)
