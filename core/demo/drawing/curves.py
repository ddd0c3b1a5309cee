"""Smooth outlines from a few points.

A point is (x, y) where the outline runs smoothly through it, or (x, y, 1) where it has a corner.
Coordinates are those of the 228 x 298 frame with the origin at its centre and y pointing down.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, ...]
Outline = Sequence[Point]
Points = NDArray[np.float32]  # (n, 2)

_STEPS = 7  # straight pieces between two points: finer than the eye sees at this size
_T = np.linspace(0, 1, _STEPS, endpoint=False, dtype=np.float32)[None, :, None]
_T2, _T3 = _T**2, _T**3
_H00, _H10 = 2 * _T3 - 3 * _T2 + 1, _T3 - 2 * _T2 + _T
_H01, _H11 = -2 * _T3 + 3 * _T2, _T3 - _T2


def smooth(outline: Outline, closed: bool = True) -> Points:
    """Hermite curve through the points, its tangents weighted by chord length so that it never loops."""
    return _smooth(tuple(outline), closed)


@lru_cache(maxsize=4096)  # hits: the second shoe of a pair, and outlines that do not depend on the seed
def _smooth(outline: tuple[Point, ...], closed: bool) -> Points:
    xy = np.array([(p[0], p[1]) for p in outline], np.float32)
    corner = np.array([len(p) > 2 for p in outline])
    n = len(xy)
    following = np.arange(1, n + 1)  # plain indexing: np.roll costs several times as much here
    following[-1] = 0
    before = np.arange(-1, n - 1)
    ahead = xy[following] - xy
    length = np.sqrt((ahead**2).sum(1, keepdims=True)) + 1e-4
    unit = ahead / length
    behind, behind_length = unit[before], length[before]
    tangent = unit * behind_length + behind * length
    tangent /= np.sqrt((tangent**2).sum(1, keepdims=True)) + 1e-4
    if not closed:
        corner[0] = corner[-1] = True
    start, end = tangent * length * 1.08, tangent[following] * length * 1.08
    from_corner, to_corner = corner[:, None], corner[following][:, None]
    leave = 1.5 * ahead - 0.5 * end
    arrive = 1.5 * ahead - 0.5 * start
    both = from_corner & to_corner
    first = np.where(both, ahead, np.where(from_corner, leave, start))
    last = np.where(both, ahead, np.where(to_corner, arrive, end))
    p0, p1 = xy[:, None], xy[following][:, None]
    curve = _H00 * p0 + _H10 * first[:, None] + _H01 * p1 + _H11 * last[:, None]
    if closed:
        points = curve.reshape(-1, 2).astype(np.float32)
    else:
        points = np.concatenate([curve[: n - 1].reshape(-1, 2), xy[-1:]]).astype(np.float32)
    points.flags.writeable = False
    return points


def mirrored(half: Outline) -> list[Point]:
    """The outline of a symmetric shape from its right half, given from top to bottom."""
    left = [(-p[0], *p[1:]) for p in reversed(half) if p[0] != 0]
    return [*half, *left]


def flipped(outline: Outline) -> list[Point]:
    return [(-p[0], *p[1:]) for p in outline]


def shifted(outline: Outline, dx: float, dy: float) -> list[Point]:
    return [(p[0] + dx, p[1] + dy, *p[2:]) for p in outline]


def turned(outline: Outline, degrees: float, x: float = 0, y: float = 0) -> list[Point]:
    """Turned clockwise about (x, y)."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return [
        (x + c * (p[0] - x) - s * (p[1] - y), y + s * (p[0] - x) + c * (p[1] - y), *p[2:]) for p in outline
    ]


def ellipse(x: float, y: float, rx: float, ry: float) -> list[Point]:
    d = 0.7071
    around = [(1, 0), (d, d), (0, 1), (-d, d), (-1, 0), (-d, -d), (0, -1), (d, -d)]
    return [(x + rx * u, y + ry * v) for u, v in around]


def rectangle(left: float, top: float, right: float, bottom: float, radius: float = 0) -> list[Point]:
    if radius <= 0:
        return [(left, top, 1), (right, top, 1), (right, bottom, 1), (left, bottom, 1)]
    r, k = radius, radius * 0.3
    return [
        (left + r, top, 1), (right - r, top, 1), (right - k, top + k), (right, top + r, 1),
        (right, bottom - r, 1), (right - k, bottom - k), (right - r, bottom, 1),
        (left + r, bottom, 1), (left + k, bottom - k), (left, bottom - r, 1), (left, top + r, 1),
        (left + k, top + k),
    ]  # fmt: skip


def band(line: Outline, widths: Sequence[float], closed: bool = False) -> list[Point]:
    """A strap along a line: its full width at each point, or one width for all."""
    xy = np.array([p[:2] for p in line], np.float64)
    tangent = np.gradient(xy, axis=0)
    tangent /= np.sqrt((tangent**2).sum(1, keepdims=True)) + 1e-6
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    w = np.array(widths if len(widths) > 1 else list(widths) * len(xy))[:, None] / 2
    left, right = (xy + normal * w).tolist(), (xy - normal * w).tolist()[::-1]
    marks: list[tuple[int, ...]] = [p[2:] or () for p in line]  # type: ignore[misc]
    marks[0] = marks[-1] = (1,)
    return [(*p, *m) for p, m in zip(left, marks, strict=True)] + [
        (*p, *m) for p, m in zip(right, reversed(marks), strict=True)
    ]


def tapered(folds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Outlines (n, 2k, 2) of n folds, each given as x0, y0, bend x, bend y, x1, y1, width.

    A fold is widest in its first third and tapers to nothing, like cloth away from a seam.
    """
    t = np.linspace(0, 1, 8, dtype=np.float32)[None, :, None]
    a, b, c = folds[:, None, 0:2], folds[:, None, 2:4], folds[:, None, 4:6]
    line = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
    along = 2 * (1 - t) * (b - a) + 2 * t * (c - b)
    along /= np.sqrt((along**2).sum(2, keepdims=True)) + 1e-4
    normal = np.stack([-along[..., 1], along[..., 0]], 2)
    width = (np.sin(np.pi * t**0.7) * 0.9 + 0.1 * (1 - t)) * folds[:, None, 6:7] / 2
    return np.concatenate([line + normal * width, (line - normal * width)[:, ::-1]], axis=1)


def resampled(line: Points, step: float) -> Points:
    """The same line with a point every `step`, for chains, stitches and beads."""
    ahead = np.sqrt((np.diff(line, axis=0) ** 2).sum(1))
    along = np.concatenate([[0], np.cumsum(ahead)])
    count = max(2, int(along[-1] / step) + 1)
    at = np.linspace(0, along[-1], count)
    return np.stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])], 1).astype(
        np.float32
    )


def between(a: Point, b: Point, t: float) -> Point:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)
