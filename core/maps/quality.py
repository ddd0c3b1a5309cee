"""Quality of a map: trustworthiness and neighbour recall, on a sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from core.catalog.map_files import Quality

NEIGHBOURS = 15
MEASURED = 1_000  # points that are measured
AMONG = 200_000  # points among which neighbours are searched
BLOCK = 100  # of measured points, whose similarities to all are held at once


def measure(
    vectors: NDArray[np.float32],
    points: NDArray[np.floating],
    measured: NDArray[np.int64],
    neighbours: int = NEIGHBOURS,
) -> Quality:
    """Quality of some points of a map among all given points.

    Trustworthiness sums, over each point's k neighbours on the map that are not among its k nearest by vectors,
    their rank r by similarity (from 1):

        1 - 2 / (m k (2n - 3k - 1)) * sum of max(0, r - k)

    Args:
        vectors: (n, d) of length 1, no two alike; points: (n, 2); measured: (m,) positions among the n.
        neighbours: k; fewer where n is small, since the formula wants k < n / 2.

    Source: Venna and Kaski 2001, Neighborhood preservation in nonlinear projection methods.
    """
    n, m = len(vectors), len(measured)
    k = min(neighbours, (n - 1) // 2)
    if k < 1 or m == 0:
        return Quality(m, n, k, None, None)
    near = cKDTree(points).query(points[measured], k + 1)[1]
    beyond = kept = 0.0
    for start in range(0, m, BLOCK):
        own = measured[start : start + BLOCK]
        similarity = vectors[own] @ vectors.T  # (b, n)
        similarity[np.arange(len(own)), own] = np.inf  # itself stands before all
        for row, (place, position) in enumerate(zip(near[start : start + BLOCK], own, strict=True)):
            others = place[place != position][:k]
            ranks = np.array([np.count_nonzero(similarity[row] > similarity[row, other]) for other in others])
            beyond += float(np.maximum(0, ranks - k).sum())
            kept += float(np.count_nonzero(ranks <= k))
    trust = 1 - 2 * beyond / (m * k * (2 * n - 3 * k - 1))
    return Quality(m, n, k, round(trust, 4), round(kept / (m * k), 4))


def measure_parts(
    vectors: NDArray[np.float32],
    points: NDArray[np.floating],
    fitted: NDArray[np.bool_],
    seed: int,
) -> dict[str, Quality]:
    """The quality of the points that were fitted, and of those that were placed, both among all of them.

    Args:
        vectors: (n, d); points: (n, 2); fitted: (n,) true where a point was fitted, not placed.
    """
    rng = np.random.default_rng(seed)
    found = {}
    for name, chosen in (("fitted", fitted), ("placed", ~fitted)):
        where = np.flatnonzero(chosen)
        if len(where):
            found[name] = measure(
                vectors, points, np.sort(rng.choice(where, min(MEASURED, len(where)), replace=False))
            )
    return found
