"""K-means clusters of frozen vectors, the same for the same seed."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from core.embeddings.store import unit
from core.errors import PairsError

FITTED = 50_000  # vectors that K-means is fitted to; the others go to the nearest centre
RESTARTS = 10
BLOCK = 8_192  # rows that are read at a time


def cluster(
    vectors: NDArray[np.floating], rows: NDArray[np.int64], k: int, seed: int, what: str = "vectors"
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Clusters of directions, numbered by size, largest first.

    K-means++ with 10 restarts on at most 50,000 of the vectors, scaled to length 1; one thread, since several add in
    an order that changes.

    Args:
        vectors: (n, d), possibly mapped from the disk; rows: (m,) those that are clustered.
        what: of what they are, for an error.

    Returns:
        (m,) cluster of each row, 0..k-1, and (k, d) centres.

    Raises:
        PairsError: there are fewer different vectors than clusters.

    Source: MacQueen 1967; Arthur and Vassilvitskii 2007 (scikit-learn's KMeans).
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    if len(rows) < k:
        raise PairsError(
            f"{len(rows):,} products with a picture and a text are fewer than {k:,} clusters. Ask for fewer: --clusters"
        )
    fitted = rows
    if len(rows) > FITTED:
        fitted = np.sort(np.random.default_rng([seed, 7]).choice(rows, FITTED, replace=False))
    own = unit(np.asarray(vectors[fitted], np.float32))[0]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # fewer different vectors: an error of ours, below
        model = KMeans(k, n_init=RESTARTS, random_state=seed).fit(own)
        centres = np.asarray(model.cluster_centers_, np.float32)
        labels = _nearest(vectors, rows, centres)
    sizes = np.bincount(labels, minlength=k)
    if (sizes == 0).any():
        different = len(np.unique(own, axis=0))
        raise PairsError(
            f"{k:,} clusters of {what} are asked for, but only {different:,} different {what} fill "
            f"{int((sizes > 0).sum()):,} of them. Ask for fewer: --clusters, at least 2"
        )
    order = np.argsort(-sizes, kind="stable")
    place = np.empty(k, np.int32)
    place[order] = np.arange(k, dtype=np.int32)
    return place[labels], centres[order]


def _nearest(
    vectors: NDArray[np.floating], rows: NDArray[np.int64], centres: NDArray[np.float32]
) -> NDArray[np.int64]:
    """(m,) the centre at the least distance; for vectors of length 1 that is this maximum."""
    labels = np.empty(len(rows), np.int64)
    offset = (centres**2).sum(axis=1) / 2
    for start in range(0, len(rows), BLOCK):
        block = unit(np.asarray(vectors[rows[start : start + BLOCK]], np.float32))[0]
        labels[start : start + BLOCK] = (block @ centres.T - offset).argmax(axis=1)
    return labels


def typical(
    vectors: NDArray[np.floating],
    rows: NDArray[np.int64],
    labels: NDArray[np.int32],
    centres: NDArray[np.float32],
    marks: NDArray[np.int64],
    count: int,
) -> tuple[tuple[int, ...], ...]:
    """Of each cluster the rows nearest to its centre by cosine, each vector once.

    Args:
        vectors, rows: as for `cluster`; labels, centres: what it returned.
        marks: (m,) the same for the same vector.
        count: of rows of a cluster, at most.
    """
    middle = unit(centres)[0]
    near = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = unit(np.asarray(vectors[rows[start : start + BLOCK]], np.float32))[0]
        near[start : start + BLOCK] = (block * middle[labels[start : start + BLOCK]]).sum(axis=1)
    found = []
    for number in range(len(centres)):
        members = np.flatnonzero(labels == number)
        members = members[np.lexsort((members, -near[members]))][: 20 * count]
        first = np.sort(np.unique(marks[members], return_index=True)[1])[:count]
        found.append(tuple(rows[members[first]].tolist()))
    return tuple(found)
