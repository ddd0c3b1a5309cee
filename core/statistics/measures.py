"""Measures of a distribution and of the difference between two: arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

PERMUTATIONS = 999  # the smallest p-value is 1 / 1,000
PERMUTED_CELLS = 20_000_000  # bound on (draws x rows x columns): one second for 10,000 classes in two splits


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
    """Gini coefficient: 0 if all classes are equal, near 1 if one has all products.

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
    """exp(H), the effective number of classes. Source: Hill 1973, order 1.

    >>> round(effective_classes([5, 5, 5]), 6)
    3.0
    """
    h = entropy(counts)
    return None if h is None else float(np.exp(h))


def total_variation(p: ArrayLike, q: ArrayLike) -> float | None:
    """Total variation distance of two distributions: half the sum of |p - q|, from 0 to 1.

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
    """The association of two columns, and its distribution under independence."""

    chi2: float | None = None
    degrees: int = 0
    cramers_v: float | None = None
    cramers_v_by_chance: float | None = None  # the mean over permutations
    cramers_v_corrected: float | None = None  # Bergsma's: 0 on average under independence
    smallest_expected: float | None = None
    p_value: float | None = None  # permutation test of chi-square
    permutations: int = 0
    asymptotic_p: float | None = None  # Pearson's, for comparison with other programs; not corrected
    total_variation_by_chance: float | None = None  # mean over permutations, for two columns
    total_variation_p: float | None = None
    why: str = ""  # reason for missing values


def draws_for(cells: int, permutations: int = PERMUTATIONS) -> int:
    """The number of permutations for a table size: reduced for large tables."""
    return min(permutations, max(99, PERMUTED_CELLS // max(1, cells)))


def association(table: ArrayLike, permutations: int | None = None, seed: int = 0) -> Association:
    """Pearson's chi-square, Cramér's V, and both under permutation of one column among the products.

    chi2 = sum (O - E)^2 / E without Yates' correction; V = sqrt(chi2 / (n (min(R, C) - 1))). V is never negative, so
    that it is above 0 by chance alone: the more, the more cells and the fewer products there are. Bergsma's correction
    takes that out: with f = chi2 / n, f+ = max(0, f - (R - 1)(C - 1) / (n - 1)) and K~ = K - (K - 1)^2 / (n - 1),
    V~ = sqrt(f+ / min(R~ - 1, C~ - 1)). Permutations are random tables with the same margins (Patefield 1981), used for all
    counts, so that all p-values of a family are comparable: p = (1 + #{chi2* >= chi2}) / (1 + B).

    Args:
        table: (R, C) counts; empty rows and columns are dropped.
        permutations: number of random tables; default: `draws_for` its size.

    Source: Pearson 1900; Cramér 1946, chapter 21; Bergsma 2013, "A bias-correction for Cramér's V and Tschuprow's T";
    Phipson and Smyth 2010 for the +1.
    """
    from scipy.stats import chi2_contingency

    observed = np.asarray(table, dtype=np.int64)
    observed = observed[observed.sum(axis=1) > 0][:, observed.sum(axis=0) > 0]
    if min(observed.shape, default=0) < 2:
        return Association(why="one of the two columns has a single value")
    result = chi2_contingency(observed, correction=False)
    chi2, n = float(result.statistic), int(observed.sum())
    scale = n * (min(observed.shape) - 1)
    draws = draws_for(observed.size) if permutations is None else permutations
    drawn_chi2, drawn_tv = _permuted(observed, result.expected_freq, draws, seed)
    found: dict[str, Any] = {}
    if draws:
        found["p_value"] = _share_as_far(drawn_chi2, chi2)
        found["cramers_v_by_chance"] = float(np.sqrt(drawn_chi2 / scale).mean())
    if draws and observed.shape[1] == 2:
        shift = total_variation(observed[:, 0], observed[:, 1])
        found["total_variation_by_chance"] = float(drawn_tv.mean())
        found["total_variation_p"] = None if shift is None else _share_as_far(drawn_tv, shift)
    return Association(
        chi2=chi2,
        degrees=int(result.dof),
        cramers_v=min(float(np.sqrt(chi2 / scale)), 1.0),
        cramers_v_corrected=corrected_v(chi2, n, *observed.shape),
        smallest_expected=float(result.expected_freq.min()),
        permutations=draws,
        asymptotic_p=float(result.pvalue),
        **found,
    )


def corrected_v(chi2: float, n: int, rows: int, columns: int) -> float | None:
    """Cramér's V with Bergsma's correction; None if there are too few products.

    >>> corrected_v(4.0, 101, 5, 2), round(corrected_v(101.0, 101, 2, 2), 3)
    (0.0, 1.0)
    """
    if n < 2:
        return None
    left = max(0.0, chi2 / n - (rows - 1) * (columns - 1) / (n - 1))
    values = min(k - (k - 1) ** 2 / (n - 1) for k in (rows, columns))
    return min(1.0, float(np.sqrt(left / (values - 1)))) if values > 1 else None


def _share_as_far(drawn: NDArray[np.float64], observed: float) -> float:
    """(1 + number of at least as extreme values) / (1 + number of values), with a tolerance for rounding."""
    return float((1 + int((drawn >= observed * (1 - 1e-12)).sum())) / (1 + len(drawn)))


def _permuted(
    observed: NDArray[np.int64], expected: NDArray[np.float64], draws: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(draws,) chi-square, and total variation between the first two columns, of tables with the same margins."""
    from scipy.stats import random_table

    chi2, shift = np.zeros(draws), np.zeros(draws)
    if not draws:
        return chi2, shift
    margins = random_table(observed.sum(axis=1), observed.sum(axis=0))
    generator = np.random.default_rng(seed)
    columns = observed.sum(axis=0)
    chunk = max(1, 2_000_000 // observed.size)  # tables in memory at once: 16 MB
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        drawn = margins.rvs(size=size, method="patefield", random_state=generator).reshape(
            size, *observed.shape
        )
        chi2[start : start + size] = ((drawn - expected) ** 2 / expected).sum(axis=(1, 2))
        shares = drawn[:, :, :2] / columns[:2]
        shift[start : start + size] = 0.5 * np.abs(shares[:, :, 0] - shares[:, :, 1]).sum(axis=1)
    return chi2, shift


def against_the_rest(hits: ArrayLike, sizes: ArrayLike) -> NDArray[np.float64]:
    """Exact test of each group's rate against all other groups together: one 2x2 table per group.

    Exact for all, small and large: the hypergeometric probability of all tables as far from the expected one, which are
    those with as large a chi-square.

    Args:
        hits: (G,) of each group.
        sizes: (G,) of each group, hits included; at least one each.

    Returns:
        (G,) p values; 1 where everything or nothing is a hit.

    Source: Fisher 1935; the order of the tables is Pearson's.
    """
    from scipy.stats import hypergeom

    m, n = np.asarray(hits, dtype=np.int64), np.asarray(sizes, dtype=np.int64)
    total, hit = int(n.sum()), int(m.sum())
    if not 0 < hit < total:
        return np.ones(n.size)
    pairs, place = np.unique(
        np.stack([m, n]), axis=1, return_inverse=True
    )  # thousands of groups, few different tables
    expected = pairs[1] * (hit / total)
    far = np.abs(pairs[0] - expected)
    low, high = np.floor(expected - far + 1e-9), np.ceil(expected + far - 1e-9)
    with np.errstate(over="ignore", under="ignore"):
        p = hypergeom.cdf(low, total, hit, pairs[1]) + hypergeom.sf(high - 1, total, hit, pairs[1])
    p = np.where(low >= high, 1.0, np.clip(p, 0.0, 1.0))
    return np.asarray(p[place.reshape(-1)])


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values (q) of a family of tests; None and NaN give None and are not counted.

    Source: Benjamini and Hochberg 1995; `statsmodels.stats.multitest.multipletests(method="fdr_bh")`.

    >>> [round(q, 3) for q in benjamini_hochberg([0.01, 0.04, 0.03])]
    [0.03, 0.04, 0.04]
    """
    from statsmodels.stats.multitest import multipletests

    known = [index for index, p in enumerate(p_values) if p is not None and p == p]
    adjusted: list[float | None] = [None] * len(p_values)
    if known:
        q_values = multipletests([p_values[index] for index in known], method="fdr_bh")[1]
        for index, q in zip(known, q_values, strict=True):
            adjusted[index] = float(q)
    return adjusted


def wilson(successes: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """95% Wilson interval of a proportion. Source: Wilson 1927.

    >>> tuple(round(bound, 3) for bound in wilson(5, 10))
    (0.237, 0.763)
    """
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return max(0.0, centre - half), min(1.0, centre + half)
