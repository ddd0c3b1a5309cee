"""Definitions of the detectors. A detector gives every product a class, and pairs of classes that are near.

Products of one class are identical to the detector (the same bytes, hash, vector or text). Likeness is
higher for nearer pairs; a threshold is in the detector's own unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError

Key = str


@dataclass(frozen=True)
class Detector:
    """The definition of a detector."""

    key: Key
    title: str
    of: str  # picture or text: what is compared
    exact: float  # the threshold at which only identical ones are found
    loosest: float  # the loosest threshold
    default: float
    step: float
    asks: str  # the threshold's name, for a slider
    says: str  # what it means, with {} for its value
    likeness: Callable[[float], float]  # likeness at a threshold; its own inverse
    precise: bool = (
        True  # whether it enters the list of products to drop by default; else it gives candidates
    )

    def check(self, threshold: float) -> float:
        """
        Raises:
            UsageError: the threshold is looser than the detector's loosest.
        """
        low, high = sorted((self.exact, self.loosest))
        if not low <= threshold <= high:
            raise UsageError(f"The threshold of {self.key} is {threshold:g}; expected {low:g} to {high:g}.")
        return threshold

    def describe(self, threshold: float) -> str:
        """The threshold in words."""
        if threshold == self.exact:
            return {"bytes": "the same file", "text": "the same text, ignoring case and spaces"}.get(
                self.key, f"identical to this detector ({self.says.format(f'{threshold:g}')})"
            )
        return self.says.format(f"{threshold:g}")


HASH_BITS = 128


def _same(threshold: float) -> float:
    return threshold


COPIES = ("cropped", "recoloured")  # detectors that align pictures
PICTURE_FILES = ("bytes", "pixels", *COPIES, "hash")  # detectors that read the pictures themselves

DETECTORS = (
    Detector("bytes", "Same file", "picture", 1, 1, 1, 1, "", "the same file", _same),
    Detector(
        "pixels", "Same picture", "picture", 0, 20, 6, 0.5, "Greatest pixel difference, of 255",
        "pixel difference at most {} of 255", lambda difference: 255 - difference,
    ),
    Detector(
        "cropped", "Same picture, cropped", "picture", 0, 8, 4, 0.5,
        "Greatest pixel difference after alignment, of 255",
        "pixel difference after alignment at most {} of 255", lambda difference: 255 - difference,
    ),
    Detector(
        "recoloured", "Same picture, recoloured", "picture", 0, 5, 2, 0.5,
        "Greatest pixel difference after colour correction, of 255",
        "pixel difference after colour correction at most {} of 255", lambda difference: 255 - difference, precise=False,
    ),
    Detector(
        "hash", "Look (hash)", "picture", 0, 16, 4, 1, "Greatest Hamming distance, of 128 bits",
        "Hamming distance at most {} of 128", lambda bits: HASH_BITS - bits, precise=False,
    ),
    Detector(
        "vectors", "Look (vectors)", "picture", 1, 0.9, 0.995, 0.001, "Least cosine similarity of picture vectors",
        "cosine similarity at least {}", _same, precise=False,
    ),
    Detector(
        "text", "Text", "text", 1, 0.7, 0.9, 0.01, "Least Jaccard similarity of 5-grams",
        "Jaccard similarity of 5-grams at least {}", _same,
    ),
    Detector(
        "glami", "GLAMI's rule", "both", 1, 0.9, 0.99, 0.001, "Least cosine similarity of picture and of text",
        "cosine similarity of picture and of text above {}, or identical text", _same, precise=False,
    ),
)  # fmt: skip
BY_KEY = {known.key: known for known in DETECTORS}
USUAL = ("bytes", "pixels", *COPIES, "hash", "vectors", "text")


def detector(key: str) -> Detector:
    """
    Raises:
        UsageError: there is none of that name.
    """
    if key not in BY_KEY:
        raise UsageError(f"There is no detector {key!r}. Detectors: {', '.join(BY_KEY)}.")
    return BY_KEY[key]


@dataclass(frozen=True)
class NearPairs:
    """Near pairs of classes, nearest first; a < b, each once."""

    a: NDArray[np.int64]  # (m,) class
    b: NDArray[np.int64]
    likeness: NDArray[np.float32]
    notes: tuple[str, ...] = ()  # omissions, with the reason

    @classmethod
    def none(cls) -> NearPairs:
        empty = np.zeros(0, np.int64)
        return cls(empty, empty, np.zeros(0, np.float32))


def gathered(
    a: NDArray[np.int64], b: NDArray[np.int64], likeness: NDArray[np.float32], notes: tuple[str, ...] = ()
) -> NearPairs:
    """Pairs in any order and direction, possibly repeated, as `NearPairs`."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    different = low != high
    low, high, likeness = low[different], high[different], likeness[different]
    order = np.lexsort((-likeness, high, low))
    low, high, likeness = low[order], high[order], likeness[order]
    first = np.ones(len(low), bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    low, high, likeness = low[first], high[first], likeness[first]
    nearest = np.lexsort((high, low, -likeness))
    return NearPairs(low[nearest], high[nearest], likeness[nearest].astype(np.float32), notes)


def codes(keys: NDArray[np.void] | NDArray[np.uint64]) -> NDArray[np.int64]:
    """(n,) a number for each distinct key, by first appearance."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse.ravel()]
