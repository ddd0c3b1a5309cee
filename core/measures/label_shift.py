"""Class priors of unlabelled products under label shift: p(c) has changed, p(x | c) has not.

All maximum-likelihood estimates here are one concave problem: find the weights of known components whose mixture explains what was
seen. Saerens' EM mixes the products' likelihoods, CM-L and SCM-L the columns of a confusion matrix. `mixture` solves it until
its optimality condition holds, where the published package stops after a bounded total movement.

Sources: Saerens et al. 2002 (EM); Lipton et al. 2018 (BBSE); Vucetic and Obradovic 2001, Bella et al. 2010 (CM, SCM);
Sipka, Sulc and Matas 2022, "The Hitchhiker's Guide to Prior-Shift Adaptation" (L and M).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOLERANCE = 1e-7  # of the optimality condition
ITERATIONS = 20_000  # at most, each of three steps
ALPHA = 3.0  # of the Dirichlet prior of the M variants
TINY = 1e-300
SINGULAR = 1e-10  # smallest share of the largest singular value that counts


@dataclass(frozen=True)
class Mixture:
    """The optimum of `mixture`."""

    weights: Array  # (classes,) sums to 1
    gap: float  # how far the optimality condition is from holding; bounds what the mean log-likelihood can still gain
    iterations: int


def mixture(
    components: Array,
    seen: Array | None = None,
    pseudo: float | Array = 0.0,
    start: Array | None = None,
    tolerance: float = TOLERANCE,
) -> Mixture:
    """Weights p that maximise sum_k seen_k log (components p)_k + sum_c pseudo_c log p_c on the simplex.

    The multiplicative fixed point p <- p * components^T(seen / components p), extrapolated (SQUAREM, scheme S3) where that
    does not lower the objective. At the optimum the gradient is 1 + classes * pseudo for classes of positive weight and no larger
    for others.

    Args:
        components: (m, classes) non-negative; row k is what each class gives to observation k.
        seen: (m,) weights of the observations, made to sum to 1; equal if None.
        pseudo: (alpha - 1) / n of a Dirichlet prior, of all classes or (classes,) of each; 0 for maximum likelihood.
        start: (classes,) weights to begin with; uniform if None.

    Raises:
        ValueError: shapes differ, or a value is negative or not a number.

    Source: Varadhan and Roland 2008, "Simple and globally convergent methods for accelerating any EM algorithm".
    """
    components = np.asarray(components, np.float64)
    m, classes = components.shape
    seen = np.full(m, 1 / m) if seen is None else np.asarray(seen, np.float64)
    if seen.shape != (m,) or not (np.isfinite(components).all() and np.isfinite(seen).all()):
        raise ValueError(
            f"components are {components.shape} and observations {seen.shape}, all finite numbers"
        )
    if (components < 0).any() or (seen < 0).any() or seen.sum() <= 0:
        raise ValueError("components and observations must not be negative, and some must be seen")
    explained = (components.sum(axis=1) > 0) & (seen > 0)  # what no class can give tells nothing
    if not explained.any():
        return Mixture(np.full(classes, 1 / classes), 0.0, 0)
    components, seen = components[explained], seen[explained] / seen[explained].sum()
    prior = np.broadcast_to(np.asarray(pseudo, np.float64), (classes,))
    held, total = prior > 0, 1 + float(prior.sum())

    def gradient(p: Array) -> Array:
        return components.T @ (seen / np.maximum(components @ p, TINY))

    def step(p: Array) -> Array:
        found = p * gradient(p) + prior
        return np.asarray(found / found.sum())

    def objective(p: Array) -> float:
        value = seen @ np.log(np.maximum(components @ p, TINY))
        return float(value + prior @ np.log(np.maximum(p, TINY)))

    p = np.full(classes, 1 / classes)
    if start is not None:  # a weight of 0 would stay 0
        p = 0.95 * np.asarray(start, np.float64) + 0.05 / classes
    gap, done = float(np.inf), 0
    while done < ITERATIONS:
        done += 1
        slope = gradient(p) + np.where(held, prior / np.maximum(p, TINY), 0.0)
        gap = float(slope.max() - total)
        if held.any():  # such weights are positive: the condition is an equality
            gap = max(gap, float((total - slope[held]).max()))
        if gap <= tolerance:
            break
        once = step(p)
        twice = step(once)
        first, second = once - p, twice - 2 * once + p
        length = float(np.linalg.norm(second))
        if length > 0:
            reach = min(-1.0, -float(np.linalg.norm(first)) / length)
            far = p - 2 * reach * first + reach**2 * second
            far = np.maximum(far, twice * 1e-3)
            far = step(far / far.sum())
            p = far if objective(far) >= objective(twice) else twice
        else:
            p = twice
    return Mixture(p, gap, done)


def em(
    probabilities: Array,
    training: Array,
    seen: Array | None = None,
    start: Array | None = None,
    belief: float = 0.0,
) -> Array:
    """(classes,) priors that maximise the likelihood of the products, the fixed point of Saerens' EM.

    Args:
        probabilities: (n, classes) of a calibrated classifier.
        training: (classes,) the priors under which it is calibrated; a class of none keeps none.
        seen: (n,) weights of the products; equal if None.
        belief: products, sold as `training` says, that a Dirichlet prior is worth; the mode of the posterior is then
            found (ours).

    Source: Saerens et al. 2002, "Adjusting the outputs of a classifier to new a priori probabilities", eq. 9.

    >>> em(np.array([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9]]), np.array([0.5, 0.5])).round(4).tolist()
    [0.1875, 0.8125]
    """
    known = training > 0
    likelihoods = np.where(known, probabilities / np.where(known, training, 1.0), 0.0)
    begun = training if start is None else start
    pseudo = belief / len(probabilities) * np.where(known, training, 0.0)
    return np.where(known, mixture(likelihoods, seen, pseudo, np.where(known, begun, 0.0)).weights, 0.0)


def hard_decisions(probabilities: Array) -> Array:
    """(n, classes) 1 for the most probable class, of equal ones the first."""
    found = np.zeros(probabilities.shape)
    found[np.arange(len(found)), probabilities.argmax(axis=1)] = 1
    return found


def confusion(answers: Array, labels: NDArray[np.int64]) -> Array:
    """(classes, classes) C[i, j], the mean answer for class i of products of class j; each column sums to 1.

    A class without a labelled product gets the unit column: its answers are taken as they are.

    Args:
        answers: (n, classes) probabilities, or `hard_decisions` of them.
        labels: (n,) class numbers, none negative.
    """
    classes = answers.shape[1]
    counts = np.bincount(labels, minlength=classes)
    sums = np.zeros((classes, classes))
    np.add.at(sums, labels, answers)  # row j: the sum over products of class j
    found = np.divide(sums, counts[:, None], out=np.eye(classes), where=counts[:, None] > 0)
    return np.asarray(found.T)


def by_inverse(matrix: Array, mean: Array) -> Array:
    """CM and SCM: C^-1 q, the pseudo-inverse if C is singular; what is negative becomes 0 and the rest sums to 1.

    Args:
        matrix: (classes, classes) of `confusion`.
        mean: (classes,) the mean answer over the target's products.

    Source: Vucetic and Obradovic 2001; Bella et al. 2010 (soft).

    >>> by_inverse(np.array([[0.8, 0.3], [0.2, 0.7]]), np.array([0.5, 0.5])).round(3).tolist()
    [0.4, 0.6]
    """
    if np.linalg.cond(matrix) < 1 / SINGULAR:
        found = np.linalg.solve(matrix, mean)
    else:
        found = np.linalg.pinv(matrix, rcond=SINGULAR) @ mean
    return on_simplex(np.asarray(found, np.float64), mean)


def on_simplex(found: Array, otherwise: Array) -> Array:
    """Negative entries cut to 0 and the rest divided by their sum; `otherwise` where nothing is left."""
    cut = np.maximum(np.where(np.isfinite(found), found, 0.0), 0.0)
    return np.asarray(cut / cut.sum() if cut.sum() > 0 else otherwise / otherwise.sum())


def bbse(answers: Array, labels: NDArray[np.int64], mean: Array) -> Array:
    """Black-box shift estimation: weights w = C_joint^-1 q, priors w * p(labels), cut at 0 and made to sum to 1.

    Args:
        answers, labels: of labelled products under the source's priors, see `confusion`.
        mean: (classes,) the mean answer over the target's products.

    Source: Lipton, Wang and Smola 2018, "Detecting and correcting for label shift with black box predictors".
    """
    classes = answers.shape[1]
    joint = np.zeros((classes, classes))
    np.add.at(joint, labels, answers)
    joint = joint.T / len(labels)  # (answered, true)
    source = np.bincount(labels, minlength=classes) / len(labels)
    weights = np.linalg.pinv(joint, rcond=SINGULAR) @ mean
    return on_simplex(np.maximum(weights, 0) * source, mean)


def likeliest(matrix: Array, mean: Array, start: Array | None = None) -> Array:
    """CM-L and SCM-L: maximises sum_k q_k log (C p)_k.

    Source: Sipka, Sulc and Matas 2022, eq. 10; there by projected gradient, which stops short under a strong shift.
    """
    return mixture(matrix, mean, start=start).weights


def most_probable(
    matrix: Array, mean: Array, n: float, alpha: float = ALPHA, start: Array | None = None
) -> Array:
    """CM-M and SCM-M: the same with a Dirichlet prior.

    Args:
        n: products of the target: with few of them the prior weighs more.
        alpha: of the symmetric Dirichlet; 1 is `likeliest`.

    Source: Sipka, Sulc and Matas 2022, eq. 12.
    """
    return mixture(matrix, mean, pseudo=(alpha - 1) / n, start=start).weights
