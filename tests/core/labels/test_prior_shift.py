"""Priors with intervals from a classifier's answers: which priors a balanced model needs, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import UsageError
from core.labels.prior_shift import METHODS, Estimator
from tests.core.measures.test_label_shift import SOURCE, drawn


@pytest.mark.parametrize("method", METHODS)
def test_estimates_come_near_and_their_intervals_hold(method: str) -> None:
    given, labels = drawn(3_000, SOURCE, 2, sharp=2.0)  # overconfident
    target, _ = drawn(1_500, SOURCE[::-1], 3, sharp=2.0)
    found = Estimator.fit(given, labels).estimate(method, target, repeats=20)  # type: ignore[arg-type]
    assert found.prior.sum() == pytest.approx(1) and found.n == 1_500
    assert ((found.low <= found.prior) & (found.prior <= found.high)).all()
    before = np.abs(SOURCE - SOURCE[::-1]).sum() / 2
    assert np.abs(found.prior - SOURCE[::-1]).sum() / 2 < before / 2


def test_a_model_of_balanced_training_needs_no_other_priors() -> None:
    """Its answers, calibrated on labelled products, are those of a plain one: nothing is taken out twice."""
    given, labels = drawn(3_000, SOURCE, 2)
    target, _ = drawn(1_500, SOURCE[::-1], 3)

    def balanced(plain: np.ndarray) -> np.ndarray:
        found = plain / SOURCE
        return found / found.sum(axis=1, keepdims=True)

    plain = Estimator.fit(given, labels).estimate("em", target, repeats=0)
    other = Estimator.fit(balanced(given), labels).estimate("em", balanced(target), repeats=0)
    assert np.abs(plain.prior - other.prior).max() < 1e-3


def test_too_little_is_refused() -> None:
    given, labels = drawn(100, SOURCE, 2)
    with pytest.raises(UsageError, match="0 labelled products"):
        Estimator.fit(given, np.full(100, -1))
    with pytest.raises(UsageError, match="of 1 classes"):
        Estimator.fit(given, np.zeros(100, np.int64))
    fitted = Estimator.fit(given, labels)
    with pytest.raises(UsageError, match="from 3 products"):
        fitted.estimate("em", given[:3])
    with pytest.raises(UsageError, match="No method"):
        fitted.estimate("magic", given)  # type: ignore[arg-type]
