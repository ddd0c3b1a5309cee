"""Measures against SciPy and statsmodels, and against what they are defined to be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, fisher_exact
from scipy.stats.contingency import association as scipy_association
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from core.statistics import fits, measures, words


def test_association_is_scipys() -> None:
    table = np.array([[120, 90, 40], [60, 80, 95], [33, 20, 60]])
    found = measures.association(table)
    assert found.chi2 == pytest.approx(chi2_contingency(table, correction=False).statistic)
    assert found.p_value == pytest.approx(chi2_contingency(table, correction=False).pvalue)
    assert found.cramers_v == pytest.approx(scipy_association(table, method="cramer"))
    assert found.permutation_p is None  # no cell is expected fewer than five times


def test_small_counts_get_a_permutation_p_near_the_exact_one() -> None:
    table = [[7, 1], [2, 6]]
    found = measures.association(table, permutations=9_999)
    assert found.smallest_expected < 5
    assert found.permutation_p == pytest.approx(fisher_exact(table).pvalue, abs=0.02)
    assert measures.association(table) == measures.association(table)  # the same draw each time


def test_an_association_of_one_value_is_none() -> None:
    for table in ([[5, 3]], [[5], [3]], [[0, 0], [4, 5]], np.zeros((0, 0))):
        found = measures.association(table)
        assert found.chi2 is None and found.why


def test_each_group_against_the_rest() -> None:
    hits, sizes = np.array([40, 3, 0, 300]), np.array([100, 6, 4, 1_000])
    found = measures.against_the_rest(hits, sizes)
    for group, p in enumerate(found):
        table = [[hits[group], sizes[group] - hits[group]],
                 [hits.sum() - hits[group], (sizes - hits).sum() - (sizes - hits)[group]]]  # fmt: skip
        if chi2_contingency(table).expected_freq.min() >= 5:
            assert p == pytest.approx(chi2_contingency(table, correction=False).pvalue)
        else:
            assert p == pytest.approx(
                fisher_exact(table).pvalue, rel=0.35
            )  # its order is by chi-square, not by chance
    assert (measures.against_the_rest([0, 0], [5, 9]) == 1).all()


def test_distances_are_scipys() -> None:
    p, q = np.array([10, 20, 70, 0]), np.array([4, 4, 1, 1])
    assert measures.jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q))
    assert measures.total_variation(p, q) == pytest.approx(0.5 * np.abs(p / 100 - q / 10).sum())
    assert measures.jensen_shannon(p, p * 3) == pytest.approx(0, abs=1e-7)
    assert measures.total_variation([1, 0], [0, 1]) == 1
    assert (
        measures.total_variation([0, 0], [1, 2]) is None and measures.jensen_shannon([0, 0], [1, 2]) is None
    )


def test_adjusted_p_values_are_statsmodels() -> None:
    p = [0.001, 0.03, 0.5, 0.02]
    assert measures.benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1].tolist())
    assert measures.benjamini_hochberg([None, 0.03, None]) == [None, pytest.approx(0.03), None]
    assert measures.benjamini_hochberg([]) == []


def test_wilson_is_statsmodels() -> None:
    for k, n in ((0, 10), (3, 10), (10, 10), (400, 1_000)):
        assert measures.wilson(k, n) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-6)
    assert measures.wilson(0, 0) == (0, 1)


def test_inequality_of_nothing_is_none() -> None:
    for measure in (measures.gini, measures.entropy, measures.effective_classes, measures.imbalance):
        assert measure([]) is None
        assert measure([0, 0]) is None
    with pytest.raises(ValueError, match="not negative"):
        measures.gini([-1, 2])


@pytest.mark.parametrize(
    ("shape", "weight"),
    [
        ("exponential", lambda r: np.exp(-r / 12)),
        ("power law", lambda r: r**-1.3),
        ("log-normal", lambda r: np.exp(-((np.log(r) - 0.5) ** 2) / (2 * 1.3**2)) / r),
        ("stretched exponential", lambda r: np.exp(-((r / 4.0) ** 0.45))),
    ],
)
def test_the_shape_that_drew_the_counts_fits_best(shape: str, weight) -> None:
    ranks = np.arange(1, 121)
    p = weight(ranks.astype(float))
    counts = np.random.default_rng(1).multinomial(400_000, p / p.sum())
    found = fits.fit(counts)
    # A shape that holds the true one as a special case may tie with it within the two AIC of its parameter.
    true = next(entry for entry in found if entry.shape == shape)
    assert true.delta_aic <= 4, [(entry.shape, entry.delta_aic) for entry in found]
    assert sum(entry.weight for entry in found) == pytest.approx(1)
    if shape == "exponential":
        assert true.parameters["scale"] == pytest.approx(12, rel=0.02)
    if shape == "power law":
        assert true.parameters["exponent"] == pytest.approx(1.3, rel=0.02)


def test_three_classes_are_too_few_to_fit() -> None:
    assert fits.fit([5, 3, 1]) == [] and fits.fit([]) == []


def test_log_odds_by_hand() -> None:
    group, everything = np.array([30.0, 5.0, 0.0]), np.array([40.0, 50.0, 10.0])
    found = words.log_odds(group, everything, prior=10)
    a = 10 * everything / 100
    y, rest = group, everything - group
    odds = np.log((y + a) / (35 + 10 - y - a)) - np.log((rest + a) / (65 + 10 - rest - a))
    assert found == pytest.approx(odds / np.sqrt(1 / (y + a) + 1 / (rest + a)))
    assert found[0] > 1.96 > 0 > found[1] and found[2] < 0
    with pytest.raises(ValueError, match="between 0"):
        words.log_odds([3], [2])
