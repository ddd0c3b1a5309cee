"""Measures against SciPy and statsmodels, and against what they are defined to be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, fisher_exact, hypergeom
from scipy.stats.contingency import association as scipy_association
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from core.statistics import fits, measures, words


def test_association_is_scipys() -> None:
    table = np.array([[120, 90, 40], [60, 80, 95], [33, 20, 60]])
    found = measures.association(table)
    assert found.chi2 == pytest.approx(chi2_contingency(table, correction=False).statistic)
    assert found.asymptotic_p == pytest.approx(chi2_contingency(table, correction=False).pvalue)
    assert found.cramers_v == pytest.approx(scipy_association(table, method="cramer"))
    assert found.p_value == 1 / 1_000  # of permutations too, though no cell is expected fewer than five times


def test_what_chance_makes_of_a_table_is_the_exact_expectation() -> None:
    """Under permutation each count is hypergeometric, E chi2 is (R - 1)(C - 1) n / (n - 1), and p is uniform."""
    rng = np.random.default_rng(5)
    rows, sizes = np.array([90, 40, 20, 7, 3]), (120, 40)
    random = measures.association(
        rng.multivariate_hypergeometric(rows, 40)[:, None] * [-1, 1] + rows[:, None] * [1, 0]
    )
    moved = 0.0
    for count in rows:
        possible = np.arange(count + 1)
        chance = hypergeom.pmf(possible, 160, sizes[1], count)
        moved += 0.5 * float(chance @ np.abs((count - possible) / sizes[0] - possible / sizes[1]))
    assert random.total_variation_by_chance == pytest.approx(moved, rel=0.03)
    assert random.cramers_v_by_chance == pytest.approx(np.sqrt(4 * 160 / 159 / 160), rel=0.1)
    tables = [
        np.stack([rows - drawn, drawn], axis=1)
        for drawn in rng.multivariate_hypergeometric(rows, 40, size=300)
    ]
    found = [measures.association(table, 99, seed) for seed, table in enumerate(tables)]
    for p in ([one.p_value for one in found], [one.total_variation_p for one in found]):
        assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.035)
    corrected = [one.cramers_v_corrected for one in found]
    assert np.median(corrected) == 0 and np.mean(corrected) < 0.07  # type: ignore[type-var,arg-type]
    assert np.mean([one.cramers_v for one in found]) > 0.14  # type: ignore[misc]


def test_small_counts_get_a_permutation_p_near_the_exact_one() -> None:
    table = [[7, 1], [2, 6]]
    found = measures.association(table, permutations=9_999)
    assert found.smallest_expected < 5
    assert found.p_value == pytest.approx(fisher_exact(table).pvalue, abs=0.02)
    assert measures.association(table) == measures.association(table)  # the same draw each time


def test_an_association_of_one_value_is_none() -> None:
    for table in ([[5, 3]], [[5], [3]], [[0, 0], [4, 5]], np.zeros((0, 0))):
        found = measures.association(table)
        assert found.chi2 is None and found.why


def test_each_group_against_the_rest_is_exact() -> None:
    """The probabilities of all tables as far from the expected one, added up one by one; for large groups, too."""
    hits, sizes = np.array([40, 3, 0, 300, 3, 41_000]), np.array([100, 6, 4, 1_000, 6, 120_000])
    found = measures.against_the_rest(hits, sizes)
    for group, p in enumerate(found):
        n, m = int(sizes[group]), int(hits[group])
        possible = np.arange(0, min(n, hits.sum()) + 1)
        chance = hypergeom.pmf(possible, sizes.sum(), hits.sum(), n)
        expected = n * hits.sum() / sizes.sum()
        assert p == pytest.approx(
            chance[np.abs(possible - expected) >= abs(m - expected) - 1e-9].sum(), rel=1e-6
        )
    last = [[41_000, 79_000], [346, 770]]
    assert found[-1] == pytest.approx(chi2_contingency(last, correction=False).pvalue, abs=0.01)
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
    assert measures.benjamini_hochberg([float("nan"), 0.01, 0.04]) == [
        None,
        pytest.approx(0.02),
        pytest.approx(0.04),
    ]
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
