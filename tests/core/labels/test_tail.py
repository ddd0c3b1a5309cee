"""Remedies for long tails: their formulas by hand, against scikit-learn, and on a planted tail."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from core.labels import tail
from core.labels.heads import Head, fit_head
from core.labels.linear import Remedies, fit_remedied
from core.models.priors import priors_from_counts


def planted(sizes: tuple[int, ...], seed: int, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Normal classes of these sizes around fixed means."""
    means = np.random.default_rng(9).normal(size=(len(sizes), d))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return means[labels] + np.random.default_rng(seed).normal(size=(len(labels), d)) * 0.9, labels


def test_a_plain_head_is_scikit_learns_dense_or_sparse() -> None:
    x, y = planted((80, 40, 20), 0)
    theirs = LogisticRegression(C=2.0, max_iter=1_000, tol=1e-8).fit(x, y)
    for features in (x, csr_matrix(x)):
        found = fit_head(features, y, 3, strength=2.0)
        assert np.abs(found.probabilities(features) - theirs.predict_proba(x)).max() < 1e-3
    weighed = LogisticRegression(C=2.0, max_iter=1_000, tol=1e-8, class_weight="balanced").fit(x, y)
    found = fit_head(x, y, 3, 2.0, weights=tail.balanced_weights(y, 3))
    assert np.abs(found.probabilities(x) - weighed.predict_proba(x)).max() < 1e-3


def test_by_hand() -> None:
    head = Head(np.array([[3.0, 4.0], [0.0, 2.0]]), np.array([1.0, -1.0]))
    labels = np.array([0, 0, 0, 1])
    assert tail.post_hoc(head, labels).bias == pytest.approx([1 - np.log(0.75), -1 - np.log(0.25)])
    assert tail.normalised(head, 1.0).weight.tolist() == [[0.6, 0.8], [0.0, 1.0]]
    assert tail.normalised(head, 0.0).weight.tolist() == head.weight.tolist()
    assert tail.balanced_accuracy(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])) == pytest.approx(
        (2 / 3 + 1) / 2
    )
    found = tail.accuracies(np.array([0, 0, 1, 2, 2]), np.array([0, 0, 1, 1, -1]), np.array([101, 20, 3]))
    assert (found["top1"], found["head"], found["middle"], found["tail"]) == (3 / 5, 1.0, 0.5, None)
    assert found["middle_n"] == 2


def test_adjustment_in_the_loss_and_afterwards_have_one_optimum() -> None:
    """With as many products as here a linear model is right enough, so that both give what equal classes would."""
    x, y = planted((3_000, 600, 150), 1, d=2)
    tests, truth = planted((500, 500, 500), 2, d=2)
    equal = fit_head(*planted((1_250, 1_250, 1_250), 3, d=2), 3, 10.0).logits(tests).argmax(axis=1)
    plain = fit_head(x, y, 3, 10.0).logits(tests).argmax(axis=1)
    for name in ("logit-adjustment", "balanced-softmax", "post-hoc", "sampling", "crt"):
        made = fit_remedied(Remedies(name), x, y, np.ones(len(y), bool), 3, 10.0)  # type: ignore[arg-type]
        answers = made.head.logits(tests).argmax(axis=1)
        assert (answers == equal).mean() > 0.95 > (plain == equal).mean(), name
        assert tail.balanced_accuracy(answers, truth) > tail.balanced_accuracy(plain, truth)


def test_choices_on_validation_products() -> None:
    x, y = planted((300, 40, 1), 4)  # a class of one product
    held = np.zeros(len(y), bool)
    held[::5] = True
    trusted = np.ones(len(y), bool)
    found = fit_remedied(Remedies("tau-norm"), x, y, trusted, 3, validates=held)
    assert found.settings["tau"] in tail.GRID
    for name in ("crt", "scales", "tau-norm"):
        made = fit_remedied(Remedies(name), x, y, trusted, 4)  # type: ignore[arg-type] - and a class of none
        assert np.isfinite(made.head.logits(x)).all()
        assert tail.balanced_accuracy(made.head.logits(x).argmax(axis=1), y) > 0.5


def test_the_priors_of_training_know_the_remedy() -> None:
    counts = {"cz": np.array([0, 100]), "sk": np.array([300, 0])}
    for name, tau, expected in (
        ("none", 1.0, [0.75, 0.25]),
        ("crt", 1.0, [0.5, 0.5]),
        ("loss", 1.0, [0.5, 0.5]),
        ("post-hoc", 1.0, [0.5, 0.5]),
        ("logit-adjustment", 0.0, [0.75, 0.25]),
        ("post-hoc", 0.5, [3**0.5 / (1 + 3**0.5), 1 / (1 + 3**0.5)]),
    ):
        assert priors_from_counts(counts, name, tau).training == pytest.approx(expected), name
