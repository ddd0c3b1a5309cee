"""Fit four distributions to a rank-frequency curve and compare them by AIC.

Each product is a draw of a rank r in 1..K with probability p(r) proportional to

    exponential            exp(-r / s)
    power law              r^-a
    log-normal             1/r exp(-(ln r - m)^2 / (2 d^2))
    stretched exponential  exp(-(r / s)^b)

The likelihood is that of the counts under p, AIC = 2 k - 2 ln L. Ranks are estimated from the same counts, so
that the first are slightly too large (Piantadosi 2014); with thousands of products per class this is negligible.

Sources: Clauset, Shalizi and Newman 2009, "Power-law distributions in empirical data"; Laherrère and Sornette 1998
for the stretched exponential; Akaike 1974; Burnham and Anderson 2002 for the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
FEWEST_CLASSES = 4  # with fewer classes, two parameters fit anything


@dataclass(frozen=True)
class Shape:
    name: str
    parameters: tuple[str, ...]
    log_weight: Callable[[Array, Array], Array]  # (theta, ranks) -> ln p up to a constant
    starts: Callable[[int], Sequence[Sequence[float]]]  # of theta, for K classes
    readable: Callable[[Array], tuple[float, ...]]


SHAPES = (
    Shape(
        "exponential",
        ("scale",),
        lambda theta, r: -r * np.exp(-theta[0]),
        lambda k: [[np.log(k / 4)], [np.log(2 * k)]],
        lambda theta: (float(np.exp(theta[0])),),
    ),
    Shape(
        "power law",
        ("exponent",),
        lambda theta, r: -theta[0] * np.log(r),
        lambda k: [[1.0]],
        lambda theta: (float(theta[0]),),
    ),
    Shape(
        "log-normal",
        ("mu", "sigma"),
        lambda theta, r: -np.log(r) - (np.log(r) - theta[0]) ** 2 / 2 * np.exp(-2 * theta[1]),
        lambda k: [[np.log(k) / 2, 0.0], [0.0, np.log(2.0)]],
        lambda theta: (float(theta[0]), float(np.exp(theta[1]))),
    ),
    Shape(
        "stretched exponential",
        ("scale", "beta"),
        lambda theta, r: -np.exp(np.exp(theta[1]) * (np.log(r) - theta[0])),
        lambda k: [[np.log(k / 4), 0.0], [np.log(max(k / 20, 1.0)), np.log(0.5)]],
        lambda theta: (float(np.exp(theta[0])), float(np.exp(theta[1]))),
    ),
)


@dataclass(frozen=True)
class Fit:
    shape: str
    parameters: dict[str, float]
    log_likelihood: float
    aic: float
    delta_aic: float  # to the best of the four
    weight: float  # Akaike weight among the four
    log10_rmse: float  # root mean square of log10(counted / fitted) over classes
    expected: Array  # (K,) fitted products of each rank


def fit(counts: ArrayLike) -> list[Fit]:
    """Fit the four shapes, best first.

    Args:
        counts: (K,) products per class, in any order; zeros are ignored.

    Returns:
        An empty list for fewer than FEWEST_CLASSES classes.
    """
    n = np.sort(np.asarray(counts, dtype=np.float64))[::-1]
    return list(_fits(n[n > 0].tobytes()))


@lru_cache(maxsize=64)  # a page requests the same fit several times
def _fits(counts: bytes) -> tuple[Fit, ...]:
    n = np.frombuffer(counts)
    if n.size < FEWEST_CLASSES:
        return ()
    ranks = np.arange(1, n.size + 1, dtype=np.float64)
    found = [(shape, *_maximise(shape, n, ranks)) for shape in SHAPES]
    aics = [2 * len(shape.parameters) - 2 * likelihood for shape, _, likelihood in found]
    best = min(aics)
    weights = np.exp(-0.5 * (np.array(aics) - best))
    weights /= weights.sum()
    fits = []
    for (shape, theta, likelihood), aic, weight in zip(found, aics, weights, strict=True):
        expected = n.sum() * np.exp(_log_p(shape, theta, ranks))
        error = np.log10(n) - np.log10(np.maximum(expected, 1e-9))
        fits.append(
            Fit(
                shape.name,
                dict(zip(shape.parameters, shape.readable(theta), strict=True)),
                likelihood,
                aic,
                aic - best,
                float(weight),
                float(np.sqrt((error**2).mean())),
                expected,
            )
        )
    return tuple(sorted(fits, key=lambda entry: entry.aic))


def _log_p(shape: Shape, theta: Array, ranks: Array) -> Array:
    weight = shape.log_weight(theta, ranks)
    most = weight.max()
    return np.asarray(weight - most - np.log(np.exp(weight - most).sum()))


def _maximise(shape: Shape, n: Array, ranks: Array) -> tuple[Array, float]:
    from scipy.optimize import minimize

    share = n / n.sum()

    def loss(theta: Array) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            value = -float((share * _log_p(shape, theta, ranks)).sum())
        return value if np.isfinite(value) else 1e12

    runs = [
        minimize(loss, np.array(start, dtype=np.float64), method="Nelder-Mead",
                 options={"xatol": 1e-6, "fatol": 1e-11, "maxiter": 2_000})
        for start in shape.starts(n.size)
    ]  # fmt: skip
    best = min(runs, key=lambda run: float(run.fun))
    return np.asarray(best.x), -float(best.fun) * float(n.sum())
