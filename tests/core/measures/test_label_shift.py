"""Priors of a target: against quapy and abstention where they converge, by the optimum's condition where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from core.measures import bias_temperature, label_shift
from core.measures.label_shift import mixture

CLASSES = 6
SOURCE = np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.04])


def drawn(n: int, prior: np.ndarray, seed: int, sharp: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """(n, CLASSES) posteriors under SOURCE of normal classes, sharpened, and (n,) labels drawn from `prior`."""
    rng = np.random.default_rng(seed)
    means = np.random.default_rng(1).normal(size=(CLASSES, 3)) * 1.8
    labels = rng.choice(CLASSES, n, p=prior)
    seen = means[labels] + rng.normal(size=(n, 3))
    logs = -0.5 * ((seen[:, None] - means) ** 2).sum(axis=2) + np.log(SOURCE)
    return bias_temperature.softmax(sharp * logs), labels


@pytest.fixture(scope="module")
def both() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labelled posteriors and labels of the source, posteriors of a target with the reverse priors."""
    given, labels = drawn(2_000, SOURCE, 2)
    return given, labels, drawn(1_500, SOURCE[::-1], 3)[0]


def test_em_is_quapys_and_the_optimum(both: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    from quapy.method.aggregative import EMQ

    _, _, target = both
    found = label_shift.em(target, SOURCE)
    theirs, _ = EMQ.EM(SOURCE.copy(), target, 1e-10)
    assert np.abs(found - theirs).max() < 1e-5
    slope = (target / SOURCE / (target / SOURCE @ found)[:, None]).mean(axis=0)
    assert slope.max() < 1 + 1e-6 and np.abs(found * (slope - 1)).max() < 1e-6
    assert np.abs(found - SOURCE[::-1]).sum() / 2 < 0.15 < np.abs(SOURCE - SOURCE[::-1]).sum() / 2


def test_the_inverted_matrices_are_quapys(both: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    from quapy.method.aggregative import ACC, PACC

    given, labels, target = both
    for answers, mean, theirs in (
        (label_shift.hard_decisions(given), label_shift.hard_decisions(target).mean(axis=0), ACC),
        (given, target.mean(axis=0), PACC),
    ):
        classes = np.arange(CLASSES)
        said = answers.argmax(axis=1) if theirs is ACC else given
        matrix = theirs.getPteCondEstim(classes, labels, said)
        ours = label_shift.confusion(answers, labels)
        assert np.abs(ours - matrix).max() < 1e-12
        exact = np.linalg.solve(matrix, mean).clip(0)
        assert np.abs(label_shift.by_inverse(ours, mean) - exact / exact.sum()).max() < 1e-9


def test_bbse_is_abstentions(both: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    from abstention.label_shift import BBSEImbalanceAdapter

    given, labels, target = both
    adapter = BBSEImbalanceAdapter(soft=True)(
        valid_labels=np.eye(CLASSES)[labels],
        tofit_initial_posterior_probs=target,
        valid_posterior_probs=given,
    )
    shares = np.bincount(labels, minlength=CLASSES) / len(labels)
    theirs = np.maximum(adapter.multipliers, 0) * shares
    found = label_shift.bbse(given, labels, target.mean(axis=0))
    assert np.abs(found - theirs / theirs.sum()).max() < 1e-6


@pytest.mark.parametrize("pseudo", [0.0, 0.002])
def test_the_optimum_holds_where_the_published_steps_stop_short(pseudo: float) -> None:
    """Random matrices, some singular, some with the optimum on an edge: the gradient's condition to 1e-6, and no lower
    likelihood than SciPy's optimum."""
    rng = np.random.default_rng(0)
    for trial in range(40):
        matrix = rng.dirichlet(np.full(8, 0.3), 8).T
        if trial % 4 == 0:
            matrix[:, 3] = matrix[:, 5]
        seen = rng.dirichlet(np.full(8, 0.3))
        found = mixture(matrix, seen, pseudo)
        p = found.weights
        slope = matrix.T @ (seen / (matrix @ p)) + (pseudo / p if pseudo else 0)
        assert p.sum() == pytest.approx(1) and (p >= 0).all()
        assert slope.max() < 1 + 8 * pseudo + 1e-6, trial
        if pseudo:
            assert slope.min() > 1 + 8 * pseudo - 1e-6


def test_a_strong_shift_is_found_where_a_bounded_movement_is_not() -> None:
    """The published steps move by about 0.1 in all; the multiplicative fixed point reaches the reverse priors."""
    given, labels = drawn(20_000, SOURCE, 5)
    target, _ = drawn(20_000, SOURCE[::-1], 6)
    matrix, mean = label_shift.confusion(given, labels), target.mean(axis=0)
    for found in (
        label_shift.likeliest(matrix, mean),
        label_shift.most_probable(matrix, mean, len(target)),
        label_shift.em(target, SOURCE),
    ):
        assert np.abs(found - SOURCE[::-1]).sum() / 2 < 0.08


def test_bad_answers_and_matrices() -> None:
    """Probabilities of 0 and 1, a class without labels, one class alone, a singular matrix, nothing seen."""
    certain = np.eye(3)[[0, 0, 1, 2]]
    labels = np.array([0, 0, 1, 1])
    matrix = label_shift.confusion(certain, labels)
    assert matrix[:, 2].tolist() == [0, 0, 1] and matrix[:, 1].tolist() == [0, 0.5, 0.5]
    assert label_shift.em(certain, np.array([0.5, 0.5, 0.0])).tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    one = label_shift.em(np.eye(3)[[1, 1]], np.full(3, 1 / 3))
    assert one == pytest.approx([0, 1, 0])
    same = np.full((3, 3), 1 / 3)
    for found in (
        label_shift.by_inverse(same, np.full(3, 1 / 3)),
        label_shift.likeliest(same, np.full(3, 1 / 3)),
        label_shift.bbse(np.full((4, 3), 1 / 3), labels, np.full(3, 1 / 3)),
    ):
        assert found.sum() == pytest.approx(1) and (found >= 0).all()
    with pytest.raises(ValueError, match="negative"):
        mixture(np.array([[-1.0, 1.0]]))
    with pytest.raises(ValueError, match="finite"):
        mixture(np.array([[np.nan, 1.0]]))
    found = bias_temperature.fit(certain, labels)
    assert np.isfinite(found(certain)).all() and found(certain).sum(axis=1) == pytest.approx(np.ones(4))


def test_calibration_undoes_what_was_done() -> None:
    """Posteriors to the power of two need temperature 2, and each class is then as frequent as its label."""
    given, labels = drawn(4_000, SOURCE, 7, sharp=2.0)
    found = bias_temperature.fit(given, labels)
    assert found.temperature == pytest.approx(2, rel=0.1)
    assert np.abs(found(given).mean(axis=0) - np.bincount(labels) / len(labels)).max() < 1e-3
    from abstention.calibration import TempScaling

    theirs = TempScaling(bias_positions="all", verbose=False)(
        bias_temperature.logs_of(given), np.eye(CLASSES)[labels]
    )
    assert np.abs(theirs(bias_temperature.logs_of(given)) - found(given)).max() < 1e-2
