"""A nearest-neighbour graph of many vectors, in chunks that survive a kill; exact, or with an inverted file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.embeddings.store import unit
from core.storage import reserve

CHUNK = 2_048  # queries per chunk: the most that a kill can lose
BLOCK = 8_192  # rows that are read at a time
EXACT = 30_000  # up to so many vectors the search is exact

Tell = Callable[[int, int], None]  # done, of how many


def unit_rows(vectors: NDArray[np.float16], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(m, d) these rows, of length 1."""
    found = np.empty((len(rows), vectors.shape[1]), np.float32)
    for start in range(0, len(rows), BLOCK):
        found[start : start + BLOCK] = unit(vectors[rows[start : start + BLOCK]])[0]
    return found


def different(
    vectors: NDArray[np.float16], present: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of distinct vectors, and for each row the position of its vector among them.

    Products often share a picture, and so a vector; as neighbours they would displace all others. Rows whose
    vector has no direction (zeros, NaN) count as absent. Vectors are compared by a 64-bit hash.

    Returns:
        (u,) row_ids, ascending, and (n,) positions in it, -1 where a row has no vector.
    """
    n, d = vectors.shape
    marks = np.zeros(n, np.uint64)
    good = present.copy()
    odd = np.random.default_rng(0).integers(0, 2**63, (2, d), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    for start in range(0, n, BLOCK):
        block = np.ascontiguousarray(vectors[start : start + BLOCK])
        wide = block.astype(np.float32)
        length = np.einsum("ij,ij->i", wide, wide)
        good[start : start + BLOCK] &= np.isfinite(length) & (length > 0)
        bits = (block + np.float16(0)).view(np.uint16).astype(np.uint64) + odd[0]  # + 0: one zero, not two
        bits ^= bits >> np.uint64(31)
        marks[start : start + BLOCK] = (bits * odd[1]).sum(axis=1)
    rows = np.flatnonzero(good)
    _, first, which = np.unique(marks[rows], return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")  # np.unique sorts by hash; we keep the dataset's order
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    of_row = np.full(n, -1, np.int64)
    of_row[rows] = place[which]
    return rows[first[order]], of_row


def graph(
    vectors: NDArray[np.float32], k: int, folder: Path | None, tell: Tell
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The k nearest neighbours of each vector by cosine, itself first; beyond EXACT vectors by an inverted file.

    Args:
        vectors: (m, d) of length 1, no two alike.
        folder: cache for chunks, so that a killed run continues; None for no cache.

    Returns:
        (m, k) positions and (m, k) similarities, best first.
    """
    m = len(vectors)
    positions, similarities, done = _kept(folder, m, k)
    index = nearest(vectors)
    for start in range(int(done[0]), m, CHUNK):
        asked = vectors[start : start + CHUNK]
        scores, found = index.search(asked, k)
        own = np.arange(start, start + len(asked))[:, None]
        # Rounding may put a nearly equal vector first; the vector itself is moved to the front.
        rank = np.where(found == own, -np.inf, -scores)
        rank[found < 0] = np.inf
        order = np.argsort(rank, axis=1, kind="stable")
        found, scores = (np.take_along_axis(each, order, axis=1) for each in (found, scores))
        lost = found[:, 0] != own[:, 0]  # it was not even among the k: in place of the last
        found[lost, 1:], scores[lost, 1:] = found[lost, :-1], scores[lost, :-1]
        found[:, 0], scores[:, 0] = own[:, 0], 1.0
        found, scores = np.where(found < 0, own, found), np.where(found < 0, 1.0, scores)  # lists too short
        positions[start : start + CHUNK], similarities[start : start + CHUNK] = found, scores
        if isinstance(done, np.memmap):
            positions.flush()  # type: ignore[attr-defined]  # the neighbours reach the disk before the mark
            similarities.flush()  # type: ignore[attr-defined]
            done[0] = start + len(asked)
            done.flush()
        tell(min(start + CHUNK, m), m)
    return np.asarray(positions), np.asarray(similarities)


def _kept(
    folder: Path | None, m: int, k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    if folder is None:
        return np.empty((m, k), np.int32), np.empty((m, k), np.float32), np.zeros(1, np.int64)
    wanted: tuple[tuple[str, Any, tuple[int, ...]], ...] = (
        ("neighbours.npy", np.int32, (m, k)),
        ("similarities.npy", np.float32, (m, k)),
        ("done.npy", np.int64, (1,)),
    )
    arrays: list[Any] = []
    try:
        arrays = [np.load(folder / name, mmap_mode="r+") for name, _, _ in wanted]
    except (OSError, ValueError, EOFError):  # none yet, or killed while they were made
        arrays = []
    if [(array.dtype, array.shape) for array in arrays] != [(kind, shape) for _, kind, shape in wanted]:
        arrays = [np.lib.format.open_memmap(folder / name, "w+", kind, shape) for name, kind, shape in wanted]
    try:
        for name, _, _ in wanted:
            reserve(folder / name)
    except OSError:
        for name, _, _ in wanted:  # give the room back
            (folder / name).unlink(missing_ok=True)
        raise
    return arrays[0], arrays[1], arrays[2]


def nearest(vectors: NDArray[np.float32]) -> Any:
    """A FAISS index of unit vectors: exact up to EXACT, an inverted file beyond."""
    return flat(vectors) if len(vectors) <= EXACT else inverted(vectors)


def flat(vectors: NDArray[np.float32]) -> Any:
    """FAISS's exact index."""
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def inverted(vectors: NDArray[np.float32], probes: int = 16) -> Any:
    """FAISS's inverted file, for sets too large for an exact search."""
    import faiss

    m, d = vectors.shape
    lists = int(2 * np.sqrt(m))
    index: Any = faiss.index_factory(d, f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
    index.train(vectors[:: max(1, m // (64 * lists))])
    index.add(vectors)
    index.nprobe = probes
    return index
