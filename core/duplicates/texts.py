"""Detect near-identical texts: candidates by MinHash, verified by the exact Jaccard similarity of 5-grams.

Source: Broder 1997, "On the resemblance and containment of documents"; Leskovec et al., Mining of Massive Datasets,
chapter 3 (banding). Computed over all texts at once in numpy, which took a tenth of the time of hashing text by text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.catalog.cohort import fold
from core.duplicates.detectors import NearPairs, gathered
from core.progress import Progress, no_progress

PIECE = 5  # characters
HASHES, BANDS = 150, 30  # five hashes per band: recall 0.996 at similarity 0.7, 0.07 at 0.3
SLACK = 0.15  # four standard deviations of the estimated similarity: lower estimates are rejected early
PRIME = np.uint64((1 << 61) - 1)
BLOCK = 2_000  # texts with their pieces in memory at once
BUCKET = 64  # later texts of a band's bucket that each is compared with
MOST_CHARACTERS = 4_000  # read of a text: GLAMI's longest description


def one_text(name: str | None, description: str | None) -> str:
    """Name and description as one line in which neither case nor spaces make a difference; empty without either."""
    return " ".join(fold(f"{name or ''} {description or ''}").split())


def near_texts(texts: Sequence[str], least: float, progress: Progress = no_progress) -> NearPairs:
    """Pairs of distinct texts with a Jaccard similarity of 5-grams of at least `least`."""
    if len(texts) < 2:
        return NearPairs.none()
    pieces = [pieces_of(text) for text in texts]
    signatures = _signatures(pieces, progress)
    low, high, crowded = _candidates(signatures, progress)
    promising = np.zeros(len(low), bool)
    for start in range(0, len(low), 10 * BLOCK):
        some = slice(start, start + 10 * BLOCK)
        agree = (signatures[low[some]] == signatures[high[some]]).mean(axis=1)
        promising[some] = agree >= least - SLACK
    low, high = low[promising], high[promising]
    likeness = np.empty(len(low), np.float32)
    for at in range(len(low)):
        if at % 20_000 == 0:
            progress(at, len(low), "Comparing texts")
        likeness[at] = jaccard(pieces[low[at]], pieces[high[at]])
    near = likeness >= least
    notes: tuple[str, ...] = ()
    if crowded:
        notes = (f"{crowded:,} texts were compared with {BUCKET} of their candidates only.",)
    return gathered(low[near], high[near], likeness[near], notes)


def pieces_of(text: str) -> NDArray[np.uint64]:
    """The distinct pieces of a text as sorted numbers: every five characters in a row, the whole of a shorter one."""
    letters = np.frombuffer(text[:MOST_CHARACTERS].encode("utf-32-le"), np.uint32).astype(np.uint64)
    if len(letters) < PIECE:
        letters = np.concatenate([letters, np.zeros(PIECE - len(letters), np.uint64)])
    mixed = np.zeros(len(letters) - PIECE + 1, np.uint64)
    for place in range(PIECE):  # 21 bits hold any character: three of them, and the rest by multiplication
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + letters[place : place + len(mixed)]
    mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


def jaccard(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> float:
    """Shared pieces by all pieces of both.

    >>> jaccard(np.array([1, 2, 3], np.uint64), np.array([2, 3, 4], np.uint64))
    0.5
    """
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)


def _signatures(pieces: Sequence[NDArray[np.uint64]], progress: Progress) -> NDArray[np.uint32]:
    """(n, HASHES) the least of each hash over a text's pieces."""
    rng = np.random.default_rng(0)
    times = rng.integers(1, 2**63, HASHES, dtype=np.uint64) | np.uint64(1)
    found = np.empty((len(pieces), HASHES), np.uint32)
    for start in range(0, len(pieces), BLOCK):
        some = pieces[start : start + BLOCK]
        begins = np.concatenate(([0], np.cumsum([len(one) for one in some])[:-1])).astype(np.int64)
        joined = np.concatenate(some)
        for number, factor in enumerate(times):
            # multiply-shift: the upper bits of a product with an odd number
            hashed = ((joined * factor) >> np.uint64(32)).astype(np.uint32)
            found[start : start + len(some), number] = np.minimum.reduceat(hashed, begins)
        progress(start + len(some), len(pieces), "Reading texts")
    return found


def _candidates(
    signatures: NDArray[np.uint32], progress: Progress
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Pairs that agree in all hashes of a band, each once; and how often a bucket held too many."""
    n, width = len(signatures), HASHES // BANDS
    pairs: list[NDArray[np.int64]] = []
    crowded = 0
    for band in range(BANDS):
        part = np.ascontiguousarray(signatures[:, band * width : (band + 1) * width])
        keys = part.view(np.dtype((np.void, part.dtype.itemsize * width))).ravel()
        _, bucket = np.unique(keys, return_inverse=True)
        order = np.argsort(bucket, kind="stable")
        sorted_bucket = bucket.ravel()[order]
        for ahead in range(1, BUCKET + 1):
            same = np.flatnonzero(sorted_bucket[ahead:] == sorted_bucket[:-ahead])
            if not len(same):
                break
            low, high = order[same], order[same + ahead]
            pairs.append(np.minimum(low, high) * n + np.maximum(low, high))
            crowded += len(same) if ahead == BUCKET else 0
        if len(pairs) > BUCKET:
            pairs = [np.unique(np.concatenate(pairs))]
        progress(band + 1, BANDS, "Grouping texts")
    joined = np.unique(np.concatenate(pairs)) if pairs else np.zeros(0, np.int64)
    return joined // n, joined % n, crowded
