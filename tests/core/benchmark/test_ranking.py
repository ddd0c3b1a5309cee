"""Ranks of simulated models of known accuracy."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from benchmarks.leaderboard import noisy, simulated
from core.benchmark.noise import Audited, corrected
from core.benchmark.ranking import bootstrap_means, mcnemar_holm, ranks
from core.measures.intervals import mcnemar as one_test


def test_identical_models_never_differ_and_clear_ones_do() -> None:
    rng = np.random.default_rng(0)
    good, bad = rng.random(400) < 0.9, rng.random(400) < 0.5
    found = ranks(np.array([good, good, bad], np.float32))
    assert found.first.tolist() == [1, 1, 3] and found.last.tolist() == [2, 2, 3]
    assert found.p[0, 1] == 1 and found.p[0, 2] < 0.01


def test_mcnemar_and_holm_are_statsmodels() -> None:
    rng = np.random.default_rng(1)
    right = rng.random((4, 120)) < np.array([[0.6], [0.65], [0.7], [0.9]])
    one, other = np.triu_indices(4, 1)
    raw = [one_test(right[i], right[j])["p"] for i, j in zip(one, other, strict=True)]
    assert mcnemar([[0, 3], [9, 0]], exact=True).pvalue == pytest.approx(0.1460, abs=1e-4)
    assert mcnemar_holm(right)[one, other] == pytest.approx(multipletests(raw, method="holm")[1])


def test_the_bootstrap_has_the_spread_of_theory() -> None:
    hits = (np.random.default_rng(2).random((2, 900)) < 0.8).astype(np.float32)
    drawn = bootstrap_means(hits, 2_000)
    assert drawn.mean(axis=0) == pytest.approx(hits.mean(axis=1), abs=0.002)
    assert drawn.std(axis=0) == pytest.approx(np.sqrt(0.16 / 900), rel=0.1)


def test_ranges_hold_for_models_of_known_accuracy_and_corrected_accuracies_for_wrong_labels() -> None:
    """A short run of `python -m benchmarks.leaderboard coverage`, whose figures are in docs/development/results.md."""
    truth = np.array([0.85, 0.7, 0.7, 0.7, 0.5])
    first, last = np.array([1, 2, 2, 2, 5]), np.array([1, 4, 4, 4, 5])
    inside = clean = naive = 0
    for draw in range(60):
        rng = np.random.default_rng(draw)
        found = ranks(simulated(rng, truth, 400), repeats=400, seed=draw)
        inside += bool(((found.first <= first) & (found.last >= last)).all())
        right, observed = noisy(rng, 0.75, 0.12, 2_000)
        at = rng.choice(2_000, 200, replace=False)
        accuracy = corrected(observed[None], Audited(at, np.ones(200), right[None][:, at]))
        clean += accuracy.low[0] <= 0.75 <= accuracy.high[0]
        naive += abs(observed.mean() - 0.75) < 1.96 * np.sqrt(0.19 / 2_000)
    assert inside >= 52 and clean >= 52 and naive <= 6
