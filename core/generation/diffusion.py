"""Continuous-time diffusion as GLAMI's cascade uses it: schedules, noising, loss, posterior, guidance.

The source is imagen-pytorch 0.10.0, the version pinned by GLAMI-1M. Noise levels are log signal-to-noise
ratios (log-SNR, natural logarithm): alpha^2 = sigmoid(log-SNR), sigma^2 = sigmoid(-log-SNR). Pictures are
float tensors [n, channels, height, width] in [-1, 1] unless a docstring says [0, 1]; times are [n] or [] in
[0, 1], 0 = clean. No function draws random numbers: times and noise are arguments.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from core.errors import VitrineError

Mode = Literal["as-intended", "published"]
Predictor = Callable[[Tensor, Tensor], Tensor]
AUGMENTATION = 0.2  # noise time of the low-resolution picture during sampling
MODES = ("as-intended", "published")


def cosine_log_snr(time: Tensor) -> Tensor:
    """Log-SNR of the cosine schedule (Nichol and Dhariwal 2021, eq. 17), which both U-Nets use."""
    angle = (time + 0.008) / 1.008 * (math.pi / 2)
    return -torch.log((torch.cos(angle) ** -2 - 1).clamp(min=1e-5))


def linear_log_snr(time: Tensor) -> Tensor:
    """Log-SNR of the linear schedule, used for the low-resolution picture."""
    return -torch.log(torch.expm1(1e-4 + 10 * time**2))


def alpha_sigma(log_snr: Tensor) -> tuple[Tensor, Tensor]:
    """Factors of signal and noise at a log-SNR, of its shape: alpha^2 + sigma^2 = 1."""
    return torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()


def noised(clean: Tensor, noise: Tensor, log_snr: Tensor) -> Tensor:
    """alpha clean + sigma noise, [n, c, h, w]; log_snr is [n] or []."""
    alpha, sigma = alpha_sigma(_beside(log_snr, clean))
    return alpha * clean + sigma * noise


def clean_from_noise(picture: Tensor, noise: Tensor, log_snr: Tensor) -> Tensor:
    """The clean picture that a noise prediction implies: (picture - sigma noise) / alpha."""
    alpha, sigma = alpha_sigma(_beside(log_snr, picture))
    return (picture - sigma * noise) / alpha.clamp(min=1e-8)


def noise_loss(predicted: Tensor, noise: Tensor, log_snr: Tensor) -> Tensor:
    """Training loss of each picture, [n]: mean squared error of the noise times (1 + SNR)^-0.5, which is sigma."""
    _, sigma = alpha_sigma(log_snr)
    return (predicted - noise).square().flatten(1).mean(1) * sigma


def guided(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance (Ho and Salimans 2022): null + scale (conditional - null).

    Raises VitrineError for a scale outside 0 to 50.
    """
    if not 0 <= scale <= 50:
        raise VitrineError(f"Guidance must be from 0 to 50, not {scale}.")
    return unconditional + scale * (conditional - unconditional)


def thresholded(clean: Tensor, quantile: float = 0.9) -> Tensor:
    """Dynamic thresholding (Saharia et al. 2022, 2.3): clip each picture at s and divide by s.

    s is the quantile of the picture's absolute values, at least 1.
    """
    size = torch.quantile(clean.flatten(1).abs().float(), quantile, dim=1).clamp(min=1)
    size = _beside(size.to(clean.dtype), clean)
    return clean.clamp(-size, size) / size


def posterior(clean: Tensor, picture: Tensor, log_snr: Tensor, log_snr_next: Tensor) -> tuple[Tensor, Tensor]:
    """Mean [n, c, h, w] and variance [n, 1, 1, 1] of the picture at the next noise level, given the current and clean one."""
    now, after = _beside(log_snr, picture), _beside(log_snr_next, picture)
    alpha, _ = alpha_sigma(now)
    alpha_next, sigma_next = alpha_sigma(after)
    share = -torch.expm1(now - after)
    mean = alpha_next * (picture * (1 - share) / alpha + share * clean)
    return mean, (sigma_next**2 * share).expand(len(picture), 1, 1, 1)


def training_condition(
    low: Tensor, noise: Tensor, time: Tensor, mode: Mode = "as-intended"
) -> tuple[Tensor, Tensor]:
    """The noisy low-resolution picture and the noise level that condition the upsampler in training; low is in [0, 1].

    `published` gives the cosine log-SNR of the time as the level, although the noise has the linear one.
    """
    _check_mode(mode)
    level = linear_log_snr(time)
    return noised(low * 2 - 1, noise, level), cosine_log_snr(time) if mode == "published" else level


def sampling_condition(low: Tensor, noise: Tensor, mode: Mode = "as-intended") -> tuple[Tensor, Tensor]:
    """The condition of the upsampler in sampling, at a fixed level; low is in [0, 1], the level is [n].

    `as-intended` noises at time 0.2 (sigma 0.574). `published` repeats two faults of the library: the time was
    cast to an integer, 0 (sigma 0.010), and the noise was added before the rescaling to [-1, 1].
    """
    _check_mode(mode)
    level = linear_log_snr(torch.full((len(low),), 0.0 if mode == "published" else AUGMENTATION).to(low))
    if mode == "published":
        return noised(low, noise, level) * 2 - 1, level
    return noised(low * 2 - 1, noise, level), level


def ancestral(predict: Predictor, start: Tensor, noises: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Sample by ancestral steps from time 1 to 0, as many as `noises`; yield (picture, clean estimate) at each step.

    predict(picture, log_snr [n]) gives the noise, guidance included. `start` is standard normal noise. The noise
    of the last step is not used. Stop iterating to cancel.
    """
    for index, (now, after) in enumerate(_levels(start, len(noises))):
        clean = thresholded(clean_from_noise(start, predict(start, now), now))
        start, variance = posterior(clean, start, now, after)
        if index < len(noises) - 1:
            start = start + variance.sqrt() * noises[index]
        yield start, clean


def ddim(predict: Predictor, start: Tensor, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Sample by deterministic DDIM steps (Song et al. 2021, eq. 12, eta 0); arguments and yields as `ancestral`.

    The noise is computed again from the thresholded estimate, so that the two agree.
    """
    for now, after in _levels(start, steps):
        clean = thresholded(clean_from_noise(start, predict(start, now), now))
        alpha, sigma = alpha_sigma(_beside(now, start))
        start = noised(clean, (start - alpha * clean) / sigma, after)
        yield start, clean


def _levels(like: Tensor, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    if not 1 <= steps <= 1000:
        raise VitrineError(f"Steps must be from 1 to 1,000, not {steps:,}.")
    # In float32, as in the library: -34 at time 1; float64 gives -75, far outside the training range of a U-Net.
    levels = cosine_log_snr(torch.linspace(1, 0, steps + 1, dtype=torch.float32)).to(like)
    for now, after in pairwise(levels):
        yield now.expand(len(like)), after.expand(len(like))


def _beside(values: Tensor, pictures: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (pictures.ndim - 1))


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        raise VitrineError(f"The mode must be one of {', '.join(MODES)}, not {mode!r}.")
