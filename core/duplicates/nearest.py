"""Near pairs of hashes and of vectors, by FAISS: the nearest neighbours of each class in every split, so that many
look-alikes in one split cannot hide the one in another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.duplicates.detectors import HASH_BITS, NearPairs, gathered
from core.progress import Progress, no_progress

NEIGHBOURS = 32  # neighbours of a class per split, which bounds the number of pairs
BLOCK = 2_048  # queries at a time
MANY = 200_000  # vectors from which an inverted file is used; its recall is measured and reported
RECALL_QUERIES, RECALL_WANTED = 1_000, 0.99


def near_hashes(
    hashes: NDArray[np.uint8],
    mirrored: NDArray[np.uint8],
    splits: NDArray[np.bool_],
    most_bits: int,
    progress: Progress = no_progress,
) -> NearPairs:
    """Pairs of hashes within a Hamming distance of `most_bits`, plain or one of them mirrored.

    Args:
        hashes, mirrored: (m, 16) distinct hashes, and those of the mirrored pictures.
        splits: (m, s) which splits each occurs in.
    """
    import faiss

    def index_of(members: NDArray[np.int64]) -> Any:
        index = faiss.IndexBinaryFlat(HASH_BITS)
        index.add(np.ascontiguousarray(hashes[members]))
        return index

    def search(index: Any, rows: NDArray[np.int64], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        found = [index.search(np.ascontiguousarray(kind[rows]), k) for kind in (hashes, mirrored)]
        distance = np.concatenate([one[0] for one in found], axis=1)
        return HASH_BITS - distance.astype(np.float32), np.concatenate([one[1] for one in found], axis=1)

    return _searched(
        len(hashes), splits, index_of, search, HASH_BITS - most_bits, progress, "Comparing hashes"
    )


def near_vectors(
    vectors: NDArray[np.float32],
    splits: NDArray[np.bool_],
    least_cosine: float,
    progress: Progress = no_progress,
) -> NearPairs:
    """Pairs of vectors whose cosine is `least_cosine` or more.

    Args:
        vectors: (m, d) distinct, of length 1.
        splits: (m, s) which splits each occurs in.
    """
    import faiss

    notes: list[str] = []

    def index_of(members: NDArray[np.int64]) -> Any:
        if len(members) >= MANY:
            index, note = inverted(vectors[members], least_cosine)
            notes.append(note)
            return index
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors[members])
        return index

    def search(index: Any, rows: NDArray[np.int64], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        likeness, found = index.search(np.ascontiguousarray(vectors[rows]), k)
        return np.minimum(likeness, 1.0), found

    near = _searched(len(vectors), splits, index_of, search, least_cosine, progress, "Comparing vectors")
    return NearPairs(near.a, near.b, near.likeness, (*near.notes, *notes))


def inverted(vectors: NDArray[np.float32], least: float) -> tuple[Any, str]:
    """An inverted file with enough probes for the recall at the threshold, and a note with the measured recall.

    Recall is measured with queries rotated to a cosine of `least` with their vectors, the hardest pairs to find. The
    vectors themselves as queries would always be found.

    Args:
        vectors: (n, d) of length 1.
    """
    import faiss

    (n, d), rng = vectors.shape, np.random.default_rng(0)
    lists = int(4 * n**0.5)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(d), d, lists, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors[rng.permutation(n)[: 40 * lists]])
    index.add(vectors)
    own = rng.permutation(n)[:RECALL_QUERIES]
    aside = rng.normal(size=(len(own), d)).astype(np.float32)
    aside -= (aside * vectors[own]).sum(1, keepdims=True) * vectors[own]
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    queries = least * vectors[own] + np.float32((1 - least**2) ** 0.5) * aside
    recall = 0.0
    for index.nprobe in (4, 8, 16, 32, 64, 128, 256):
        likeness, found = index.search(queries, NEIGHBOURS)
        crowded = likeness[:, -1] > least  # others are nearer, as in an exact search
        recall = float(((found == own[:, None]).any(axis=1) | crowded).mean())
        if recall >= RECALL_WANTED:
            break
    return (
        index,
        f"Approximate search: it finds {recall:.1%} of pairs of cosine {least:g}, tried with {len(own):,}.",
    )


def _searched(
    m: int,
    splits: NDArray[np.bool_],
    index_of: Any,
    search: Any,
    least: float,
    progress: Progress,
    what: str,
) -> NearPairs:
    """The nearest neighbours of each class in each split with a similarity of at least `least`."""
    a, b, scores, crowded, done = [], [], [], 0, 0
    members = [np.flatnonzero(splits[:, split]) for split in range(splits.shape[1])]
    total = sum(len(rows) for rows in members) * len(members)
    for inside in members:
        if not len(inside):
            continue
        index = index_of(inside)
        k = min(NEIGHBOURS + 1, len(inside))  # includes itself in its own split
        for rows in _blocks(members):
            likeness, found = search(index, rows, k)
            near = (found >= 0) & (likeness >= least)
            if k > NEIGHBOURS:  # the last neighbour is within the threshold: there may be more
                crowded += int(near[:, k - 1 :: k].any(axis=1).sum())
            query, place = np.nonzero(near)
            a.append(rows[query])
            b.append(inside[found[query, place]])
            scores.append(likeness[query, place])
            done += len(rows)
            progress(done, total, what)
    if not a:
        return NearPairs.none()
    notes = []
    if crowded:
        notes.append(
            f"{crowded:,} searches reached the limit of {NEIGHBOURS} neighbours: only the nearest {NEIGHBOURS} "
            "were stored, so less similar pairs may be missing."
        )
    return gathered(np.concatenate(a), np.concatenate(b), np.concatenate(scores), tuple(notes))


def _blocks(members: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    for rows in members:
        for start in range(0, len(rows), BLOCK):
            yield rows[start : start + BLOCK]
