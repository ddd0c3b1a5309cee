"""Ranks of simulated models of known accuracy."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

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
