"""Measures of generated pictures, in the space of a named encoder; numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.demo.looks import COLOURS
from core.errors import UsageError

Vectors = NDArray[np.float32]


def frechet(one: Vectors, other: Vectors) -> float:
    """Fréchet distance of two sets of vectors, (n, d) and (m, d), as normal distributions; 0 where they agree.

    Source: Heusel et al. 2017, eq. 6. Fewer vectors than dimensions bias it upward: compare only equal n.

    Raises:
        UsageError: a set has fewer than two vectors.
    """
    if min(len(one), len(other)) < 2:
        raise UsageError("The Fréchet distance needs two pictures on each side at least.")
    a, b = one.astype(np.float64), other.astype(np.float64)
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The trace of the root of a product of covariances is the sum of the roots of its eigenvalues.
    roots = np.sqrt(np.linalg.eigvals(first @ second).real.clip(min=0)).sum()
    found = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(first) + np.trace(second) - 2 * roots
    return float(max(0.0, found))


def precision_recall(generated: Vectors, real: Vectors, k: int = 3) -> tuple[float, float]:
    """Share of generated vectors among the real ones, and the other way round (Kynkäänniemi et al. 2019, eq. 1).

    A vector is among a set if it is no farther from a member than that member's k-th neighbour in its set.
    """
    return _inside(generated, real, k), _inside(real, generated, k)


@dataclass(frozen=True)
class Novelty:
    """Cosine distances to the nearest training picture."""

    generated: float  # median
    real: float  # median of real test pictures
    copies: float  # share of generated pictures nearer than 95% of the real test pictures are


def novelty(generated: Vectors, test: Vectors, train: Vectors) -> Novelty:
    """Whether generated pictures are copies: their distance to training pictures beside that of real test pictures.

    Args:
        generated, test, train: (n, d) of length 1.
    """
    ours, theirs = (1 - (one @ train.T).max(1) for one in (generated, test))
    return Novelty(
        float(np.median(ours)), float(np.median(theirs)), float((ours < np.quantile(theirs, 0.05)).mean())
    )


def main_colour(picture: NDArray[np.uint8], among: Sequence[str] = tuple(COLOURS)) -> str:
    """The lexicon's colour of a product on a plain ground: the nearest to its middle, by what differs from the border.

    Args:
        picture: (height, width, 3).
    """
    height, width = picture.shape[:2]
    pixels = picture.astype(np.float32)
    edge = max(1, height // 16)
    border = np.concatenate([pixels[:edge].reshape(-1, 3), pixels[-edge:].reshape(-1, 3)])
    away = np.linalg.norm(pixels - np.median(border, axis=0), axis=2)
    inside = np.zeros((height, width), bool)
    inside[height // 6 : -(height // 6) or None, width // 5 : -(width // 5) or None] = True
    product = pixels[inside & (away > 24)]
    if len(product) < height * width // 100:  # a product of the ground's own colour
        product = pixels[inside]
    colour = np.median(product, axis=0)
    palette = np.array([COLOURS[name] for name in among], np.float32)
    return among[int(np.linalg.norm(_lab(palette) - _lab(colour[None]), axis=1).argmin())]


def _lab(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 3) sRGB from 0 to 255 to CIE L*a*b*, D65."""
    linear = colours / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    matrix = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
    )
    xyz = linear @ matrix.T / np.array([0.9505, 1, 1.089], np.float32)
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = root[:, 0], root[:, 1], root[:, 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1).astype(np.float32)


def _inside(points: Vectors, members: Vectors, k: int) -> float:
    if len(members) <= k:
        raise UsageError(f"Precision and recall need more than {k} pictures on each side.")
    reach = np.sort(_distances(members, members), axis=1)[:, k]
    return float((_distances(points, members) <= reach[None]).any(1).mean())


def _distances(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * (a @ b.T)
    return np.sqrt(squares.clip(min=0).astype(np.float64))
