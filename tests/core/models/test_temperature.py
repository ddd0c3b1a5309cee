"""Temperatures: fitted ones make probabilities as high as hits are frequent, and change no answer."""

from __future__ import annotations

import numpy as np
import torch

from core.measures.calibration import calibration_error
from core.models.temperature import best_temperature, cooled, temperatures_in


def test_a_fitted_temperature_calibrates_and_changes_no_answer() -> None:
    generator = torch.Generator().manual_seed(0)
    true = torch.randn(6_000, 9, generator=generator) * 2
    labels = torch.multinomial(true.softmax(-1), 1, generator=generator)[:, 0]
    said = (true * 3).log_softmax(-1)  # three times too sure
    found = best_temperature(said[:3_000], labels[:3_000])
    assert abs(found - 3) < 0.2
    both = torch.ones(3_000, 3, dtype=torch.bool)
    after = cooled(said[3_000:], both, {"both": found, "text": 7.0})
    right = (said[3_000:].argmax(1) == labels[3_000:]).numpy()
    errors = [calibration_error(logs.exp().max(1).values.numpy(), right) for logs in (said[3_000:], after)]
    assert errors[0] > 0.1 and errors[1] < 0.03
    assert bool((after.argmax(1) == said[3_000:].argmax(1)).all())
    np.testing.assert_allclose(after.exp().sum(1), 1, atol=1e-5)


def test_each_input_has_its_own() -> None:
    logs = torch.tensor([[3.0, 0.0]] * 4).log_softmax(-1)
    available = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]).bool()
    found = cooled(logs, available, {"both": 1.0, "text": 2.0, "picture": 4.0}).exp()[:, 0]
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-3 / np.array([1, 2, 4, 1]))), atol=1e-6)
    assert cooled(logs, available, {}) is logs


def test_what_is_no_temperature_is_passed_over() -> None:
    assert temperatures_in({}) == temperatures_in({"temperatures": [1]}) == {}
    kept = temperatures_in({"temperatures": {"both": 1.5, "text": "hot", "picture": float("nan"), "x": 1}})
    assert kept == {"both": 1.5}
