"""Partners for incorrect pairs: which product's text each picture gets.

All functions take features and clusters as they are given, n products each, and give positions 0..n-1. The features are
scaled to length 1 here. Similarities are scanned in single precision, block by block; those that rounding cannot
separate from the least are computed again in double precision, so that the block size changes nothing. Of equally
dissimilar partners the first is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.embeddings.store import unit
from core.errors import PairsError, UsageError
from core.progress import Progress, no_progress

ANCHORS, CANDIDATES = 512, 8_192  # of a block of similarities: 16 MB
DECIMALS = 12  # cosines that agree to so many are equal
TRIES = 256  # draws before all candidates of an anchor are compared with the threshold
MOST_ONCE = 50_000  # products up to which partners can be taken without replacement

Cluster = NDArray[np.integer]
Features = NDArray[np.floating]


@dataclass(frozen=True)
class Selected:
    """The partner of each of n anchors."""

    partner: NDArray[np.int64]  # (n,) position; -1 where there is no candidate
    similarity: NDArray[np.float64]  # (n,) cosine of the two pictures, in [-1, 1]; NaN without a partner
    redraws: NDArray[np.int32]  # (n,) clusters that were drawn in vain
    fallback: NDArray[np.bool_]  # (n,) nothing below the threshold: the least similar


def cosine(features: Features, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m,) cosines of pairs of rows, in [-1, 1]; NaN where b is -1."""
    found = np.full(len(a), np.nan)
    for start in range(0, len(a), CANDIDATES):
        here = np.arange(start, min(start + CANDIDATES, len(a)))
        here = here[b[here] >= 0]
        found[here] = (_unit64(features[a[here]]) * _unit64(features[b[here]])).sum(axis=1)
    return np.clip(found, -1, 1)


