"""Bias-corrected temperature scaling: softmax(log p / T + b), fitted on labelled products.

Estimates of priors need probabilities that are right class by class; one temperature alone leaves every class too frequent or too
rare. After the fit the mean probability of each class is its share among the labelled products.

Source: Alexandari, Kundaje and Shrikumar 2020, "Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label
Shift Adaptation", section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST = 1e-9  # probabilities of 0 are taken as this
BIAS = 8.0  # largest bias: of a class that no labelled product has
FLAT = 1e-6  # weight of the squared biases, which fixes their common shift
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
    """The temperature and biases of the greatest likelihood; the problem is convex in (1 / T, b).

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
    rows = np.arange(n)

    def unlikely(values: Array) -> tuple[float, Array]:
        found = logs * values[0] + values[1:]
        found -= found.max(axis=1, keepdims=True)
        normal = np.log(np.exp(found).sum(axis=1))
        loss = float((normal - found[rows, labels]).mean()) + FLAT * float((values[1:] ** 2).sum())
        wrong = np.exp(found - normal[:, None])
        wrong[rows, labels] -= 1
        slope = np.concatenate([[(wrong * logs).sum() / n], wrong.mean(axis=0) + 2 * FLAT * values[1:]])
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
