"""Bias-corrected temperature scaling: softmax(log p / T + b), fitted on labelled products.

Estimates of priors need probabilities that are right class by class; one temperature alone leaves every class too frequent or too
rare. After the fit the mean probability of each class is close to its share among the labelled products; a weak prior keeps a class
that none of them has from becoming impossible.

Source: Alexandari, Kundaje and Shrikumar 2020, "Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label
Shift Adaptation", section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST = 1e-9  # probabilities of 0 are taken as this
BIAS = 8.0  # largest bias
PRIOR = 1.0  # products that the prior of a bias (normal around 0, deviation 1) is worth
LOWEST, HIGHEST = 0.05, 20.0  # temperatures


@dataclass(frozen=True)
class Calibration:
    temperature: float
    bias: Array  # (classes,)

    def __call__(self, probabilities: NDArray[np.floating]) -> Array:
        """(n, classes) calibrated probabilities."""
        return softmax(logs_of(probabilities) / self.temperature + self.bias)


def logs_of(probabilities: NDArray[np.floating]) -> Array:
    return np.log(np.maximum(np.asarray(probabilities, np.float64), LEAST))


def softmax(logits: Array) -> Array:
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def fit(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> Calibration:
    """The temperature and biases of the greatest posterior; the problem is convex in (1 / T, b).

    Args:
        probabilities: (n, classes) of labelled products that the classifier was not trained on.
        labels: (n,) class numbers, none negative; one product at least.

    Raises:
        ValueError: there is no product.
    """
    from scipy.optimize import minimize

    n, classes = probabilities.shape
    if not n or len(labels) != n:
        raise ValueError(f"{n} products and {len(labels)} labels cannot be calibrated")
    logs = logs_of(probabilities)
    rows, flat = np.arange(n), PRIOR / n

    def unlikely(values: Array) -> tuple[float, Array]:
        found = logs * values[0] + values[1:]
        found -= found.max(axis=1, keepdims=True)
        normal = np.log(np.exp(found).sum(axis=1))
        loss = float((normal - found[rows, labels]).mean()) + flat * float((values[1:] ** 2).sum()) / 2
        wrong = np.exp(found - normal[:, None])
        wrong[rows, labels] -= 1
        slope = np.concatenate([[(wrong * logs).sum() / n], wrong.mean(axis=0) + flat * values[1:]])
        return loss, slope

    start = np.concatenate([[1.0], np.zeros(classes)])
    bounds = [(1 / HIGHEST, 1 / LOWEST), *[(-BIAS, BIAS)] * classes]
    best = minimize(
        unlikely,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 1_000, "ftol": 1e-13, "gtol": 1e-8},
    )
    return Calibration(float(1 / best.x[0]), np.asarray(best.x[1:]))
