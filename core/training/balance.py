"""Training for a long tail: a loss adjusted by the classes' frequencies, or batches that draw classes alike.

Sources: Ren et al. 2020, "Balanced Meta-Softmax"; Menon et al. 2021, "Long-tail learning via logit
adjustment". With tau 1 they are the same: softmax does not see what all logits are shifted by.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Balance = Literal["none", "loss", "sampling"]
BALANCES: tuple[Balance, ...] = ("none", "loss", "sampling")
TINY = 1e-12  # added to shares before the logarithm, as the reference code does: a class without products


def log_shares(labels: NDArray[np.int64], classes: int, tau: float = 1.0) -> NDArray[np.float32]:
    """(classes,) what the logits of training products are raised by: tau log(share of the class).

    Cross-entropy of logits raised so makes the plain logits right for classes that are equally likely.

    >>> log_shares(np.array([0, 0, 0, 1]), 2).round(3).tolist()
    [-0.2879999876022339, -1.3860000371932983]
    """
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    return (tau * np.log(counts / counts.sum() + TINY)).astype(np.float32)


class ClassSampler:
    """Draws a class uniformly among those that have products, then one of its products, with replacement."""

    def __init__(self, positions: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        """
        Args:
            positions: (n,) what may be drawn; labels: (n,) their classes.
        """
        order = np.argsort(labels, kind="stable")
        self._positions = positions[order]
        _, self._starts, self._counts = np.unique(labels[order], return_index=True, return_counts=True)

    def draw(self, n: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """(n,) positions."""
        chosen = generator.integers(len(self._counts), size=n)
        within = np.floor(generator.random(n) * self._counts[chosen]).astype(np.int64)
        return self._positions[self._starts[chosen] + within]
