"""Draw pictures from a phrase: both stages, step by step, so that a caller can show them emerge or stop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from core.errors import ModelError, UsageError
from core.generation import diffusion
from core.generation.diffusion import Predictor, guided
from core.generation.limits import CHARACTERS, COUNT, GUIDANCE, SAMPLERS, SEED, STEPS
from core.generation.model import Generator
from core.generation.network import Stage
from core.generation.solvers import dpm_solver
from core.generation.texts import TextReader


@dataclass(frozen=True)
class Drawing:
    """What is asked for."""

    phrase: str
    seed: int = 0
    steps: int = 20  # of each stage
    guidance: float = 3.0
    sampler: str = "dpm-solver++"
    count: int = 4
    mode: diffusion.Mode | None = None  # None: the model's own

    def check(self) -> Drawing:
        """
        Raises:
            UsageError: something is empty, too long, or out of its range.
        """
        if not self.phrase.strip():
            raise UsageError("Type what to draw, such as: red dress.")
        if len(self.phrase) > CHARACTERS:
            raise UsageError(f"The phrase has {len(self.phrase):,} characters; {CHARACTERS} are the most.")
        for name, value, least, most in (
            ("Steps", self.steps, 1, STEPS),
            ("Guidance", self.guidance, 0, GUIDANCE),
            ("Pictures", self.count, 1, COUNT),
            ("The seed", self.seed, 0, SEED),
        ):
            if not least <= value <= most:
                raise UsageError(f"{name} must be from {least} to {most:,g}, not {value:,g}.")
        if self.sampler not in SAMPLERS:
            raise UsageError(f"There is no sampler {self.sampler!r}. Samplers: {', '.join(SAMPLERS)}.")
        if self.mode is not None and self.mode not in diffusion.MODES:
            raise UsageError(f"The mode must be one of {', '.join(diffusion.MODES)}, not {self.mode!r}.")
        return self


@dataclass(frozen=True)
class Step:
    """The estimate of the clean pictures after a step."""

    stage: str
    done: int  # steps of both stages
    total: int
    pictures: NDArray[np.uint8]  # (n, size, size, 3)

    @property
    def last(self) -> bool:
        return self.done == self.total


@torch.inference_mode()
def draw(
    generator: Generator, reader: TextReader, asked: Drawing, phrases: Sequence[str] = ()
) -> Iterator[Step]:
    """Draw, and yield after every step; stop iterating to cancel.

    Args:
        phrases: one picture of each, all of the same seed, in the place of `asked.count` pictures of one phrase.

    Picture i depends on the phrase, the settings and seed + i alone, so that it is the same among more or fewer.

    Raises:
        UsageError: see `Drawing.check`.
        ModelError: the weights give no number, or memory is exhausted.
    """
    asked.check()
    texts = list(phrases) or [asked.phrase] * asked.count
    seeds = [asked.seed + (0 if phrases else index) for index in range(len(texts))]
    device = next(generator.base.parameters()).device
    tokens, mask = (part.to(device) for part in reader([" ".join(text.split()) for text in texts]))
    dice = [torch.Generator().manual_seed(seed % (SEED + 1)) for seed in seeds]
    low: list[Tensor] = []
    mode = asked.mode or generator.config.mode
    picture = torch.zeros(0)
    try:
        for number, (name, stage) in enumerate(
            (("base", generator.base), ("upsampler", generator.upsampler))
        ):
            if number:
                size = (len(texts), 3, stage.config.low, stage.config.low)
                shown = ((picture + 1) / 2).clamp(0, 1)
                low = list(diffusion.sampling_condition(shown, _noise(dice, size, device), mode))
            predict = predictor(stage, tokens, mask, asked.guidance if not number else 1.0, low)
            size = (len(texts), 3, stage.config.size, stage.config.size)
            for done, (picture, clean) in enumerate(_steps(predict, dice, size, asked, device), start=1):
                shown = picture if done == asked.steps else clean
                yield Step(name, number * asked.steps + done, 2 * asked.steps, _pixels(shown))
    except torch.OutOfMemoryError as error:
        raise ModelError("The memory is exhausted. Draw fewer pictures at a time.") from error


def finished(
    generator: Generator, reader: TextReader, asked: Drawing, phrases: Sequence[str] = ()
) -> NDArray[np.uint8]:
    """The pictures of the last step of `draw`, (n, size, size, 3)."""
    pictures = np.zeros(0, np.uint8)
    for step in draw(generator, reader, asked, phrases):
        pictures = step.pictures
    return pictures


def noted(picture: NDArray[np.uint8], asked: Drawing, model: str, index: int) -> tuple[Image.Image, PngInfo]:
    """A picture and the note that its PNG carries: that it was generated, by what, from what."""
    note = PngInfo()
    says: dict[str, Any] = {**asdict(asked), "seed": asked.seed + index, "count": 1, "model": model}
    note.add_itxt("Software", "Vitrine: this picture was generated by a model")
    note.add_itxt("vitrine", json.dumps({"generated": True, **says}, ensure_ascii=False))
    return Image.fromarray(picture), note


def _steps(
    predict: Predictor,
    dice: list[torch.Generator],
    size: tuple[int, ...],
    asked: Drawing,
    device: torch.device,
) -> Iterator[tuple[Tensor, Tensor]]:
    start = _noise(dice, size, device)
    if asked.sampler == "dpm-solver++":
        return dpm_solver(predict, start, asked.steps)
    if asked.sampler == "ddim":
        return diffusion.ddim(predict, start, asked.steps)
    return diffusion.ancestral(predict, start, _Noises(dice, size, device, asked.steps))


class _Noises(list[Tensor]):
    """The noises of ancestral steps, drawn when they are asked for."""

    def __init__(
        self, dice: list[torch.Generator], size: tuple[int, ...], device: torch.device, steps: int
    ) -> None:
        super().__init__()
        self._given, self._steps = (dice, size, device), steps

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: Any) -> Any:
        return _noise(*self._given)


def _noise(dice: list[torch.Generator], size: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.stack([torch.randn(size[1:], generator=one) for one in dice]).to(device)


def predictor(stage: Stage, tokens: Tensor, mask: Tensor, guidance: float, low: list[Tensor]) -> Predictor:
    """The noise that a stage predicts, with classifier-free guidance; with and without the text in one batch."""
    n = len(tokens)
    keep = torch.ones(n, dtype=torch.bool, device=tokens.device)

    def predict(picture: Tensor, level: Tensor) -> Tensor:
        if guidance == 1:
            alone: Tensor = stage(picture, level, tokens, mask, keep, *low)
            return alone
        twice = (torch.cat([part, part]) for part in (picture, level, tokens, mask))
        with_text, without = stage(
            *twice, torch.cat([keep, ~keep]), *(torch.cat([part, part]) for part in low)
        ).split(n)
        return guided(with_text, without, guidance)

    return predict


def _pixels(pictures: Tensor) -> NDArray[np.uint8]:
    if not bool(pictures.isfinite().all()):
        raise ModelError("The model gave a picture that is no number. Its weights may be damaged.")
    scaled = ((pictures.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).cpu().numpy())
