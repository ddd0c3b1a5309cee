"""DPM-Solver++ in the terms of `core.generation.diffusion`, for ten to fifty steps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from core.errors import VitrineError
from core.generation.diffusion import (
    Predictor,
    alpha_sigma,
    clean_from_noise,
    cosine_log_snr,
    thresholded,
)

FIRST = 0.999  # time to begin at: the largest of the training


def dpm_solver(predict: Predictor, start: Tensor, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Sample by DPM-Solver++(2M) (Lu et al. 2022, algorithm 2), steps even in time; yields as `diffusion.ancestral`.

    The first and the last step are of first order: one has no predecessor, the other would amplify its error. `start` is
    standard normal noise, [n, c, h, w]; at time 0.999 the signal's share is 0.0016 of a picture, which it lacks.

    Raises:
        VitrineError: steps are not from 1 to 1,000.
    """
    if not 1 <= steps <= 1000:
        raise VitrineError(f"Steps must be from 1 to 1,000, not {steps:,}.")
    times = torch.linspace(FIRST, 0, steps + 1, dtype=torch.float32)
    levels = cosine_log_snr(times).to(start)
    before: tuple[Tensor, Tensor] | None = None  # the last step's half log-SNR difference, its clean estimate
    for index, (now, after) in enumerate(pairwise(levels)):
        level = now.expand(len(start))
        clean = thresholded(clean_from_noise(start, predict(start, level), level))
        width = (after - now) / 2
        estimate = clean
        if before is not None and index < steps - 1:
            ratio = before[0] / width
            estimate = clean + (clean - before[1]) / (2 * ratio)
        (_, sigma), (alpha_next, sigma_next) = alpha_sigma(now), alpha_sigma(after)
        start = sigma_next / sigma * start - alpha_next * torch.expm1(-width) * estimate
        before = (width, clean)
        yield start, clean
