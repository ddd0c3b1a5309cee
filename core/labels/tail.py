"""Long tails: what is done to a classifier's last layer after training, and accuracy of head, middle and tail.

What is done in training is in core.training.balance (logit adjustment, balanced softmax, class-balanced sampling). None of these
knows the country: they trade frequent classes for rare ones, towards equal classes. Where the test's own priors are the aim, as in
GLAMI's accuracy, core.labels.prior_shift adjusts to those.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.labels.heads import Head, fit_head
from core.measures.bias_temperature import softmax

Array = NDArray[np.float64]
Tail = Literal[
    "none", "logit-adjustment", "balanced-softmax", "sampling", "post-hoc", "crt", "tau-norm", "scales"
]
TAILS: dict[Tail, str] = {
    "none": "plain training",
    "logit-adjustment": "a loss with tau log(share of the class) added to the logits",
    "balanced-softmax": "a loss with log(products of the class) added to the logits: the same as tau 1",
    "sampling": "class-balanced sampling: a class at random, then one of its products",
    "post-hoc": "plain training, then tau log(share of the class) subtracted from the logits",
    "crt": "plain training, then the last layer again with class-balanced sampling",
    "tau-norm": "plain training, then the last layer's rows divided by their length to the power of tau, chosen on validation",
    "scales": "plain training, then one learned scale a class with class-balanced sampling",
}
IN_TRAINING: tuple[Tail, ...] = ("logit-adjustment", "balanced-softmax", "sampling")
AFTERWARDS: tuple[Tail, ...] = ("post-hoc", "crt", "tau-norm", "scales")
GRID = tuple(np.linspace(0, 2, 21).round(2).tolist())  # of tau-norm
MANY, FEW = 100, 20  # training products of a class of the head (more), of the tail (fewer)
TINY = 1e-12


def balanced_weights(labels: NDArray[np.int64], classes: int) -> Array:
    """(n,) weights under which every class that occurs counts alike, with mean 1: the expectation of class-balanced sampling.

    >>> balanced_weights(np.array([0, 0, 0, 1]), 3).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    counts = np.bincount(labels, minlength=classes)
    return np.asarray(len(labels) / (np.count_nonzero(counts) * counts[labels]))


def post_hoc(head: Head, labels: NDArray[np.int64], tau: float = 1.0) -> Head:
    """The head with tau log(share of the class) subtracted from its logits; classes without products stay as they are.

    Source: Menon et al. 2021, "Long-tail learning via logit adjustment", eq. 9.
    """
    counts = np.bincount(labels, minlength=len(head.bias)).astype(np.float64)
    logs = np.log(np.maximum(counts / counts.sum(), TINY))
    return Head(head.weight, head.bias - np.where(counts > 0, tau * logs, 0.0))


def retrained(features: Any, labels: NDArray[np.int64], classes: int, strength: float = 1.0) -> Head:
    """cRT: the last layer from the start, on class-balanced products; a class of one product counts as every other.

    Source: Kang et al. 2020, "Decoupling representation and classifier for long-tailed recognition", section 4.
    """
    return fit_head(features, labels, classes, strength, weights=balanced_weights(labels, classes))


def normalised(head: Head, tau: float) -> Head:
    """Rows divided by their length to the power of tau, without biases. Source: Kang et al. 2020, eq. 5."""
    lengths = np.maximum(np.linalg.norm(head.weight, axis=1, keepdims=True), TINY)
    return Head(head.weight / lengths**tau, np.zeros(len(head.bias)))


def best_normalised(head: Head, features: Any, labels: NDArray[np.int64]) -> tuple[Head, float]:
    """That of GRID with the best balanced accuracy on validation products; of equal ones the smallest tau."""
    scored = [
        (balanced_accuracy(normalised(head, tau).logits(features).argmax(axis=1), labels), -tau)
        for tau in GRID
    ]
    tau = -max(scored)[1]
    return normalised(head, tau), tau


def scaled(head: Head, features: Any, labels: NDArray[np.int64], decay: float = 1e-3) -> Head:
    """One learned scale a class, of its row alone, on class-balanced products; weights stay.

    Args:
        decay: weight of the squared distance of the scales from 1.

    Source: Kang et al. 2020, "learnable weight scaling"; their code scales the biases too, the paper does not.
    """
    from scipy.optimize import minimize

    classes, rows = len(head.bias), np.arange(len(labels))
    plain = np.asarray(features @ head.weight.T)
    weights = balanced_weights(labels, classes) / len(labels)

    def unlikely(scale: Array) -> tuple[float, Array]:
        p = softmax(plain * scale + head.bias)
        loss = -float(weights @ np.log(np.maximum(p[rows, labels], TINY)))
        p[rows, labels] -= 1
        slope = (p * plain * weights[:, None]).sum(axis=0) + 2 * decay * (scale - 1)
        return loss + decay * float(((scale - 1) ** 2).sum()), slope

    best = minimize(unlikely, np.ones(classes), jac=True, method="L-BFGS-B", bounds=[(0.0, 20.0)] * classes)
    return Head(head.weight * best.x[:, None], head.bias)


def trained_under(shares: Array, tail: str, tau: float = 1.0) -> Array:
    """(classes,) the priors under which a classifier answers that was trained on such shares with a remedy.

    Of `tau-norm` no priors are known: it is taken as balanced, which it is made to be.

    >>> trained_under(np.array([0.8, 0.2, 0.0]), "post-hoc", 0.5).round(4).tolist()
    [0.6667, 0.3333, 0.0]
    """
    power = {"none": 1.0, "logit-adjustment": 1 - tau, "post-hoc": 1 - tau}.get(tail, 0.0)
    found = np.where(shares > 0, np.power(np.where(shares > 0, shares, 1.0), power), 0.0)
    return np.asarray(found / found.sum())


def balanced_accuracy(predictions: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """The mean over classes with products of the share of them that is predicted; NaN without products."""
    known = labels >= 0
    if not known.any():
        return float("nan")
    counts = np.bincount(labels[known])
    hits = np.bincount(labels[known], weights=(predictions == labels)[known], minlength=len(counts))
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def parts(training: NDArray[np.int64], many: int = MANY, few: int = FEW) -> dict[str, NDArray[np.bool_]]:
    """Masks over classes: head (more than `many` training products), middle, tail (fewer than `few`).

    Source: Liu et al. 2019, "Large-scale long-tailed recognition in an open world", many-, medium- and few-shot.
    """
    return {"head": training > many, "middle": (training >= few) & (training <= many), "tail": training < few}


def accuracies(
    predictions: NDArray[np.int64], labels: NDArray[np.int64], training: NDArray[np.int64]
) -> dict[str, float | int | None]:
    """top1, balanced, and of each part of the classes `<part>`, `<part>_balanced` (None without products) and `<part>_n`.

    Args:
        predictions, labels: (n,) class numbers; products with a negative label are errors and of no part.
        training: (classes,) training products of each class.
    """
    found: dict[str, float | int | None] = {
        "top1": float((predictions == labels).mean()),
        "balanced": balanced_accuracy(predictions, labels),
    }
    for name, mask in parts(training).items():
        here = (labels >= 0) & mask[labels.clip(0)]
        found[f"{name}_n"] = int(here.sum())
        found[name] = float((predictions == labels)[here].mean()) if here.any() else None
        found[f"{name}_balanced"] = balanced_accuracy(predictions[here], labels[here]) if here.any() else None
    return found
