"""Which classes a review offers: those of the most similar products, each product's own label left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.embeddings.store import unit

NEIGHBOURS = 20
FEW = 5
SAMPLE = 200_000  # products that vote, of a larger dataset: a review does not wait for a million
BLOCK = 50_000  # of them at a time


def likeliest(
    vectors: NDArray[np.float16],
    present: NDArray[np.bool_],
    codes: NDArray[np.integer],
    rows: NDArray[np.int64],
    few: int = FEW,
) -> list[list[int]]:
    """The classes of similar products, the likeliest first: a vote weighted by similarity.

    Args:
        vectors: (n, d) of all products.
        present: (n,) which have one and a class, so that they can vote.
        codes: (n,) the class of each product.
        rows: (m,) the products that are asked about; their own label has no vote.

    Returns:
        m lists of up to `few` codes; empty where a product has no vector.
    """
    voters = np.flatnonzero(present)
    if len(voters) > SAMPLE:
        voters = np.sort(np.random.default_rng(0).choice(voters, SAMPLE, replace=False))
    asked, good = unit(np.asarray(vectors[rows]))
    best = np.full((len(rows), NEIGHBOURS), -np.inf, np.float32)
    near = np.full((len(rows), NEIGHBOURS), -1, np.int64)
    for start in range(0, len(voters), BLOCK):
        block = voters[start : start + BLOCK]
        there, directed = unit(np.asarray(vectors[block]))
        likeness = asked @ there.T  # (m, block)
        likeness[:, ~directed] = -np.inf
        likeness[rows[:, None] == block] = -np.inf
        both = np.concatenate([best, likeness], axis=1)
        ids = np.concatenate([near, np.broadcast_to(block, likeness.shape)], axis=1)
        top = np.argpartition(-both, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
        best, near = np.take_along_axis(both, top, 1), np.take_along_axis(ids, top, 1)
    found: list[list[int]] = []
    for place in range(len(rows)):
        use = np.isfinite(best[place]) & good[place]
        votes: dict[int, float] = {}
        for row, weight in zip(near[place][use].tolist(), best[place][use].tolist(), strict=True):
            code = int(codes[row])
            votes[code] = votes.get(code, 0.0) + max(weight, 0.0)
        found.append(sorted(votes, key=lambda code: (-votes[code], code))[:few])
    return found
