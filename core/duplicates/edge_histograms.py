"""Nearest neighbours of pictures by their edges, plain, mirrored and zoomed.

The feature is a histogram of edge directions in 8 x 8 cells (Dalal and Triggs 2005) of the steepest channel;
a change of colour affects it little. A crop is near its original after the original is zoomed in, or the crop zoomed out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from core.duplicates.alignment import aligned, blurred, slopes

FIELDS, DIRECTIONS = 8, 8
KEPT = 6  # candidates of a picture in each split: what bounds the search
ZOOM = 0.89  # between the least and the largest crop that shops make
WAYS = tuple((mirrored, stretch) for mirrored in (False, True) for stretch in (1.0, ZOOM, 2 - ZOOM))


def edge_histograms(pictures: torch.Tensor) -> NDArray[np.float32]:
    """(n, 512) unit vectors of (n, 3, h, w) pictures."""
    across, down = slopes(pictures)
    steep = across.square() + down.square()
    steepest = steep.argmax(1, keepdim=True)
    across, down, steep = (values.gather(1, steepest) for values in (across, down, steep))
    angle = torch.atan2(down, across) % torch.pi / torch.pi * DIRECTIONS
    lower, length = angle.floor(), steep.sqrt()
    upper_part, place = angle - lower, lower.long() % DIRECTIONS
    found = torch.zeros(len(length), DIRECTIONS, *length.shape[2:])
    found.scatter_add_(1, place, length * (1 - upper_part))
    found.scatter_add_(1, (place + 1) % DIRECTIONS, length * upper_part)
    # Blurred: an edge near a field's border counts in both.
    flat = F.adaptive_avg_pool2d(blurred(found), FIELDS).flatten(1).sqrt()
    return np.asarray(F.normalize(flat).numpy(), np.float32)


def seen(pictures: torch.Tensor, mirrored: bool, stretch: float) -> torch.Tensor:
    """The middle `stretch` of each picture filling the frame; over 1 the edges are drawn out."""
    pictures = pictures.flip(3) if mirrored else pictures
    if stretch == 1:
        return pictures
    return aligned(pictures, pictures.new_tensor([[stretch, 0, stretch, 0]]).expand(len(pictures), 4))[0]


class EdgeIndex:
    """An index of the edge histograms of m pictures, by split."""

    def __init__(self, shapes: NDArray[np.float32], splits: NDArray[np.bool_]) -> None:
        """
        Args:
            shapes: (m, 512), see `outlines`.
            splits: (m, s) which splits each picture occurs in.
        """
        import faiss

        self.indexes: list[tuple[NDArray[np.int64], Any]] = []
        for members in (np.flatnonzero(column) for column in splits.T):
            if len(members):
                index = faiss.IndexFlatIP(shapes.shape[1])
                index.add(shapes[members])
                self.indexes.append((members, index))

    def near(
        self, own: NDArray[np.int64], pictures: torch.Tensor
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """The KEPT nearest neighbours of some pictures in every split, each in its best variant.

        Args:
            own: (q,) which of the m they are.
            pictures: (q, 3, h, w).

        Returns:
            (p,) which of the q, (p,) which of the m is near to it, (p,) in which of WAYS.
        """
        asked = [edge_histograms(seen(pictures, *way)) for way in WAYS]
        found: list[tuple[int, int, int]] = []
        for members, index in self.indexes:
            k = min(KEPT + 1, len(members))
            answers = [index.search(one, k) for one in asked]
            score = np.concatenate([answer[0] for answer in answers], axis=1)
            other = members[np.concatenate([answer[1] for answer in answers], axis=1)]
            for query, order in enumerate(np.argsort(-score, axis=1, kind="stable")):
                ways: dict[int, int] = {}  # the nearest first
                for place in order:
                    ways.setdefault(int(other[query, place]), int(place) // k)
                ways.pop(int(own[query]), None)
                found += [(query, near, way) for near, way in list(ways.items())[:KEPT]]
        columns = np.array(found, np.int64).reshape(-1, 3).T
        return columns[0], columns[1], columns[2]
