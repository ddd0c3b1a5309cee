"""Multinomial logistic regression with what long tails and noisy labels ask for: offsets, weights, a transition matrix, an anchor.

As scikit-learn's it minimises strength * sum_i w_i loss_i + |W|^2 / 2, the biases free. It is the last layer of any network over
that network's features, the probe over stored vectors, and the classifier of TF-IDF.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.measures.bias_temperature import softmax

Array = NDArray[np.float64]

ITERATIONS = 100  # as scikit-learn
UNSEEN = -30.0  # bias of a class without a product, as core.models.ngrams.set_head
TINY = 1e-12


@dataclass(frozen=True)
class Head:
    """logits = features weight^T + bias."""

    weight: Array  # (classes, d)
    bias: Array  # (classes,)

    def logits(self, features: Any) -> Array:
        return np.asarray(features @ self.weight.T) + self.bias

    def probabilities(self, features: Any) -> Array:
        """(n, classes)."""
        return softmax(self.logits(features))


def fit_head(
    features: Any,
    labels: NDArray[np.int64],
    classes: int,
    strength: float = 1.0,
    offsets: Array | None = None,
    weights: Array | None = None,
    transition: Array | None = None,
    trusted: NDArray[np.bool_] | None = None,
    anchor: Head | None = None,
) -> Head:
    """The optimum by L-BFGS.

    Args:
        features: (n, d) an array or a SciPy sparse matrix; products of matrices are in its precision, so that single precision
            halves the time.
        labels: (n,) class numbers, none negative.
        strength: inverse of the regularisation, as scikit-learn's C.
        offsets: (classes,) added to the logits in the loss alone (logit adjustment).
        weights: (n,) of the products; 1 if None.
        transition: (classes, classes) T[i, j] = p(label j | class i), for products that are not trusted: their loss is
            -log (T^T p)_label (forward correction).
        trusted: (n,) products whose label is taken as it is; none if None and there is a transition.
        anchor: weights that the regularisation draws to, instead of 0: fine-tuning.

    Source: Menon et al. 2021 (offsets); Patrini et al. 2017 and Hendrycks et al. 2018 (transition).
    """
    from scipy.optimize import minimize

    n, d = features.shape
    rows = np.arange(n)
    w = np.ones(n) if weights is None else np.asarray(weights, np.float64)
    seen = np.bincount(labels, weights=(w > 0).astype(float), minlength=classes) > 0
    added = np.where(seen | (transition is not None), 0.0, UNSEEN) + (0 if offsets is None else offsets)
    noisy = None
    if transition is not None:
        noisy = np.ones(n, np.bool_) if trusted is None else ~trusted
        likely = transition[:, labels].T  # (n, classes) p(its label | each class)
    begun = np.zeros((classes, d)) if anchor is None else anchor.weight
    scale = 1.0 / max(strength * w.sum(), TINY)  # so that tolerances do not depend on n

    def unlikely(flat: Array) -> tuple[float, Array]:
        weight, bias = flat[: classes * d].reshape(classes, d), flat[classes * d :]
        p = softmax(np.asarray(features @ weight.T.astype(features.dtype)) + bias + added)
        loss, slope = -np.log(np.maximum(p[rows, labels], TINY)), p.copy()
        slope[rows, labels] -= 1
        if noisy is not None and noisy.any():
            joint = p[noisy] * likely[noisy]
            total = np.maximum(joint.sum(axis=1), TINY)
            loss[noisy] = -np.log(total)
            slope[noisy] = p[noisy] - joint / total[:, None]
        slope *= (w * strength * scale)[:, None]
        away = weight - begun
        value = strength * scale * float(w @ loss) + scale * float((away**2).sum()) / 2
        found = np.asarray((features.T @ slope.astype(features.dtype)).T) + scale * away
        return value, np.concatenate([found.ravel(), slope.sum(axis=0)])

    start = np.concatenate([begun.ravel(), np.zeros(classes) if anchor is None else anchor.bias])
    best = minimize(
        unlikely,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS, "gtol": 1e-6, "ftol": 1e-8},
    )
    weight, bias = best.x[: classes * d].reshape(classes, d), best.x[classes * d :]
    if transition is None and anchor is None:
        bias = np.where(seen, bias, UNSEEN)
    return Head(weight, bias)
