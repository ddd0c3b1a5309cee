from __future__ import annotations

import numpy as np
import pytest

from core.measures.calibration import calibration_error, confused_pairs, reliability
from core.measures.intervals import bootstrap, mcnemar, paired_difference, wilson


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    correct = np.array([True, True, True, False])
    # bin .9-1: |.95 - 1| = .05; bin .5-.6: |.55 - .5| = .05
    assert calibration_error(confidence, correct, bins=10) == pytest.approx(0.05)
    table = reliability(confidence, correct, bins=10)
    assert table.n.tolist() == [2, 2] and table.accuracy.tolist() == [0.5, 1.0]
    assert np.isnan(calibration_error(np.array([]), np.array([], bool)))


def test_the_edges_of_confidence_have_a_bin() -> None:
    assert reliability(np.array([0.0, 1.0, 0.1]), np.array([False, True, True]), 10).n.sum() == 3


def test_wilson() -> None:
    low, high = wilson(50, 100)
    assert (round(low, 4), round(high, 4)) == (0.4038, 0.5962)
    assert wilson(0, 10)[0] == pytest.approx(0, abs=1e-9) and wilson(0, 10)[1] > 0.25
    assert wilson(0, 0) == (0, 1)


def test_bootstrap_is_near_wilson_for_a_share() -> None:
    hits = np.arange(400) < 300
    low, high = bootstrap(hits.astype(float))
    assert (low, high) == (pytest.approx(0.7075, abs=0.01), pytest.approx(0.79, abs=0.01))


def test_mcnemar_by_hand() -> None:
    first = np.array([True] * 9 + [False] * 1 + [True] * 5)
    second = np.array([False] * 9 + [True] * 1 + [True] * 5)
    # ten disagreements, 9 to 1: 2 * (1 + 10) / 2**10
    assert mcnemar(first, second) == {"only_first": 9, "only_second": 1, "p": pytest.approx(22 / 1024)}
    with pytest.raises(ValueError, match="cannot be compared"):
        mcnemar(first, second[:3])


def test_confused_pairs() -> None:
    labels, predictions = np.array([0, 0, 0, 1, 2, -1]), np.array([1, 1, 0, 0, 2, 0])
    assert confused_pairs(labels, predictions, ["a", "b", "c"]) == [
        {"label": "a", "prediction": "b", "n": 2, "share": pytest.approx(2 / 3)},
        {"label": "b", "prediction": "a", "n": 1, "share": 1.0},
    ]


def test_the_interval_of_a_paired_difference_covers() -> None:
    """Of 400 pairs of models whose difference is known, about 95 percent of the intervals hold it."""
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(400):
        draw = rng.random(150)  # both right .6, only the first .2, only the second .1: a difference of .1
        only_first, only_second = int((draw < 0.2).sum()), int(((draw >= 0.2) & (draw < 0.3)).sum())
        low, high = paired_difference(only_first, only_second, 150)
        inside += low <= 0.1 <= high
    assert 0.92 <= inside / 400 <= 0.98
    assert paired_difference(0, 0, 0) == (-1.0, 1.0)