def draw_clusters(
    image_cluster: Cluster, text_cluster: Cluster, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """For each anchor one cluster other than its own, drawn uniformly; drawn again where no member has another text cluster.

    Args:
        image_cluster, text_cluster: (n,) numbers, in any order, not necessarily all there.

    Returns:
        (n,) the chosen image cluster, a number from image_cluster, or the anchor's own where no cluster has a candidate;
        and (n,) how many draws were in vain.

    Raises:
        PairsError: there is one cluster of pictures alone.
    """
    numbers, image = np.unique(image_cluster, return_inverse=True)
    _, text = np.unique(text_cluster, return_inverse=True)
    count = len(numbers)
    if count < 2:
        raise PairsError(
            "All pictures are in one cluster: there is no other to take a partner from. "
            "Ask for more clusters, or take other vectors."
        )
    table = np.zeros((count, int(text.max(initial=0)) + 1), np.int64)
    np.add.at(table, (image, text), 1)
    possible = table.sum(axis=1, keepdims=True) - table > 0  # (image cluster, text cluster of the anchor)
    rng = np.random.default_rng([seed, 1])
    chosen = np.empty(len(image), np.int64)
    redraws = np.empty(len(image), np.int32)
    for start in range(0, len(image), CANDIDATES):
        own, words = image[start : start + CANDIDATES], text[start : start + CANDIDATES]
        key = rng.random((len(own), count))
        key[np.arange(len(own)), own] = 2  # never one's own
        order = np.argsort(key, axis=1)[:, :-1]  # the draws: a random order of the others
        works = possible[order, words[:, None]]
        first = works.argmax(axis=1)
        some = works.any(axis=1)
        chosen[start : start + CANDIDATES] = np.where(some, order[np.arange(len(own)), first], own)
        redraws[start : start + CANDIDATES] = np.where(some, first, count - 1)
    return numbers[chosen].astype(np.int64), redraws


def least_similar(
    features: Features,
    image_cluster: Cluster,
    text_cluster: Cluster,
    chosen: Cluster,
    progress: Progress = no_progress,
) -> Selected:
    """The least similar member of the chosen image cluster whose text is in another cluster than the anchor's.

    Args:
        features: (n, d) of the pictures.
        image_cluster, text_cluster: (n,).
        chosen: (n,) the image cluster that each anchor's partner is taken from; without a partner where it is the anchor's own.

    Source: Tagami et al. 2024, section 3.2.

    >>> least_similar(
    ...     np.array([[1.0, 0], [0, 1], [-1, 0], [-1, 1]]), np.array([0, 1, 1, 1]), np.array([0, 1, 0, 1]), np.array([1, 0, 0, 0])
    ... ).partner.tolist()
    [3, 0, -1, 0]
    """
    n = len(features)
    partner = np.full(n, -1, np.int64)
    text_cluster = np.asarray(text_cluster)
    of = _groups(image_cluster)
    asking = _groups(np.where(np.asarray(chosen) == np.asarray(image_cluster), -1, chosen))
    done = 0
    for number, anchors in asking.items():
        if number >= 0 and number in of:
            pool = _pool(features, of[number], text_cluster)
            anchors = anchors[np.argsort(text_cluster[anchors], kind="stable")]
            for start in range(0, len(anchors), ANCHORS):
                rows = anchors[start : start + ANCHORS]
                partner[rows] = _least(features, rows, text_cluster[rows], pool)
                progress(done + start + len(rows), n, "Selecting partners")
        done += len(anchors)
    return Selected(
        partner, cosine(features, np.arange(n), partner), np.zeros(n, np.int32), np.zeros(n, bool)
    )


@dataclass(frozen=True)
class _Pool:
    """The different members of an image cluster, sorted by text cluster."""

    members: NDArray[np.int64]
    text: NDArray[np.integer]
    vectors: NDArray[np.float32]


def _pool(features: Features, members: NDArray[np.int64], text_cluster: Cluster) -> _Pool:
    """Of members with the same vector and the same text cluster the first is enough: it is the one that would be taken."""
    members = members[np.argsort(text_cluster[members], kind="stable")]
    vectors, text = unit(features[members])[0], text_cluster[members]
    odd = np.random.default_rng(0).integers(0, 2**63, (2, vectors.shape[1]), np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    marks = np.zeros(len(members), np.uint64)
    for start in range(0, len(members), CANDIDATES):
        bits = (vectors[start : start + CANDIDATES] + 0).view(np.uint32).astype(np.uint64) + odd[0]
        bits ^= bits >> np.uint64(31)
        marks[start : start + CANDIDATES] = (bits * odd[1]).sum(axis=1)
    _, codes = np.unique(text, return_inverse=True)
    first = np.sort(np.unique(marks + codes.astype(np.uint64) * odd[0, 0], return_index=True)[1])
    return _Pool(members[first], text[first], vectors[first] if len(first) < len(members) else vectors)


def _least(features: Features, anchors: NDArray[np.int64], text: Cluster, pool: _Pool) -> NDArray[np.int64]:
    """The least similar member of each anchor with another text cluster; -1 where there is none.

    Args:
        text: (m,) the anchors' text clusters, ascending.
    """
    own = unit(features[anchors])[0]
    close = np.float32(2 * (features.shape[1] + 8) * 2.0**-24)  # what rounding can change of two similarities
    runs = _groups(text)  # anchors of one text cluster, and its members, are contiguous
    bars = {word: np.searchsorted(pool.text, [word, word + 1]) for word in runs}
    best = np.full(len(anchors), np.inf, np.float32)
    exact, found = np.full(len(anchors), np.inf), np.full(len(anchors), -1, np.int64)
    for start in range(0, len(pool.members), CANDIDATES):
        near = own @ pool.vectors[start : start + CANDIDATES].T
        for word, places in runs.items():
            low, high = np.clip(bars[word] - start, 0, near.shape[1])
            near[places[0] : places[-1] + 1, low:high] = np.inf
        least = near.min(axis=1)
        best = np.minimum(best, least)
        rows = np.flatnonzero((least <= best + close) & (least < np.inf))  # few, once a few blocks were seen
        row, column = np.nonzero(near[rows] <= (best[rows] + close)[:, None])
        row = rows[row]
        candidate = pool.members[column + start]
        value = cosine(features, anchors[row], candidate).round(DECIMALS)
        order = np.lexsort((candidate, value, row))
        row, first = np.unique(row[order], return_index=True)
        value, candidate = value[order][first], candidate[order][first]
        better = (value < exact[row]) | ((value == exact[row]) & (candidate < found[row]))
        exact[row[better]], found[row[better]] = value[better], candidate[better]
    return found


def least_similar_once(
    features: Features,
    image_cluster: Cluster,
    text_cluster: Cluster,
    seed: int,
    progress: Progress = no_progress,
) -> Selected:
    """As `draw_clusters` and `least_similar`, each product being a partner once at most; anchors choose in a random order.

    Raises:
        UsageError: there are more than 50,000 products: each choice depends on all before.
    """
    n = len(features)
    if n > MOST_ONCE:
        raise UsageError(
            f"Partners without replacement are for {MOST_ONCE:,} products at most; there are {n:,}."
        )
    rng = np.random.default_rng([seed, 2])
    of = _groups(image_cluster)
    pool = {number: unit(features[members])[0] for number, members in of.items()}
    unused = {number: np.ones(len(members), bool) for number, members in of.items()}
    partner, redraws = np.full(n, -1, np.int64), np.zeros(n, np.int32)
    for done, anchor in enumerate(rng.permutation(n)):
        others = rng.permutation([number for number in of if number != image_cluster[anchor]])
        for number in others:
            members = of[number]
            free = np.flatnonzero(unused[number] & (text_cluster[members] != text_cluster[anchor]))
            if len(free):
                near = pool[number][free] @ unit(features[anchor : anchor + 1])[0][0]
                place = free[near.argmin()]
                unused[number][place], partner[anchor] = False, members[place]
                break
            redraws[anchor] += 1
        progress(done + 1, n, "Selecting partners")
    return Selected(partner, cosine(features, np.arange(n), partner), redraws, np.zeros(n, bool))


def random_partners(features: Features, seed: int) -> Selected:
    """Any other product, drawn uniformly: variant 3.

    Raises:
        PairsError: there is no other product.
    """
    n = len(features)
    if n < 2:
        raise PairsError("A partner needs a second product with a picture and a text.")
    anchors = np.arange(n)
    partner = np.random.default_rng([seed, 3]).integers(0, n - 1, n)
    partner += partner >= anchors
    return Selected(partner, cosine(features, anchors, partner), np.zeros(n, np.int32), np.zeros(n, bool))


def partners_below(
    features: Features, threshold: float, seed: int, progress: Progress = no_progress
) -> Selected:
    """Any product whose picture is no more similar than a threshold, drawn uniformly: variants 4 to 6.

    Draws are repeated until one is below. An anchor for which 256 were in vain is compared with all products; the least
    similar one is taken where none is below.

    Raises:
        PairsError: there is no other product.
    """
    n = len(features)
    if n < 2:
        raise PairsError("A partner needs a second product with a picture and a text.")
    rng = np.random.default_rng([seed, 4])
    partner = np.full(n, -1, np.int64)
    pending = np.arange(n)
    for _ in range(TRIES):
        drawn = rng.integers(0, n - 1, len(pending))
        drawn += drawn >= pending
        good = cosine(features, pending, drawn) <= threshold
        partner[pending[good]] = drawn[good]
        pending = pending[~good]
        progress(n - len(pending), n, "Drawing partners")
        if not len(pending):
            break
    fallback = np.zeros(n, bool)
    for start in range(0, len(pending), ANCHORS):
        rows = pending[start : start + ANCHORS]
        partner[rows], fallback[rows] = _any_below(features, rows, threshold, rng)
        progress(n - len(pending) + start + len(rows), n, "Comparing with all products")
    return Selected(partner, cosine(features, np.arange(n), partner), np.zeros(n, np.int32), fallback)


def _any_below(
    features: Features, anchors: NDArray[np.int64], threshold: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """One candidate below the threshold, all with the same chance; else the least similar one, and which those are."""
    own = _unit64(features[anchors])
    seen = np.zeros(len(anchors), np.int64)
    taken, least = np.full(len(anchors), -1, np.int64), np.full(len(anchors), -1, np.int64)
    best = np.full(len(anchors), np.inf)
    each = np.arange(len(anchors))
    for start in range(0, len(features), CANDIDATES):
        near = np.clip(own @ _unit64(features[start : start + CANDIDATES]).T, -1, 1)
        inside = (anchors >= start) & (anchors < start + near.shape[1])
        near[each[inside], anchors[inside] - start] = np.inf  # not itself
        lowest = near.argmin(axis=1)
        better = near[each, lowest] < best
        best[better], least[better] = near[each, lowest][better], lowest[better] + start
        below = near <= threshold
        count = below.sum(axis=1)
        seen += count
        # Reservoir sampling: a block replaces the choice with its share of all candidates so far.
        moved = np.flatnonzero(rng.random(len(anchors)) * seen < count)
        rank = rng.integers(0, np.maximum(count, 1))
        for row in moved[count[moved] > 0]:
            taken[row] = np.flatnonzero(below[row])[rank[row]] + start
    none = seen == 0
    return np.where(none, least, taken), none


def _unit64(rows: Features) -> NDArray[np.float64]:
    wide = np.asarray(rows, np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / np.where(length > 0, length, 1)


def _groups(numbers: Cluster) -> dict[int, NDArray[np.int64]]:
    """The positions of each number, ascending."""
    order = np.argsort(numbers, kind="stable")
    found, starts = np.unique(np.asarray(numbers)[order], return_index=True)
    return dict(zip(found.tolist(), np.split(order, starts[1:]), strict=True)) if len(found) else {}
