"""Points in a polygon: millions of points in a fraction of a second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

GRID = 512  # cells per side; cells without an edge are entirely inside or outside
FEW = 20_000  # points compared with every edge at once
BLOCK = 2**17  # points per block, so that intermediate results stay in the CPU cache


def inside(points: NDArray[np.floating], corners: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Which points are inside a polygon, by the even-odd rule: what a self-crossing line encloses twice is outside.

    Args:
        points: (n, 2); a point with a NaN is nowhere, so never inside.
        corners: at least 3, in order; the last is joined to the first.

    Returns:
        (n,)

    Source: the crossing number as W. R. Franklin's PNPOLY counts it; a grid spares most points from it.

    >>> inside(np.array([[0.5, 0.5], [2.0, 0.5], [np.nan, 0.5]]), [(0, 0), (1, 0), (1, 1), (0, 1)]).tolist()
    [True, False, False]
    """
    polygon = np.asarray(corners, np.float64)
    if polygon.ndim != 2 or polygon.shape[1] != 2 or len(polygon) < 3:
        raise ValueError(f"corners are {polygon.shape}; (3 or more, 2) was expected")
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    found = np.zeros(len(points), bool)
    cells = None if len(points) <= FEW or (high <= low).any() else _cells(polygon, low, high)
    for start in range(0, len(points), BLOCK):
        x, y = points[start : start + BLOCK, 0], points[start : start + BLOCK, 1]
        near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
        if not len(near):
            continue
        x, y = x[near].astype(np.float64), y[near].astype(np.float64)
        if cells is None:
            found[start + near] = _crossed_oddly(x, y, polygon)
            continue
        step = GRID / (high - low)
        column = np.minimum(((x - low[0]) * step[0]).astype(np.int32), GRID - 1)
        row = np.minimum(((y - low[1]) * step[1]).astype(np.int32), GRID - 1)
        kind = cells[row * GRID + column]
        answer = kind == INSIDE
        unsure = np.flatnonzero(kind == CROSSED)
        answer[unsure] = _crossed_oddly(x[unsure], y[unsure], polygon)
        found[start + near] = answer
    return found


OUTSIDE, INSIDE, CROSSED = 0, 1, 2


def _crossed_oddly(
    x: NDArray[np.floating], y: NDArray[np.floating], polygon: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether a ray to the right of each point crosses an odd number of edges."""
    odd = np.zeros(len(x), bool)
    for (x1, y1), (x2, y2) in zip(np.roll(polygon, 1, axis=0), polygon, strict=True):
        if y1 != y2:
            odd ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * ((y - y1) / (y2 - y1)) + x1)
    return odd


def _cells(
    polygon: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """(GRID * GRID,) what is known of each cell of the polygon's box, row by row."""
    scaled = (polygon - low) / (high - low) * GRID  # in cells
    crossings = np.zeros((GRID, GRID + 1), np.int32)  # of each row's middle, by the cells left of them
    passed = np.zeros((GRID, GRID + 1), np.int32)  # +1 where an edge's stretch of cells begins, -1 after it
    middle = np.arange(GRID) + 0.5
    for (x1, y1), (x2, y2) in zip(np.roll(scaled, 1, axis=0), scaled, strict=True):
        rows = np.flatnonzero((y1 > middle) != (y2 > middle))
        if len(rows):
            at = (x2 - x1) * ((middle[rows] - y1) / (y2 - y1)) + x1
            crossings[rows, np.clip(np.ceil(at - 0.5), 0, GRID).astype(int)] += 1
        bottom, top = min(y1, y2), max(y1, y2)
        touched = np.arange(max(0, int(bottom - 1e-6)), min(GRID - 1, int(top + 1e-6)) + 1)
        if y1 == y2:
            ends = np.full((2, len(touched)), [[x1], [x2]])
        else:
            heights = np.clip([touched - 1e-6, touched + 1 + 1e-6], bottom, top)
            ends = (x2 - x1) * ((heights - y1) / (y2 - y1)) + x1
        first = np.clip(np.floor(ends.min(axis=0) - 1e-6), 0, GRID - 1).astype(int)
        last = np.clip(np.floor(ends.max(axis=0) + 1e-6), 0, GRID - 1).astype(int)
        passed[touched, first] += 1
        passed[touched, last + 1] -= 1
    # A crossing counted at column c lies right of the middles of all cells before c.
    right_of = np.cumsum(crossings[:, ::-1], axis=1)[:, ::-1][:, 1:]
    kinds = np.where(right_of % 2 == 1, INSIDE, OUTSIDE).astype(np.uint8)
    kinds[np.cumsum(passed, axis=1)[:, :GRID] > 0] = CROSSED
    return kinds.ravel()
