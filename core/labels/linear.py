"""A linear classifier under the remedies for long tails and noisy labels together: for the probe, TF-IDF and benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.labels.heads import Head, fit_head
from core.labels.noise import MACHINE_WEIGHT, WEIGHTS, Noise, Treatment, treat
from core.labels.tail import Tail, balanced_weights, best_normalised, normalised, post_hoc, scaled

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Remedies:
    tail: Tail = "none"
    noise: Noise = "none"
    tau: float = 1.0
    machine_weight: float | None = None  # None: chosen on validation products, if there are some


@dataclass(frozen=True)
class Fitted:
    head: Head
    treatment: Treatment
    settings: dict[str, float]  # what was chosen: machine_weight, tau


def fit_remedied(
    remedies: Remedies,
    features: Any,
    labels: NDArray[np.int64],
    trusted: NDArray[np.bool_],
    classes: int,
    strength: float = 1.0,
    validates: NDArray[np.bool_] | None = None,
    groups: Sequence[object] | None = None,
    seed: int = 0,
) -> Fitted:
    """Choose the settings on the validation products among n, by a classifier of the others, then fit all n.

    With fixed features, retraining the last layer (`crt`) is class-balanced training.

    Args:
        features: (n, d) array or sparse matrix.
        trusted: (n,) which labels a person gave.
        validates: (n,) which products validate; without, the weight of machine labels is MACHINE_WEIGHT, and tau-norm chooses on the
            training products.

    Raises:
        UsageError: see core.labels.noise.treat.
    """
    held = np.zeros(len(labels), np.bool_) if validates is None else validates
    settings: dict[str, float] = {}

    def fit(rows: NDArray[np.bool_], weight: float) -> tuple[Head, Treatment]:
        return _fit(
            remedies, features[rows], labels[rows], trusted[rows], classes, strength,
            None if groups is None else np.asarray(groups)[rows], weight, seed,
        )  # fmt: skip

    weight = MACHINE_WEIGHT if remedies.machine_weight is None else remedies.machine_weight
    if remedies.noise == "weights":
        if remedies.machine_weight is None and held.any() and trusted[~held].any():
            scores = {}
            for tried in WEIGHTS:
                answers = fit(~held, tried)[0].probabilities(features[held])
                own = answers[np.arange(len(answers)), labels[held]]
                scores[tried] = float(np.log(np.maximum(own, 1e-12)).mean())
            weight = max(reversed(WEIGHTS), key=lambda tried: scores[tried])  # ties: the greatest weight
        settings["machine_weight"] = weight
    tau = None
    if remedies.tail == "tau-norm" and held.any():
        _, tau = best_normalised(fit(~held, weight)[0], features[held], labels[held])
    head, treated = fit(np.ones(len(labels), np.bool_), weight)
    if remedies.tail == "tau-norm":
        if tau is None:
            head, tau = best_normalised(head, features, labels)
        else:
            head = normalised(head, tau)
        settings["tau"] = tau
    elif remedies.tail in ("post-hoc", "logit-adjustment"):
        settings["tau"] = remedies.tau
    return Fitted(head, treated, settings)


def _fit(
    remedies: Remedies,
    features: Any,
    labels: NDArray[np.int64],
    trusted: NDArray[np.bool_],
    classes: int,
    strength: float,
    groups: Any,
    machine_weight: float,
    seed: int,
) -> tuple[Head, Treatment]:
    """One fit; of tau-norm before its norm."""
    treated = treat(remedies.noise, features, labels, trusted, classes, groups, machine_weight, seed)
    if remedies.noise == "finetune":
        everything = _balanced(remedies, features, treated, trusted, classes, strength, None)
        last = Treatment(labels[trusted], np.ones(int(trusted.sum())))
        ones = np.ones(int(trusted.sum()), np.bool_)
        head = _balanced(remedies, features[trusted], last, ones, classes, strength, everything)
        treated = replace(treated, weights=trusted.astype(np.float64))
    else:
        head = _balanced(remedies, features, treated, trusted, classes, strength, None)
    kept = treated.weights > 0
    if remedies.tail == "post-hoc":
        head = post_hoc(head, treated.labels[kept], remedies.tau)
    elif remedies.tail == "scales":
        head = scaled(head, features[kept], treated.labels[kept])
    return head, treated


def _balanced(
    remedies: Remedies,
    features: Any,
    treated: Treatment,
    trusted: NDArray[np.bool_],
    classes: int,
    strength: float,
    anchor: Head | None,
) -> Head:
    """A fit with what the remedy for the tail does in training."""
    kept = treated.weights > 0
    labels, weights = treated.labels[kept], treated.weights[kept]
    offsets = None
    if remedies.tail in ("logit-adjustment", "balanced-softmax"):
        shares = np.bincount(labels, minlength=classes) / len(labels)
        tau = remedies.tau if remedies.tail == "logit-adjustment" else 1.0
        offsets = tau * np.log(shares + 1e-12)
    if remedies.tail in ("sampling", "crt"):
        weights = weights * balanced_weights(labels, classes)
    return fit_head(
        features[kept], labels, classes, strength, offsets, weights, treated.transition, trusted[kept], anchor
    )
