"""Answers adjusted to a country, by numbers that can be worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.models.classifier import loaded
from core.models.priors import adjusted, country_priors, priors_from_counts


def test_adjusted_by_hand() -> None:
    """.6, .3, .1 times 1/2, 1, 5/2 are .3, .3, .25, of .85 together."""
    prior, training = np.array([0.25, 0.25, 0.5]), np.array([0.5, 0.25, 0.2])
    found = adjusted(np.float32([[0.6, 0.3, 0.1]]), prior, training)
    assert found[0].tolist() == pytest.approx([0.3 / 0.85, 0.3 / 0.85, 0.25 / 0.85])
    same = adjusted(np.float32([[0.6, 0.3, 0.1]]), training, training)
    assert same[0].tolist() == pytest.approx([0.6, 0.3, 0.1])


def test_a_class_that_training_never_saw_keeps_its_probability() -> None:
    found = adjusted(np.float32([[0.5, 0.25, 0.25]]), np.array([0.25, 0.75, 0]), np.array([0.5, 0.5, 0]))
    assert found[0].tolist() == pytest.approx([0.25 / 0.875, 0.375 / 0.875, 0.25 / 0.875])
    nothing = adjusted(np.float32([[1, 0]]), np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    assert nothing[0].tolist() == [1, 0]


def test_counts_are_drawn_towards_the_whole() -> None:
    """300 of 400 are of the first class. Of 100 in cz none: (0 + 100 * 3/4) / 200; in sk (300 + 75) / 400."""
    found = priors_from_counts({"cz": np.array([0, 100]), "sk": np.array([300, 0])})
    assert found.training.tolist() == [0.75, 0.25]
    assert found.countries["cz"].tolist() == [0.375, 0.625]
    assert found.countries["sk"].tolist() == [0.9375, 0.0625]
    assert found.counted == {"cz": 100, "sk": 300}
    assert found.adjust(np.float32([[0.75, 0.25]]), "cz")[0].tolist() == pytest.approx([0.375, 0.625])


def test_they_are_counted_in_the_training_products(toy_home: Path) -> None:
    classes = list(loaded("toy-run").config.classes)
    found = country_priors("toy", classes)
    assert found is not None and set(found.countries) == {"cz", "sk"}
    assert sum(found.counted.values()) == 63  # of 90, seven of ten
    assert found.training.sum() == pytest.approx(1)
    assert country_priors("absent", classes) is None
    assert country_priors("toy", ["other", "classes"]) is None
