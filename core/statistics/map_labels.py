"""Label areas of a map by the prevailing value of a column, for maps with few regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CELLS = 28  # per side of the map
PREVAILS = 0.33  # least fraction of the products around a cell with the value
FEWEST = 12  # least number of products


@dataclass(frozen=True)
class Place:
    """An area where a value prevails."""

    label: str
    x: float
    y: float
    size: int  # number of its products in the area


def places(points: NDArray[np.floating], codes: NDArray[np.integer], labels: list[str]) -> list[Place]:
    """The local maxima of each value among the cells where it prevails, largest first.

    Args:
        points: (n, 2) in [-1, 1]; NaN is not on the map.
        codes: (n,) index into `labels`; larger codes are ignored.

    >>> points = np.repeat([[-0.5, 0.0], [0.5, 0.0]], 20, axis=0)
    >>> [place.label for place in places(points, np.repeat([0, 1], 20), ["left", "right"])]
    ['left', 'right']
    """
    there = ~np.isnan(points).any(axis=1)
    cells = np.clip(((points[there] + 1) / 2 * CELLS).astype(np.int64), 0, CELLS - 1)
    cell, code = cells[:, 1] * CELLS + cells[:, 0], codes[there].astype(np.int64)
    all_around = _around(np.bincount(cell, minlength=CELLS * CELLS))
    found = []
    for value, label in enumerate(labels):
        mine = code == value
        around = _around(np.bincount(cell[mine], minlength=CELLS * CELLS))
        strong = (around >= np.maximum(FEWEST, PREVAILS * all_around)) & (around == _most_around(around))
        for row, column in np.argwhere(strong):
            near = mine & (np.abs(cells - (column, row)).max(axis=1) <= 1)
            if not near.any():
                continue
            x, y = points[there][near].mean(axis=0).tolist()
            found.append(Place(label, x, y, int(around[row, column])))
    return sorted(found, key=lambda place: (-place.size, place.label))


def _around(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(CELLS, CELLS) counts of each cell and its eight neighbours."""
    wide = np.pad(counts.reshape(CELLS, CELLS), 1)
    return np.lib.stride_tricks.sliding_window_view(wide, (3, 3)).sum(axis=(2, 3))


def _most_around(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    wide = np.pad(counts, 2)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(wide, (5, 5)).max(axis=(2, 3)))
