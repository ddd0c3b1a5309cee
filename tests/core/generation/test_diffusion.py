"""The diffusion arithmetic against independent computation: plain formulas, Bayes' rule, a known distribution."""

import math

import numpy as np
import pytest
import torch

from core.errors import VitrineError
from core.generation import diffusion


def _normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize("time", [0.004, 0.1, 0.5, 0.9, 0.999])
def test_the_cosine_schedule_is_the_papers_squared_cosine(time: float) -> None:
    alpha, sigma = diffusion.alpha_sigma(diffusion.cosine_log_snr(torch.tensor(time, dtype=torch.float64)))
    angle = (time + 0.008) / 1.008 * math.pi / 2
    assert float(alpha) == pytest.approx(math.cos(angle), rel=1e-9)
    assert float(sigma) == pytest.approx(math.sin(angle), rel=1e-9)


def test_the_loss_is_weighted_by_one_over_root_one_plus_snr() -> None:
    predicted, noise = _normal(3, 3, 4, 4), _normal(3, 3, 4, 4, seed=1)
    log_snr = torch.tensor([-3.0, 0.0, 4.0], dtype=torch.float64)
    plain = ((predicted - noise).numpy() ** 2).mean(axis=(1, 2, 3))
    expected = plain / np.sqrt(1 + np.exp(log_snr.numpy()))
    np.testing.assert_allclose(diffusion.noise_loss(predicted, noise, log_snr).numpy(), expected, rtol=1e-9)


def test_the_clean_picture_comes_back_from_its_noise() -> None:
    clean, noise = _normal(2, 3, 4, 4), _normal(2, 3, 4, 4, seed=1)
    log_snr = torch.tensor([-2.0, 3.0], dtype=torch.float64)
    noisy = diffusion.noised(clean, noise, log_snr)
    torch.testing.assert_close(diffusion.clean_from_noise(noisy, noise, log_snr), clean)


@pytest.mark.parametrize(("time", "after"), [(0.9, 0.7), (0.5, 0.498), (0.004, 0.002)])
def test_the_posterior_is_bayes_rule(time: float, after: float) -> None:
    clean, picture = _normal(2, 3, 4, 4), _normal(2, 3, 4, 4, seed=1)
    levels = [diffusion.cosine_log_snr(torch.full((2,), at, dtype=torch.float64)) for at in (time, after)]
    mean, variance = diffusion.posterior(clean, picture, *levels)
    a_t, s_t = (math.cos(u := (time + 0.008) / 1.008 * math.pi / 2), math.sin(u))
    a_s, s_s = (math.cos(u := (after + 0.008) / 1.008 * math.pi / 2), math.sin(u))
    ratio = a_t / a_s
    step = s_t**2 - ratio**2 * s_s**2  # variance of the noisier picture given the less noisy one
    precision = 1 / s_s**2 + ratio**2 / step
    expected = (a_s * clean / s_s**2 + ratio * picture / step) / precision
    torch.testing.assert_close(mean, expected, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(variance.numpy().ravel(), 1 / precision, rtol=1e-7)


def test_thresholding_clips_at_the_quantile_and_leaves_a_picture_within_range_alone() -> None:
    pictures = torch.stack([_normal(3, 8, 8) * 3, _normal(3, 8, 8, seed=1).clamp(-1, 1)])
    got = diffusion.thresholded(pictures)
    size = np.quantile(np.abs(pictures[0].numpy()), 0.9)
    np.testing.assert_allclose(got[0].numpy(), np.clip(pictures[0].numpy() / size, -1, 1), rtol=1e-5)
    torch.testing.assert_close(got[1], pictures[1])


def test_guidance_moves_away_from_the_null_prediction() -> None:
    null, conditional = torch.tensor([1.0]), torch.tensor([1.5])
    assert diffusion.guided(conditional, null, 8).item() == 5
    assert diffusion.guided(conditional, null, 0).item() == 1
    for bad in (-1, 100, math.nan):
        with pytest.raises(VitrineError, match="Guidance"):
            diffusion.guided(conditional, null, bad)


def test_both_modes_noise_the_low_resolution_picture_as_documented() -> None:
    low, noise = torch.rand(2, 3, 4, 4, dtype=torch.float64), _normal(2, 3, 4, 4)
    intended, level = diffusion.sampling_condition(low, noise)
    torch.testing.assert_close(intended, 0.8187 * (2 * low - 1) + 0.5742 * noise, rtol=0, atol=3e-4)
    published, level_published = diffusion.sampling_condition(low, noise, "published")
    torch.testing.assert_close(published, 2 * (0.99995 * low + 0.0100 * noise) - 1, rtol=0, atol=3e-4)
    assert level_published[0] > level[0]
    time = torch.tensor([0.2, 0.6], dtype=torch.float64)
    picture, told = diffusion.training_condition(low, noise, time)
    same, told_published = diffusion.training_condition(low, noise, time, "published")
    torch.testing.assert_close(picture, same)
    torch.testing.assert_close(told, diffusion.linear_log_snr(time))
    torch.testing.assert_close(told_published, diffusion.cosine_log_snr(time))
    with pytest.raises(VitrineError, match="mode"):
        diffusion.sampling_condition(low, noise, "other")  # type: ignore[arg-type]


@pytest.mark.parametrize("sampler", ["ancestral", "ddim"])
def test_sampling_with_the_true_noise_draws_the_known_distribution(sampler: str) -> None:
    """Pixels are normal with a known mean and spread, for which the best noise prediction is a formula."""
    centre, spread = 0.3, 0.1

    def predict(picture: torch.Tensor, log_snr: torch.Tensor) -> torch.Tensor:
        alpha, sigma = (part.view(-1, 1, 1, 1) for part in diffusion.alpha_sigma(log_snr))
        return sigma * (picture - alpha * centre) / (alpha**2 * spread**2 + sigma**2)

    start, steps = _normal(8, 1, 32, 32), 200
    if sampler == "ancestral":
        run = diffusion.ancestral(predict, start, [_normal(8, 1, 32, 32, seed=1 + i) for i in range(steps)])
    else:
        run = diffusion.ddim(predict, start, steps)
    shown = list(run)
    assert len(shown) == steps
    assert shown[-1][0].mean().item() == pytest.approx(centre, abs=0.01)
    assert shown[-1][0].std().item() == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("steps", [0, 5000])
def test_a_senseless_number_of_steps_is_one_clear_error(steps: int) -> None:
    with pytest.raises(VitrineError, match="Steps"):
        next(diffusion.ddim(lambda picture, _: picture, torch.zeros(1, 1, 2, 2), steps))
