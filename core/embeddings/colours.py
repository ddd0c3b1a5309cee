"""What colours a picture's subject has, as a histogram that needs no training.

A network trained to name things is taught to look past colour. What a shop's visitor asks for often is one, so that
the bundled encoder has it beside the network's features: shares of prototypes in CIELAB, of what stands before the
background, the middle counting most.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SIDE = 32  # pixels that are looked at, each way
WIDTH = 9.0  # of a prototype, in units of CIELAB
NEAR = 9.0  # of the background's colour that still counts as background
EVEN = 12.0  # deviation of the border up to which there is a background at all
MIDDLE = 0.38  # of the side: deviation of how much places count

_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WHITE = (0.95047, 1.0, 1.08883)


def lab(rgb: Tensor) -> Tensor:
    """(..., 3) CIELAB under D65 of sRGB in [0, 1]. Source: IEC 61966-2-1 and CIE 15."""
    linear = torch.where(rgb > 0.04045, ((rgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = linear @ rgb.new_tensor(_TO_XYZ).T / rgb.new_tensor(_WHITE)
    root = torch.where(xyz > (6 / 29) ** 3, xyz.clamp(min=1e-6) ** (1 / 3), xyz * (841 / 108) + 4 / 29)
    x, y, z = root.unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-1)


def prototypes() -> NDArray[np.float32]:
    """(47, 3) points of CIELAB: five greys, and 14 hues at three depths."""
    greys = [(lightness, 0.0, 0.0) for lightness in (10, 30, 52, 75, 96)]
    hues = np.arange(14) * 2 * np.pi / 14
    rings = ((25, 20), (50, 45), (75, 28))  # lightness, chroma
    coloured = [(light, c * np.cos(hue), c * np.sin(hue)) for light, c in rings for hue in hues]
    return np.array(greys + coloured, np.float32)


PROTOTYPES = len(prototypes())


def shares(points: Tensor) -> Tensor:
    """(..., PROTOTYPES) how much of each prototype points of CIELAB have; sums to 1."""
    known = points.new_tensor(prototypes())
    far = (points[..., None, :] - known).square().sum(-1)
    return (-far / (2 * WIDTH**2)).softmax(-1)


def histogram(pixels: Tensor) -> Tensor:
    """(n, PROTOTYPES) shares of colours of the subject; sums to 1.

    Args:
        pixels: (n, 3, height, width) sRGB in [0, 1].
    """
    small = torch.nn.functional.adaptive_avg_pool2d(pixels.float().clamp(0, 1), SIDE)
    points = lab(small.flatten(2).transpose(1, 2))  # (n, SIDE ** 2, 3)
    at = (torch.arange(SIDE, device=pixels.device) + 0.5) / SIDE - 0.5
    rows, columns = torch.meshgrid(at, at, indexing="ij")
    edge = torch.maximum(rows.abs(), columns.abs()).flatten() > 0.5 - 2 / SIDE
    border = points[:, edge]
    behind = border.median(dim=1, keepdim=True).values
    spread = (border - behind).norm(dim=-1).median(dim=1, keepdim=True).values
    even = (-((spread / EVEN) ** 2)).exp()
    away = 1 - even * (-(((points - behind).norm(dim=-1) / NEAR) ** 2)).exp()
    middle = (-(rows**2 + columns**2) / (2 * MIDDLE**2)).exp().flatten()
    weight = middle * away + 0.02 * middle  # a white thing before white is white
    found = (weight[..., None] * shares(points)).sum(dim=1)
    return found / weight.sum(dim=1, keepdim=True)


def direction(found: Tensor, mean: Tensor) -> Tensor:
    """(n, PROTOTYPES) of length 1: roots of shares without their mean, so that a dot product compares them.

    Roots, as in Arandjelovic and Zisserman 2012 ("Three things everyone should know to improve object retrieval").

    Args:
        found: (n, PROTOTYPES) from `histogram`.
        mean: (PROTOTYPES,) of roots over many pictures.
    """
    return torch.nn.functional.normalize(found.clamp(min=0).sqrt() - mean, dim=-1)
