"""Weights of correct and incorrect pairs from the similarity of their two pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-6  # shares stay this far from 0 and 1, so that their logarithms are finite


def share(similarity: NDArray[np.floating]) -> NDArray[np.float64]:
    """m(x) = (1 + x) / 2 within [1e-6, 1 - 1e-6]: a cosine as a share.

    A cosine may be negative, of which the paper takes the logarithm; m rises with it and is always positive.

    Args:
        similarity: cosines in [-1, 1], any shape.

    >>> share(np.array([-1.0, 0.0, 1.0])).tolist()
    [1e-06, 0.5, 0.999999]
    """
    return np.clip((1 + np.asarray(similarity, np.float64)) / 2, LEAST, 1 - LEAST)


def weights(similarity: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """w^p = m(S) of the correct pairs and w^n = 1 - m(S) of the incorrect ones.

    The more alike the two pictures, the more the correct pair counts and the less the incorrect one.

    Args:
        similarity: (K,) S_k, the cosine of an anchor's picture and its partner's.

    Source: Tagami et al. 2024, equations 1 and 2.

    >>> [part.tolist() for part in weights(np.array([0.5]))]
    [[0.75], [0.25]]
    """
    positive = share(similarity)
    return positive.astype(np.float32), (1 - positive).astype(np.float32)
