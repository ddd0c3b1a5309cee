"""Trusted and noisy labels: how machine labels err beside people's, and what training does about it.

A product has one label, from a person or from a machine, never both. How machines err is therefore estimated from a classifier that
learned from machine labels alone, asked about products that people labelled (GLC).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.labels.heads import fit_head

Array = NDArray[np.float64]
Noise = Literal["none", "weights", "finetune", "forward", "drop", "relabel"]
NOISES: dict[Noise, str] = {
    "none": "every label counts alike",
    "weights": "labels of machines count less (--machine-weight)",
    "finetune": "train on all, then go on with human labels alone",
    "forward": "forward correction of machine labels by a transition matrix that human labels give (GLC)",
    "drop": "confident learning: machine labels that look wrong are left out",
    "relabel": "confident learning: machine labels that look wrong become the prediction",
}
WEIGHTS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)  # of machine labels, among which human validation products choose
MACHINE_WEIGHT = 0.5  # where nothing chooses
FOLDS = 5
SMOOTH = 1.0  # products that the prior of a row of the transition matrix is worth
FEWEST_TRUSTED = 5  # human labels in all, that a transition matrix needs


def check(trusted: NDArray[np.bool_], noise: str) -> None:
    """
    Raises:
        UsageError: the remedy needs labels of people, or of machines, and there are none.
    """
    if noise == "none":
        return
    if not trusted.any():
        raise UsageError(
            f"--noise {noise} needs human labels, and no training product has one. Audit some, or leave it out."
        )
    if trusted.all():
        raise UsageError(
            f"--noise {noise} is for labels of machines, and no training product has one. Leave it out."
        )


def transition(
    features: Any, labels: NDArray[np.int64], trusted: NDArray[np.bool_], classes: int, strength: float = 1.0
) -> Array:
    """(classes, classes) T[i, j] = p(machine says j | class i), each row summing to 1.

    The mean answer, over products that people labelled i, of a classifier that learned from machine labels alone. Rows
    of few products are drawn to the identity, by SMOOTH products.

    Raises:
        UsageError: fewer than FEWEST_TRUSTED human labels, or fewer than two classes among machine labels.

    Source: Hendrycks et al. 2018, "Using trusted data to train deep networks on labels corrupted by severe noise", section 3.1.
    """
    check(trusted, "forward")
    if trusted.sum() < FEWEST_TRUSTED or len(np.unique(labels[~trusted])) < 2:
        raise UsageError(
            f"--noise forward needs {FEWEST_TRUSTED} human labels and machine labels of two classes; there are fewer."
        )
    machine = fit_head(features[~trusted], labels[~trusted], classes, strength)
    answers, own = machine.probabilities(features[trusted]), labels[trusted]
    sums = SMOOTH * np.eye(classes)
    np.add.at(sums, own, answers)
    return np.asarray(sums / sums.sum(axis=1, keepdims=True))


def out_of_fold(
    features: Any,
    labels: NDArray[np.int64],
    classes: int,
    groups: Sequence[object] | None = None,
    strength: float = 1.0,
    seed: int = 0,
) -> Array:
    """(n, classes) probabilities of each product by a classifier that was fitted on the other folds.

    Args:
        groups: (n,) products of equal values are in one fold, such as listings of one picture.

    Raises:
        UsageError: there are fewer products, or groups of them, than folds.
    """
    keys = (
        np.arange(len(labels))
        if groups is None
        else np.unique(np.asarray(groups, str), return_inverse=True)[1]
    )
    many = int(keys.max()) + 1 if len(keys) else 0
    if many < FOLDS:
        raise UsageError(f"Out-of-fold predictions need {FOLDS} products or more; there are {many}.")
    folds = (np.random.default_rng((seed, 31)).permutation(many) % FOLDS)[keys]
    found = np.zeros((len(labels), classes))
    for fold in range(FOLDS):
        mine = folds == fold
        found[mine] = fit_head(features[~mine], labels[~mine], classes, strength).probabilities(
            features[mine]
        )
    return found


def suspicious(
    probabilities: Array, labels: NDArray[np.int64], trusted: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(n,) machine labels that confident learning finds wrong (pruned by noise rate); labels of people are kept.

    Args:
        probabilities: (n, classes) out of fold.

    Source: Northcutt, Jiang and Chuang 2021, "Confident learning"; cleanlab's find_label_issues.
    """
    from cleanlab.filter import find_label_issues

    present, coded = np.unique(labels, return_inverse=True)  # cleanlab wants every class to have a product
    if len(present) < 2:
        return np.zeros(len(labels), np.bool_)
    some = np.maximum(probabilities[:, present], 1e-12)
    found = find_label_issues(
        coded, some / some.sum(axis=1, keepdims=True), filter_by="prune_by_noise_rate", n_jobs=1
    )
    return np.asarray(found, np.bool_) & ~trusted


@dataclass(frozen=True)
class Treatment:
    """What a remedy makes of n products before training."""

    labels: NDArray[np.int64]  # (n,)
    weights: Array  # (n,) 0 for products that are left out
    transition: Array | None = None  # (classes, classes)


def treat(
    noise: Noise,
    features: Any,
    labels: NDArray[np.int64],
    trusted: NDArray[np.bool_],
    classes: int,
    groups: Sequence[object] | None = None,
    machine_weight: float = MACHINE_WEIGHT,
    seed: int = 0,
    probabilities: Array | None = None,
) -> Treatment:
    """
    Args:
        probabilities: (n, classes) out of fold, where they were computed before.
        features: (n, d) that a linear classifier can learn from; `weights` and `finetune` do not need any (None).

    Raises:
        UsageError: there are not the labels that it needs; see `check`, `transition`, `out_of_fold`.
    """
    check(trusted, noise)
    ones = np.ones(len(labels))
    if noise == "weights":
        return Treatment(labels, np.where(trusted, 1.0, machine_weight))
    if noise == "forward":
        return Treatment(labels, ones, transition(features, labels, trusted, classes))
    if noise in ("drop", "relabel"):
        if probabilities is None:
            probabilities = out_of_fold(features, labels, classes, groups, seed=seed)
        wrong = suspicious(probabilities, labels, trusted)
        if noise == "drop":
            return Treatment(labels, np.where(wrong, 0.0, 1.0))
        return Treatment(np.where(wrong, probabilities.argmax(axis=1), labels), ones)
    return Treatment(labels, ones)
