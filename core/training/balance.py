"""Long-tailed training: a loss with logit adjustment, or class-balanced sampling.

Sources: Ren et al. 2020, "Balanced Meta-Softmax"; Menon et al. 2021, "Long-tail learning via logit
adjustment". With tau 1 they are equal: softmax is invariant to a common shift of the logits.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Balance = Literal["none", "loss", "sampling"]
BALANCES: tuple[Balance, ...] = ("none", "loss", "sampling")
TINY = 1e-12  # added to shares before the logarithm, as in the reference code, for classes without products


def log_shares(labels: NDArray[np.int64], classes: int, tau: float = 1.0) -> NDArray[np.float32]:
    """(classes,) logit adjustment in training: tau log(share of the class).

    Trained with the adjusted logits, the plain logits are calibrated for uniform class priors.

    >>> log_shares(np.array([0, 0, 0, 1]), 2).round(3).tolist()
    [-0.2879999876022339, -1.3860000371932983]
    """
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    return (tau * np.log(counts / counts.sum() + TINY)).astype(np.float32)


class ClassSampler:
    """Draws a class uniformly among non-empty classes, then one of its products, with replacement."""

    def __init__(self, positions: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        """
        Args:
            positions: (n,) candidates.
            labels: (n,) their classes.
        """
        order = np.argsort(labels, kind="stable")
        self._positions = positions[order]
        _, self._starts, self._counts = np.unique(labels[order], return_index=True, return_counts=True)

    def draw(self, n: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """(n,) positions."""
        chosen = generator.integers(len(self._counts), size=n)
        within = np.floor(generator.random(n) * self._counts[chosen]).astype(np.int64)
        return self._positions[self._starts[chosen] + within]
