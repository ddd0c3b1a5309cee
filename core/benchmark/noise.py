"""Accuracy corrected for wrong labels, by an audit of some of the same products.

The correction assumes nothing of how labels or models err: on the audited products a hit is counted against the right class
too, and the mean of what this changes is added. It assumes that they are a random sample, drawn with known probabilities,
and that the reviewers are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.audit.estimates import reviewed
from core.audit.records import Audit
from core.benchmark.truth import Truth

FEWEST = 50  # audited products; with fewer no interval is given
REPEATS = 1_000


@dataclass(frozen=True)
class Audited:
    """Audited products of a task.

    Attributes:
        position: (k,) in the task.
        weight: (k,) products that each stands for, up to a factor.
        hits: (m, k) whether each model's prediction is the right class.
    """

    position: NDArray[np.int64]
    weight: NDArray[np.float64]
    hits: NDArray[np.float64]


@dataclass(frozen=True)
class Corrected:
    """Accuracies against right labels, m models.

    Attributes:
        value, low, high: (m,) with a 95% interval.
        change: (m,) what was added to the accuracy against the given labels.
        drawn: (repeats, m) the error of `change`, for ranks.
        audited: number of products.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    change: NDArray[np.float64]
    drawn: NDArray[np.float64]
    audited: int


def corrected(observed: NDArray[np.floating], audited: Audited, seed: int = 0) -> Corrected:
    """Accuracies against the right labels.

    Args:
        observed: (m, n) each product's contribution to accuracy against the given labels.

    Source: the difference estimator of survey sampling (Sarndal, Swensson and Wretman 1992, section 6.3), which Angelopoulos
    et al. 2023 (Science 382) call prediction-powered inference; its variance by linearisation.

    >>> hits = np.ones((1, 400)); sample = Audited(np.arange(100), np.ones(100), (np.arange(100) >= 10)[None].astype(float))
    >>> found = corrected(hits, sample)
    >>> [round(float(each[0]), 2) for each in (found.value, found.low, found.high)]
    [0.9, 0.84, 0.96]
    """
    given = np.asarray(observed, np.float64)
    n = given.shape[1]
    share = audited.weight / audited.weight.sum()
    gap = audited.hits - given[:, audited.position]
    change = gap @ share
    residual = (gap - change[:, None]) * share
    k = len(share)
    of_change = residual @ residual.T * k / (k - 1) if k > 1 else np.zeros((len(gap), len(gap)))
    means = given.mean(axis=1)
    spread = np.sqrt(np.diag(of_change) + given.var(axis=1) / n)
    value = means + change
    drawn = np.random.default_rng(seed + 1).multivariate_normal(
        np.zeros(len(gap)), of_change, REPEATS, method="svd", check_valid="ignore"
    )
    reach = 1.959964 * spread
    return Corrected(value, np.clip(value - reach, 0, 1), np.clip(value + reach, 0, 1), change, drawn, k)


def audited_products(truth: Truth, audit: Audit, tables: Sequence[pd.DataFrame]) -> Audited | None:
    """The audited products of a task, with each submission's hits against what the reviewers say is right.

    Products whose right class nobody named count as an error of every model where the label is wrong, and as their label says where it is
    ambiguous; "cannot tell" is left out.

    Returns:
        None where the audit is of another import, a queue (no random sample), or has fewer than FEWEST answers here.
    """
    if audit.plan.fingerprint != truth.info.fingerprint or audit.plan.queue:
        return None
    place = {int(row): at for at, row in enumerate(truth.frame.row_id)}
    found = [one for one in reviewed(audit) if one.item.row_id in place and one.verdict != "unsure"]
    if len(found) < FEWEST:
        return None
    strata = audit.plan.strata
    answered = np.bincount(
        [one.item.stratum or 0 for one in reviewed(audit) if one.verdict != "unsure"], minlength=len(strata)
    )
    position = np.array([place[one.item.row_id] for one in found])
    weight = np.array([strata[one.item.stratum or 0].size / answered[one.item.stratum or 0] for one in found])
    right = np.array([_right(one.verdict, one.label, one.item.label) for one in found], object)
    rows = truth.frame.row_id.to_numpy()[position]
    hits = [
        (table.set_index("row_id").prediction.astype(object).reindex(rows).to_numpy() == right).astype(float)
        for table in tables
    ]
    return Audited(position, weight, np.array(hits))


def _right(verdict: str, label: str | None, given: str) -> str:
    """The class that a prediction has to be; a text that is none where the reviewers name none."""
    if verdict == "wrong":
        return label or "\0"
    return label or given
