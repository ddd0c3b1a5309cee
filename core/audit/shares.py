"""A share and its intervals from a stratified random sample, of everything or of a part that cuts across the strata.

A part is estimated by the ratio of two Horvitz-Thompson totals (Hajek), its variance by linearisation; where a part is made
of whole strata, that is the stratified estimate of the textbooks. Both intervals are those of a simple random sample that
would be as sure: Korn and Graubard 1998, "Confidence intervals for proportions with small expected number of positive
counts estimated from survey data"; Cochran 1977, chapters 5 and 11.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from core.audit.sequence import sequence
from core.measures.intervals import wilson


@dataclass(frozen=True)
class Share:
    """An estimated share with 95% intervals."""

    estimate: float | None  # None without an answer
    low: float  # Wilson's interval
    high: float
    exact_low: float  # Clopper and Pearson's: covers at least as often as it says
    exact_high: float
    anytime_low: (
        float | None
    )  # of a confidence sequence: holds however often one looks; None for parts of strata
    anytime_high: float | None
    n: int  # products with an answer
    hits: int
    effective: float  # products of a simple random sample that would be as sure

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def share(
    sizes: ArrayLike,
    answered: ArrayLike,
    counts: ArrayLike | None,
    hits: ArrayLike,
    confidence: float = 0.95,
) -> Share:
    """The share of hits in these strata, or in the part of them that `counts` describes.

    Args:
        sizes: (s,) products of the frame in each stratum.
        answered: (s,) products of the sample that were answered, a random subset of their stratum.
        counts: (s,) of those, how many are of the part; None where it is made of whole strata: give only those.
        hits: (s,) of those, how many are hits.

    Raises:
        ValueError: the counts contradict each other.

    >>> found = share([1000], [100], None, [90])
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 3)
    (0.9, 0.828, 0.944)
    """
    size, m, k = (np.asarray(part, float).reshape(-1) for part in (sizes, answered, hits))
    d = m if counts is None else np.asarray(counts, float).reshape(-1)
    if not (len(size) == len(m) == len(d) == len(k)) or (k > d).any() or (d > m).any() or (m > size).any():
        raise ValueError("hits, counts, answers and sizes contradict each other")
    n = int(d.sum())
    if not n:
        ends = (0.0, 1.0) if counts is None else (None, None)
        return Share(None, 0.0, 1.0, 0.0, 1.0, ends[0], ends[1], 0, 0, 0.0)
    known = m > 0
    weight = np.divide(size, m, out=np.zeros_like(size), where=known)
    total = float((weight * d).sum())
    estimate = float((weight * k).sum()) / total
    effective = _effective(size, m, d, k, weight, confidence)
    low, high = _wilson(estimate, effective, confidence)
    exact_low, exact_high = _clopper_pearson(estimate, effective, confidence)
    covered = 1.0
    if counts is None and not known.all():  # a stratum without an answer could be all or nothing
        covered = float(size[known].sum() / size.sum())
    low, high, exact_low, exact_high = (
        end * covered + rest * (1 - covered)
        for end, rest in ((low, 0), (high, 1), (exact_low, 0), (exact_high, 1))
    )
    later: tuple[float | None, float | None] = (None, None)
    if counts is None:
        later = sequence(size, m, k, 1 - confidence)
    return Share(estimate, low, high, exact_low, exact_high, *later, n, int(k.sum()), effective)


def _effective(
    size: np.ndarray[Any, Any],
    m: np.ndarray[Any, Any],
    d: np.ndarray[Any, Any],
    k: np.ndarray[Any, Any],
    weight: np.ndarray[Any, Any],
    confidence: float,
) -> float:
    """Products of a simple random sample that would be as sure; infinite for a complete count.

    The variance is that of the linearised ratio, from counts: within a stratum a hit of the part counts weight (1 - p), a
    miss -weight p, and what is not of the part 0. A few equal answers do not make a stratum certain: two answers as of the
    whole sample are added to each (half a hit and half a miss to the whole). Half a hit added to each, whatever the others
    say, makes intervals of many small strata too wide (docs/development/LOG.md).
    """
    from scipy.stats import t

    total, n = float((weight * d).sum()), float(d.sum())
    overall = (n * float((weight * k).sum()) / total + 0.5) / (n + 1)
    careful = d * (k + 2 * overall) / (d + 2)
    p = float((weight * careful).sum()) / total
    square = careful * (1 - p) ** 2 + (d - careful) * p**2
    mean = np.divide(careful * (1 - p) - (d - careful) * p, m, out=np.zeros_like(m), where=m > 0)
    left = 1 - np.divide(m, size, out=np.ones_like(m), where=size > 0)
    variance = float((left * (weight / total) ** 2 * (square - m * mean**2)).sum())
    if variance <= 0:
        return float("inf")
    found = p * (1 - p) / variance
    strata = int((d > 0).sum())
    freedom = max(1.0, n - strata)
    if strata > 1:
        ends = (1 + confidence) / 2
        found *= float(t.ppf(ends, max(1.0, n - 1)) / t.ppf(ends, freedom)) ** 2
    return found


def _wilson(estimate: float, effective: float, confidence: float) -> tuple[float, float]:
    if np.isinf(effective):
        return estimate, estimate
    return wilson(estimate * effective, effective, confidence)


def _clopper_pearson(estimate: float, effective: float, confidence: float) -> tuple[float, float]:
    """Source: Clopper and Pearson 1934; with a fraction of hits: Korn and Graubard 1998."""
    from scipy.stats import beta

    if np.isinf(effective):
        return estimate, estimate
    hits, misses, tail = estimate * effective, (1 - estimate) * effective, (1 - confidence) / 2
    low = 0.0 if hits < 1e-9 else float(beta.ppf(tail, hits, misses + 1))
    high = 1.0 if misses < 1e-9 else float(beta.ppf(1 - tail, hits + 1, misses))
    return low, high


def difference(first: Share, second: Share) -> dict[str, float] | None:
    """First minus second with a 95% interval, from the intervals of both, which must be of different products.

    Source: Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10; for
    weighted shares: Zou and Donner 2008 (MOVER).
    """
    if first.estimate is None or second.estimate is None:
        return None
    a, b = first.estimate, second.estimate
    low = a - b - float(np.hypot(a - first.low, second.high - b))
    high = a - b + float(np.hypot(first.high - a, b - second.low))
    return {"estimate": a - b, "low": max(-1.0, low), "high": min(1.0, high)}
