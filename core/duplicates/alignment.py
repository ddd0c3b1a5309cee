"""Align two pictures by shift and scale, until their edges agree.

Source: Baker and Matthews 2004, "Lucas-Kanade 20 Years On" (the forwards additive Gauss-Newton step, over two
stretches and two shifts: crops that shops resize to one frame stretch width and height apart).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

STRETCH, SHIFT = (0.7, 1.4), 0.4  # that are looked at; a shift of 2 is a whole picture


def as_tensor(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """(n, 3, height, width) floats of (n, height, width, 3) bytes."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()


def slopes(pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Horizontal and vertical gradients of (n, c, h, w) pictures, times two."""
    wide = F.pad(pictures, (1, 1, 1, 1), mode="replicate")
    return wide[:, :, 1:-1, 2:] - wide[:, :, 1:-1, :-2], wide[:, :, 2:, 1:-1] - wide[:, :, :-2, 1:-1]


def blurred(pictures: torch.Tensor) -> torch.Tensor:
    """A 3 x 3 box blur."""
    wide = F.pad(pictures, (1, 1, 1, 1), mode="replicate")
    rows = wide[:, :, :-2] + wide[:, :, 1:-1] + wide[:, :, 2:]  # five times as fast as avg_pool2d
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def edges(pictures: torch.Tensor) -> torch.Tensor:
    """(n, 1, h, w) square root of the gradient magnitude of the steepest channel, so that faint edges count too."""
    across, down = slopes(pictures)
    return blurred((across.square() + down.square()).amax(1, keepdim=True).sqrt().sqrt())


def aligned(pictures: torch.Tensor, place: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Resample (m, c, h, w) pictures at the frames `place`; and a mask (m, 1, h, w), 1 inside the picture.

    Args:
        place: (m, 4) stretch and shift across, stretch and shift down; 1, 0, 1, 0 is the picture's own frame.
    """
    height, width = pictures.shape[2:]
    x = place[:, 0, None] * _axis(width) + place[:, 1, None]
    y = place[:, 2, None] * _axis(height) + place[:, 3, None]
    grid = torch.stack([x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], -1)
    inside = (grid.abs() <= 1).all(-1)[:, None].float()
    return F.grid_sample(pictures, grid, align_corners=False, padding_mode="border"), inside


def settle(
    first: torch.Tensor, second: torch.Tensor, place: torch.Tensor, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The frames of the second pictures in the first ones, and the correlation of the edges there.

    Args:
        first, second: (m, 1, h, w) edges.
        place: (m, 4) where to begin, as `laid` takes it.

    Returns:
        (m, 4) and (m,) correlations, -1 to 1.
    """
    for _ in range(steps):
        moved = place + _step(first, second, place)[0]
        moved[:, 0::2] = moved[:, 0::2].clamp(*STRETCH)
        moved[:, 1::2] = moved[:, 1::2].clamp(-SHIFT, SHIFT)
        place = torch.where(torch.isfinite(moved).all(1, keepdim=True), moved, place)
    return place, _step(first, second, place)[1]


def _axis(size: int) -> torch.Tensor:
    return (torch.arange(size) + 0.5) / size * 2 - 1


def _step(
    first: torch.Tensor, second: torch.Tensor, place: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """How a Gauss-Newton step changes the place, pictures at mean 0 and length 1, and their correlation before it."""
    height, width = first.shape[2:]
    moved, inside = aligned(first, place)
    count = inside.sum((2, 3), keepdim=True).clamp(min=1)

    def level(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        centred = (values - (values * inside).sum((2, 3), keepdim=True) / count) * inside
        length = centred.square().sum((2, 3), keepdim=True).sqrt() + 1e-3
        return centred / length, length

    (one, length), (other, _) = level(moved), level(second)
    across, down = slopes(moved / length)  # twice a pixel's: a quarter of the frame's, which is 2 wide
    across, down = (
        across * width / 4 / place[:, 0, None, None, None],
        down * height / 4 / place[:, 2, None, None, None],
    )
    x, y = _axis(width), _axis(height)[:, None]
    jacobian = (torch.cat([across * x, across, down * y, down], 1) * inside).flatten(2)
    hessian = jacobian @ jacobian.transpose(1, 2)
    damping = 1e-4 * hessian.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] + 1e-9
    wanted = jacobian @ (other - one).flatten(2).transpose(1, 2)
    change = torch.linalg.solve(hessian + damping * torch.eye(4), wanted)[:, :, 0]
    return change.clamp(-0.1, 0.1), (one * other).sum((1, 2, 3))
