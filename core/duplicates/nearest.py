"""Near pairs among hashes and among vectors, by FAISS: each class's nearest in every split, so that a crowd of look-alikes in
one split cannot hide the one in another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.duplicates.detectors import HASH_BITS, Near, gathered
from core.sources.reading import Progress, no_progress

NEIGHBOURS = 32  # a class in a split: what bounds a threshold that pairs everything with everything
BLOCK = 2_048  # queries at a time
MANY = 200_000  # vectors from which an inverted file is used; its recall is measured and said
RECALL_QUERIES, RECALL_WANTED = 300, 0.99


def near_hashes(
    hashes: NDArray[np.uint8],
    mirrored: NDArray[np.uint8],
    splits: NDArray[np.bool_],
    most_bits: int,
    progress: Progress = no_progress,
) -> Near:
    """Pairs of hashes that differ in at most `most_bits` bits, as they are or one of them mirrored.

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
) -> Near:
    """Pairs of vectors whose cosine is `least_cosine` or more.

    Args:
        vectors: (m, d) distinct, of length 1.
        splits: (m, s) which splits each occurs in.
    """
    import faiss

    notes: list[str] = []

    def index_of(members: NDArray[np.int64]) -> Any:
        flat = faiss.IndexFlatIP(vectors.shape[1])
        flat.add(vectors[members])
        if len(members) < MANY:
            return flat
        index, note = _inverted(vectors[members], flat, least_cosine)
        notes.append(note)
        return index

    def search(index: Any, rows: NDArray[np.int64], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        likeness, found = index.search(np.ascontiguousarray(vectors[rows]), k)
        return np.minimum(likeness, 1.0), found

    near = _searched(len(vectors), splits, index_of, search, least_cosine, progress, "Comparing vectors")
    return Near(near.a, near.b, near.likeness, (*near.notes, *notes))


def _inverted(vectors: NDArray[np.float32], flat: Any, least: float) -> tuple[Any, str]:
    """An inverted file, probed as far as it takes to find what an exact search finds."""
    import faiss

    d, lists = vectors.shape[1], int(4 * len(vectors) ** 0.5)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(d), d, lists, faiss.METRIC_INNER_PRODUCT)
    rng = np.random.default_rng(0)
    index.train(vectors[rng.permutation(len(vectors))[: 40 * lists]])
    index.add(vectors)
    queries = vectors[rng.permutation(len(vectors))[:RECALL_QUERIES]]
    likeness, exact = flat.search(queries, NEIGHBOURS)
    wanted = [set(row[near >= least].tolist()) for row, near in zip(exact, likeness, strict=True)]
    recall = 0.0
    for index.nprobe in (4, 8, 16, 32, 64, 128, 256):
        found = [set(row.tolist()) for row in index.search(queries, NEIGHBOURS)[1]]
        total = sum(map(len, wanted))
        recall = sum(len(a & b) for a, b in zip(wanted, found, strict=True)) / max(1, total)
        if recall >= RECALL_WANTED:
            break
    return (
        index,
        f"Approximate search: it finds {recall:.1%} of what an exact one does, on {RECALL_QUERIES} products.",
    )


def _searched(
    m: int,
    splits: NDArray[np.bool_],
    index_of: Any,
    search: Any,
    least: float,
    progress: Progress,
    what: str,
) -> Near:
    """Every class's nearest in every split, at least `least` alike."""
    a, b, scores, crowded, done = [], [], [], 0, 0
    members = [np.flatnonzero(splits[:, split]) for split in range(splits.shape[1])]
    total = sum(len(rows) for rows in members) * len(members)
    for inside in members:
        if not len(inside):
            continue
        index = index_of(inside)
        k = min(NEIGHBOURS + 1, len(inside))  # itself is among them in its own split
        for rows in _blocks(members):
            likeness, found = search(index, rows, k)
            near = (found >= 0) & (likeness >= least)
            if k > NEIGHBOURS:  # the last of an answer is still near: there may be more
                crowded += int(near[:, k - 1 :: k].any(axis=1).sum())
            query, place = np.nonzero(near)
            a.append(rows[query])
            b.append(inside[found[query, place]])
            scores.append(likeness[query, place])
            done += len(rows)
            progress(done, total, what)
    if not a:
        return Near.none()
    notes = []
    if crowded:
        notes.append(
            f"{crowded:,} times something was like more than {NEIGHBOURS} others: the nearest {NEIGHBOURS} of each "
            "were kept, so pairs that are less alike may be missing."
        )
    return gathered(np.concatenate(a), np.concatenate(b), np.concatenate(scores), tuple(notes))


def _blocks(members: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    for rows in members:
        for start in range(0, len(rows), BLOCK):
            yield rows[start : start + BLOCK]
