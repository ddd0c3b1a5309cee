"""Batched data augmentation: random rotation, crop, flip and colour jitter."""

from __future__ import annotations

import torch
from torch import Tensor

DRAWN = 12  # random numbers per view


def draw_views(n: int, generator: torch.Generator) -> Tensor:
    """(n, DRAWN) uniform random numbers in [0, 1): the parameters of `random_views` for n pictures."""
    return torch.rand(n, DRAWN, generator=generator)


def random_views(pixels: Tensor, drawn: Tensor, height_px: int, width_px: int) -> Tensor:
    """One random view of each picture.

    Rotation by up to 15 degrees, crop of 70 to 105 percent, change of the aspect ratio by up to 15 percent, flip with
    probability 0.5; jitter of brightness, contrast and colours.

    Args:
        pixels: (n, 3, h, w) uint8.
        drawn: (n, DRAWN) from `draw_views`.

    Returns:
        (n, 3, height_px, width_px) float32 in [0, 255].
    """

    def uniform(column: int, low: float, high: float) -> Tensor:
        return low + (high - low) * drawn[:, column]

    n = len(pixels)
    scale, angle, stretch = uniform(0, 0.7, 1.05), uniform(1, -0.26, 0.26), uniform(2, -0.15, 0.15).exp()
    mirror = torch.where(drawn[:, 3] < 0.5, -1.0, 1.0)
    sides = height_px / width_px
    affine = torch.zeros(n, 2, 3)
    affine[:, 0, 0] = scale * stretch * angle.cos() * mirror
    affine[:, 0, 1] = -scale * angle.sin() * sides
    affine[:, 1, 0] = scale * angle.sin() / sides * mirror
    affine[:, 1, 1] = scale / stretch * angle.cos()
    affine[:, :, 2] = (drawn[:, 4:6] * 2 - 1) * (1 - scale).clamp(min=0.05)[:, None]
    grid = torch.nn.functional.affine_grid(affine, [n, 3, height_px, width_px], align_corners=False)
    views = torch.nn.functional.grid_sample(
        pixels.float() / 255, grid, padding_mode="reflection", align_corners=False
    )
    contrast, brightness = uniform(6, 0.7, 1.3), uniform(7, -0.1, 0.1)
    colours = 0.85 + 0.3 * drawn[:, 8:11]
    views = (views - 0.5) * contrast[:, None, None, None] + 0.5 + brightness[:, None, None, None]
    return (views * colours[..., None, None]).clamp(0, 1) * 255
