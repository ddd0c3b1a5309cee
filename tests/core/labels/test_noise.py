"""Trusted and noisy labels: the transition matrix, confident learning as cleanlab's, the loss, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import UsageError
from core.labels import noise
from core.labels.linear import Remedies, fit_remedied
from core.training.noise import noisy_cross_entropy


@pytest.fixture(scope="module")
def shop() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """1,200 products of three far classes: vectors, labels, truth, trusted. Machines call half of class 0 class 1."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 1_200)
    x = np.eye(3, 5)[truth] * 4 + rng.normal(size=(1_200, 5))
    trusted = rng.random(1_200) < 0.3
    labels = np.where(~trusted & (truth == 0) & (rng.random(1_200) < 0.4), 1, truth)
    return x, labels, truth, trusted


def test_the_planted_transition_is_found(shop: tuple[np.ndarray, ...]) -> None:
    x, labels, _, trusted = shop
    found = noise.transition(x, labels, trusted, 3)
    assert found.sum(axis=1) == pytest.approx(np.ones(3))
    assert np.abs(found - [[0.6, 0.4, 0], [0, 1, 0], [0, 0, 1]]).max() < 0.1


def test_confident_learning_leaves_out_what_was_planted(shop: tuple[np.ndarray, ...]) -> None:
    x, labels, truth, trusted = shop
    found = noise.treat("drop", x, labels, trusted, 3)
    wrong, dropped = labels != truth, found.weights == 0
    assert (dropped & wrong).sum() / wrong.sum() > 0.5 and (dropped & ~wrong).sum() / (~wrong).sum() < 0.05
    assert not dropped[trusted].any()
    again = noise.treat("relabel", x, labels, trusted, 3)
    assert (again.labels != truth).mean() < 0.6 * (labels != truth).mean()


@pytest.mark.parametrize("name", ["weights", "finetune", "forward", "drop", "relabel"])
def test_remedies_undo_planted_noise(shop: tuple[np.ndarray, ...], name: str) -> None:
    """Class 0 is called 1 in most of its labels' neighbourhoods only by machines: every remedy comes nearer to the truth."""
    x, labels, truth, trusted = shop
    held = np.arange(len(labels)) % 10 == 0
    made = fit_remedied(Remedies(noise=name), x, labels, trusted, 3, validates=held & trusted)  # type: ignore[arg-type]
    plain = fit_remedied(Remedies(), x, labels, trusted, 3)

    def unlike(head: object) -> float:
        return -float(np.log(head.probabilities(x)[np.arange(len(truth)), truth]).mean())  # type: ignore[attr-defined]

    assert unlike(made.head) < unlike(plain.head)


def test_the_loss_of_a_batch_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.8, 0.2], [0.5, 0.5]]))
    labels, trusted = torch.tensor([0, 1]), torch.tensor([1, 0])
    weighed = noisy_cross_entropy(logits, labels, trusted, machine_weight=0.25)
    assert float(weighed) == pytest.approx((-np.log(0.8) - 0.25 * np.log(0.5)) / 1.25)
    matrix = torch.tensor([[0.6, 0.4], [0.0, 1.0]])
    corrected = noisy_cross_entropy(logits, labels, trusted, transition=matrix)
    assert float(corrected) == pytest.approx((-np.log(0.8) - np.log(0.5 * 0.4 + 0.5)) / 2)


def test_what_is_not_there_is_said() -> None:
    x, labels = np.eye(4), np.array([0, 1, 0, 1])
    nobody, all_people = np.zeros(4, bool), np.ones(4, bool)
    for name in ("weights", "finetune", "forward", "drop", "relabel"):
        with pytest.raises(UsageError, match="needs human labels"):
            noise.treat(name, x, labels, nobody, 2)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="for labels of machines"):
            noise.treat(name, x, labels, all_people, 2)  # type: ignore[arg-type]
    one = np.array([True, False, False, False])
    with pytest.raises(UsageError, match="5 products or more; there are 4"):
        noise.treat("drop", x, labels, one, 2)
    with pytest.raises(UsageError, match="5 human labels"):
        noise.treat("forward", x, labels, one, 2)
