"""A linear regression of many numbers on the pieces of texts, solved without a matrix of pieces by pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

RIDGE = 0.5  # added to the diagonal of what is solved


def piece_counts(texts: Sequence[str], pieces: Callable[[Sequence[str]], Tensor], vocabulary: int) -> Any:
    """(n, vocabulary) sparse: how often each text has each piece."""
    from scipy.sparse import csr_matrix

    rows, columns = [], []
    for at in range(0, len(texts), 512):
        numbers = pieces(texts[at : at + 512]).numpy()
        row, place = np.nonzero(numbers)
        rows.append(row + at)
        columns.append(numbers[row, place])
    row, column = np.concatenate(rows), np.concatenate(columns)
    return csr_matrix((np.ones(len(row), np.float32), (row, column)), (len(texts), vocabulary))


def ridge(counts: Any, targets: NDArray[np.float32], iterations: int) -> NDArray[np.float32]:
    """(vocabulary, d) least squares with RIDGE, by conjugate gradients with the diagonal as preconditioner.

    Source: Golub and Van Loan, "Matrix Computations", algorithm 11.5.1, each column on its own.
    """
    turned = counts.T.tocsr()
    scale = 1 / (np.asarray(counts.multiply(counts).sum(axis=0)).ravel() + RIDGE)[:, None].astype(np.float32)
    solved = np.zeros((counts.shape[1], targets.shape[1]), np.float32)
    left = turned @ targets
    step = scale * left
    size = (left * step).sum(axis=0)
    for _ in range(iterations):
        moved = turned @ (counts @ step) + RIDGE * step
        pace = size / np.maximum((step * moved).sum(axis=0), 1e-12)
        solved += pace * step
        left -= pace * moved
        near = scale * left
        fresh = (left * near).sum(axis=0)
        step = near + fresh / np.maximum(size, 1e-12) * step
        size = fresh
    return solved
