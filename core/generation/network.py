"""The U-Nets of the cascade, on diffusers' UNet2DConditionModel, and their presets.

Text enters twice, as in Imagen (Saharia et al. 2022): each token by cross-attention, and their mean beside the time.
Masked and dropped tokens are replaced by learned null tokens, the mean of a dropped text by a learned null vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ModelError
from core.generation.diffusion import MODES, Mode, alpha_sigma

LEVEL_WIDTH = 32  # of the sinusoids of the low-resolution picture's noise level
SPREAD = 0.6  # deviation of pixels from grey, in [-1, 1]
LARGEST = 256  # pixels each way that a configuration may ask for


@dataclass(frozen=True)
class StageConfig:
    """One U-Net of the cascade.

    `patch` folds squares of pixels into channels before the first convolution (Hoogeboom et al. 2023, simple diffusion,
    3.3), so that a small model computes at a lower resolution than it draws.
    """

    size: int  # pixels each way
    channels: tuple[int, ...]  # of each level
    layers: tuple[int, ...]  # residual blocks of each level
    cross: tuple[bool, ...]  # levels with cross-attention
    attend: tuple[bool, ...]  # of these, levels with self-attention too
    text: int  # width of the text inside the network
    head: int = 64  # width of one attention head
    patch: int = 1
    low: int = 0  # pixels of the picture that is enlarged; 0: the first stage
    prior: float = (
        0.0  # deviation from the enlarged picture, where the network corrects that estimate; 0: none
    )
    output: str = (
        "noise"  # of the U-Net; "velocity": alpha noise - sigma picture (Salimans and Ho 2022, appendix D)
    )


@dataclass(frozen=True)
class GeneratorConfig:
    """Both stages, and the text encoder that they read."""

    texts: str  # a key of core.generation.texts.READERS
    text_width: int
    tokens: int
    base: StageConfig
    upsampler: StageConfig
    mode: Mode = (
        "as-intended"  # how much noise the enlarged picture gets in drawing, where nothing else is asked for
    )

    def stage(self, name: str) -> StageConfig:
        """`base` or `upsampler`."""
        found: StageConfig = getattr(self, name)
        return found

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> GeneratorConfig:
        """From JSON.

        Raises:
            ModelError: it is no configuration of a generator, or of an absurd size.
        """
        try:
            stages = {name: _stage_of(found[name]) for name in ("base", "upsampler")}
            config = cls(
                str(found["texts"]),
                int(found["text_width"]),
                int(found["tokens"]),
                **stages,
                mode=found.get("mode", "as-intended"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"This is no configuration of a generator: {error!r}.") from error
        if not {config.base.output, config.upsampler.output} <= {"noise", "velocity"}:
            raise ModelError("A generator's U-Net gives noise or velocity.")
        if config.mode not in MODES:
            raise ModelError(f"The mode must be one of {', '.join(MODES)}, not {config.mode!r}.")
        sizes = (config.base.size, config.upsampler.size)
        if not all(1 <= size <= LARGEST for size in sizes) or not 1 <= config.tokens <= 256:
            raise ModelError(f"A generator of {sizes} pixels and {config.tokens} tokens is not supported.")
        return config


PRESETS = {
    "tiny": GeneratorConfig(
        texts="clip-lite",
        text_width=495,
        tokens=16,
        mode="published",  # hardly any: a short training does not learn to take it away
        base=StageConfig(32, (48, 80), (1, 1), (False, True), (False, True), text=64, head=16, patch=2, output="velocity"),
        upsampler=StageConfig(64, (24, 48), (1, 1), (False, True), (False, True), text=48, head=8, patch=2, low=32, prior=0.25, output="velocity"),
    ),
    "glami-paper": GeneratorConfig(
        texts="mt5-small",
        text_width=512,
        tokens=32,
        base=StageConfig(64, (128, 256, 512), (3, 3, 3), (True,) * 3, (False, True, True), text=512),
        upsampler=StageConfig(
            128, (128, 256, 512), (2, 4, 8), (False, False, True), (False, False, True), text=512, low=64
        ),
    ),
}  # fmt: skip


def narrowed(config: GeneratorConfig, channels: int) -> GeneratorConfig:
    """The same cascade with `channels` at its first level and whole multiples of it below, for tests; a multiple of 8."""

    def stage(found: StageConfig) -> StageConfig:
        widths = tuple(channels * round(width / found.channels[0]) for width in found.channels)
        return replace(found, channels=widths, head=channels, text=64)

    return replace(config, base=stage(config.base), upsampler=stage(config.upsampler))


class Stage(nn.Module):
    """One U-Net: predicts the noise of pictures in [-1, 1]."""

    def __init__(self, config: StageConfig, text_width: int, tokens: int) -> None:
        super().__init__()
        from diffusers import UNet2DConditionModel

        self.config = config
        inside = 3 * config.patch**2
        unet: Any = UNet2DConditionModel(  # diffusers' classes have no types
            sample_size=config.size // config.patch,
            in_channels=inside * (2 if config.low else 1),
            out_channels=inside,
            down_block_types=tuple("CrossAttnDownBlock2D" if on else "DownBlock2D" for on in config.cross),
            up_block_types=tuple(
                "CrossAttnUpBlock2D" if on else "UpBlock2D" for on in reversed(config.cross)
            ),
            only_cross_attention=tuple(not on for on in config.attend),
            mid_block_type="UNetMidBlock2DCrossAttn",
            mid_block_only_cross_attention=False,
            block_out_channels=config.channels,
            layers_per_block=config.layers,
            attention_head_dim=tuple(width // config.head for width in config.channels),  # number of heads
            norm_num_groups=8,
            cross_attention_dim=config.text,
            encoder_hid_dim=text_width,
            encoder_hid_dim_type="text_proj",
            resnet_time_scale_shift="scale_shift",
            class_embed_type="projection",
            projection_class_embeddings_input_dim=text_width + (LEVEL_WIDTH if config.low else 0),
        )
        if config.prior:  # begin with the estimate itself
            nn.init.zeros_(unet.conv_out.weight)
            nn.init.zeros_(unet.conv_out.bias)
        self.unet: Any = unet
        self.null_tokens = nn.Parameter(torch.randn(tokens, text_width) * 0.02)
        self.null_pooled = nn.Parameter(torch.randn(text_width) * 0.02)

    def forward(
        self,
        picture: Tensor,
        log_snr: Tensor,
        tokens: Tensor,
        mask: Tensor,
        keep: Tensor,
        low: Tensor | None = None,
        level: Tensor | None = None,
    ) -> Tensor:
        """The noise in pictures, [n, 3, size, size].

        Args:
            log_snr: [n], log-SNR of each picture.
            tokens: [n, tokens, text_width] of the text encoder; mask: [n, tokens] bool, True where there is one.
            keep: [n] bool, False where the text is dropped.
            low: [n, 3, low, low] in [-1, 1], already noised; level: [n] its log-SNR. Only for an upsampler.
        """
        kept = (mask & keep[:, None])[..., None]
        pooled = _pooled(tokens, mask)
        pooled = torch.where((keep & mask.any(1))[:, None], pooled, self.null_pooled.to(pooled))
        tokens = torch.where(kept, _unit(tokens), self.null_tokens.to(tokens))
        inputs, estimate = picture, None
        if self.config.low:
            if low is None or level is None:
                raise ModelError("An upsampler needs the picture that it enlarges.")
            enlarged = nn.functional.interpolate(
                low, size=picture.shape[-2:], mode="bicubic", align_corners=False
            )
            inputs = torch.cat([picture, enlarged.to(picture)], 1)
            if self.config.prior:
                estimate = likely(picture, log_snr, enlarged.to(picture), level, self.config.prior)
            pooled = torch.cat([pooled, sinusoids(level, LEVEL_WIDTH).to(pooled)], 1)
        folded = nn.functional.pixel_unshuffle(inputs, self.config.patch)
        found = self.unet(folded, log_snr, tokens, class_labels=pooled).sample
        noise: Tensor = nn.functional.pixel_shuffle(found, self.config.patch)
        if self.config.output == "velocity":
            alpha, sigma = (part[:, None, None, None] for part in alpha_sigma(log_snr))
            if estimate is not None:
                noise = noise + (alpha * picture - estimate) / sigma.clamp(min=1e-3)
            noise = sigma * picture + alpha * noise
        return noise


def likely(picture: Tensor, log_snr: Tensor, enlarged: Tensor, level: Tensor, prior: float) -> Tensor:
    """The clean picture that a noisy one and its noisy enlarged one imply, were all normal, [n, 3, size, size].

    Bayes' rule twice: clean pictures have deviation SPREAD around 0, and `prior` around the enlarged one.

    Args:
        log_snr: [n] of `picture`; level: [n] of `enlarged`.
    """
    (alpha, sigma), (share, dirt) = (
        (part[:, None, None, None] for part in alpha_sigma(each)) for each in (log_snr, level.to(picture))
    )
    known = share**2 * SPREAD**2 + dirt**2
    mean = share * SPREAD**2 / known * enlarged
    variance = prior**2 + (SPREAD * dirt) ** 2 / known
    return mean + alpha * variance / (alpha**2 * variance + sigma**2) * (picture - alpha * mean)


def sinusoids(values: Tensor, width: int) -> Tensor:
    """[n, width] sines and cosines of log-SNRs, at frequencies from 1 to 1/1,000."""
    rates = torch.exp(torch.linspace(0, -6.9, width // 2, device=values.device))
    angles = values.float()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)


def _pooled(tokens: Tensor, mask: Tensor) -> Tensor:
    """[n, d] direction of the mean of the tokens that are there, of length sqrt(d)."""
    return _unit((tokens * mask[..., None]).sum(1))


def _unit(vectors: Tensor) -> Tensor:
    found: Tensor = nn.functional.normalize(vectors, dim=-1) * vectors.shape[-1] ** 0.5
    return found


def _stage_of(found: Mapping[str, Any]) -> StageConfig:
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in found.items()
    }
    return StageConfig(**given)
