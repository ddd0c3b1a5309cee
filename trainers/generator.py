"""Train a generator: a base U-Net that draws small pictures from a text, and one that enlarges them.

    vitrine demo --name demo --items 6000
    python -m trainers.generator --preset tiny --dataset demo

Both stages are trained one after the other (--stage base, --stage upsampler: one alone). A run can be stopped (Ctrl-C) and
continued (--resume) bit for bit. `--export` writes the averaged weights of the last checkpoints as a model folder.
Sources: imagen-pytorch 0.10.0 as GLAMI-1M ran it; docs/guide/generation.md says what differs.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from core.catalog.info import info
from core.errors import UsageError, VitrineError
from core.generation import model as models
from core.generation.diffusion import (
    alpha_sigma,
    cosine_log_snr,
    noise_loss,
    noised,
    sampling_condition,
    training_condition,
)
from core.generation.network import PRESETS, GeneratorConfig, Stage
from core.generation.sampling import predictor
from core.generation.solvers import dpm_solver
from core.generation.texts import text_reader
from core.settings import go_offline, settings
from core.storage import storage_errors
from core.training.loop import Part, Progress, TrainConfig, fit, seed_of
from core.training.process import hold, recorded
from trainers.generator_data import CAPTIONS, Prepared, prepare

DROP = 0.1  # of the texts, for classifier-free guidance
LAST = 0.999  # largest noise time in training
LEVELS = 5  # of noise times, whose loss is written apart
SHOWN, SHOWN_STEPS, GUIDANCE = 8, 20, 3.0  # of sample grids

STEPS = {"tiny": {"base": 12_000, "upsampler": 4_000}, "glami-paper": {"base": 500_000, "upsampler": 500_000}}
TRAINING = {
    "tiny": TrainConfig(
        batch_size=32,
        learning_rate=1e-3,
        weight_decay=0.01,
        schedule="constant",
        clip_norm=1.0,
        save_every=100,
    ),
    "glami-paper": TrainConfig(
        batch_size=4, learning_rate=1e-4, optimizer="adam", schedule="constant", save_every=1_000
    ),
}


@dataclass(frozen=True)
class Batch:
    """Pictures in [-1, 1], their captions, and all random numbers of a step."""

    picture: Tensor
    tokens: Tensor
    mask: Tensor
    keep: Tensor
    time: Tensor
    noise: Tensor
    low_time: Tensor
    low_noise: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(getattr(self, one).to(device) for one in self.__dataclass_fields__))


class Averaged(nn.Module):
    """A stage and the exponential moving average of its weights, so that one checkpoint holds both.

    As ema_pytorch 0.0.8: copied for the first `after` updates, then decay 1 - (1 + n)^(-2/3), at most `most`.
    """

    def __init__(
        self, stage: Stage, average: Stage, every: int = 1, after: int = 100, most: float = 0.9999
    ) -> None:
        super().__init__()
        self.stage, self.average = stage, average.requires_grad_(False)
        self.average.load_state_dict(stage.state_dict())
        self._every, self._after, self._most = every, after, most

    def forward(self, *given: Any) -> Tensor:
        found: Tensor = self.stage(*given)
        return found

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After the optimiser's 1-based step."""
        if step % self._every:
            return
        past = step - self._after - 1
        decay = 0.0 if past <= 0 else min(self._most, 1 - (1 + past) ** (-2 / 3))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.stage.parameters()), 1 - decay)


class Batches:
    """The same batch for the same step and part, however often it is asked."""

    def __init__(self, data: Prepared, config: GeneratorConfig, stage: str, training: TrainConfig) -> None:
        self.data, self.training = data, training
        self.stage, self.size = config.stage(stage), min(training.batch_size, len(data))
        self.per_epoch = len(data) // self.size

    def __call__(self, step: int, part: Part) -> Batch:
        epoch, at = divmod(step, self.per_epoch)
        order = np.random.default_rng((self.training.seed, epoch)).permutation(len(self.data))
        rows = np.sort(order[at * self.size : (at + 1) * self.size][part.slice(self.size)])
        dice = torch.Generator().manual_seed(seed_of(self.training.seed, step, part.index + 1_000))
        n = len(rows)
        texts = rows * CAPTIONS + torch.randint(CAPTIONS, (n,), generator=dice).numpy()
        picture = torch.from_numpy(self.data.pictures[rows]).permute(0, 3, 1, 2).float() / 127.5 - 1
        if picture.shape[-1] != self.stage.size:
            picture = smaller(picture, self.stage.size)
        mirrored = torch.rand(n, generator=dice) < 0.5
        picture = torch.where(mirrored[:, None, None, None], picture.flip(-1), picture)
        low = self.stage.low or 1
        return Batch(
            picture,
            torch.from_numpy(self.data.tokens[texts]).float(),
            torch.from_numpy(self.data.masks[texts]),
            torch.rand(n, generator=dice) >= DROP,
            torch.rand(n, generator=dice) * LAST,
            torch.randn(picture.shape, generator=dice),
            torch.rand(1, generator=dice).expand(n) * LAST,  # one for the batch, as published
            torch.randn((n, 3, low, low), generator=dice),
        )


def smaller(picture: Tensor, size: int) -> Tensor:
    """[n, 3, size, size] by antialiased cubic filtering, in [-1, 1]."""
    return nn.functional.interpolate(
        picture, size=(size, size), mode="bicubic", antialias=True, align_corners=False
    ).clamp(-1, 1)


def losses(net: nn.Module, batch: Batch, config: GeneratorConfig, stage: str) -> Tensor:
    """[n] of `noise_loss`, or the mean squared error of the velocity where a stage gives that.

    The latter is the former divided by alpha^2 sigma: it weighs the high noise, where a text decides, as much as the low, which a
    short training needs.
    """
    level = cosine_log_snr(batch.time)
    given: list[Tensor] = []
    if size := config.stage(stage).low:
        low = (smaller(batch.picture, size) + 1) / 2
        given = list(training_condition(low, batch.low_noise, batch.low_time))
    picture = noised(batch.picture, batch.noise, level)
    predicted = net(picture, level, batch.tokens, batch.mask, batch.keep, *given)
    if config.stage(stage).output == "velocity":
        alpha, _ = alpha_sigma(level)
        return (predicted.float() - batch.noise).square().flatten(1).mean(1) / alpha.clamp(min=1e-3) ** 2
    return noise_loss(predicted.float(), batch.noise, level)


class ByNoise:
    """The mean loss of each fifth of the noise times, written beside metrics.jsonl."""

    def __init__(self, path: Path, every: int = 100) -> None:
        self._path, self._every = path, every
        self._sums, self._counts = torch.zeros(LEVELS), torch.zeros(LEVELS)

    def add(self, time: Tensor, found: Tensor) -> None:
        level = (time / LAST * LEVELS).long().clamp(max=LEVELS - 1).cpu()
        self._sums.index_add_(0, level, found.detach().float().cpu())
        self._counts.index_add_(0, level, torch.ones(len(level)))

    def stepped(self, step: int) -> None:
        if step % self._every:
            return
        means = (self._sums / self._counts.clamp(min=1)).tolist()
        with storage_errors(self._path.parent), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "loss": [round(mean, 5) for mean in means]}) + "\n")
        self._sums.zero_()
        self._counts.zero_()


@torch.no_grad()
def sample_grid(net: Averaged, batch: Batch, config: GeneratorConfig, stage: str, path: Path) -> None:
    """Draw a batch's captions by the averaged weights, above the real pictures, as one PNG."""
    device = next(net.parameters()).device
    batch = batch.to(device)
    low: list[Tensor] = []
    if size := config.stage(stage).low:
        low = list(sampling_condition((smaller(batch.picture, size) + 1) / 2, batch.low_noise, config.mode))
    predict = predictor(net.average, batch.tokens, batch.mask, GUIDANCE if not low else 1.0, low)
    drawn = list(dpm_solver(predict, batch.noise, SHOWN_STEPS))[-1][0]
    rows = torch.cat([torch.cat(list(part), 2) for part in (drawn, batch.picture)], 1)
    pixels = ((rows.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


def build(config: GeneratorConfig, name: str, seed: int) -> Averaged:
    """The stage with random weights."""
    torch.manual_seed(seed)
    stage, average = (Stage(config.stage(name), config.text_width, config.tokens) for _ in range(2))
    return Averaged(stage, average)


def train_stage(
    name: str,
    config: GeneratorConfig,
    data: Prepared,
    training: TrainConfig,
    folder: Path,
    stop: Any,
    cpu: bool,
    samples_every: int = 1_000,
) -> dict[str, Any]:
    """Train one stage in `folder`, from its last checkpoint; how it ended."""
    net = build(config, name, training.seed)
    batches = Batches(data, config, name, training)
    shown = Batches(data, config, name, replace(training, batch_size=SHOWN))(0, Part(0, 1))
    levels, said = ByNoise(folder / "noise_levels.jsonl"), [0.0]

    def loss_of(model: nn.Module, batch: Batch) -> Tensor:
        batch = batch.to(next(model.parameters()).device)
        found = losses(model, batch, config, name)
        levels.add(batch.time, found)
        return found.mean()

    def stepped(progress: Progress) -> None:
        net.update(progress.step)
        levels.stepped(progress.step)
        if progress.step % samples_every == 0:
            sample_grid(net, shown, config, name, folder / "samples" / f"{progress.step:07d}.png")
        if time.monotonic() - said[0] > 15 or progress.step == progress.steps:
            said[0] = time.monotonic()
            print(
                f"{name}: step {progress.step:,} of {progress.steps:,}  loss {progress.loss:.4f}  "
                f"{progress.items_per_s:,.0f} pictures/s  {progress.remaining_s:,.0f} s left",
                file=sys.stderr, flush=True,
            )  # fmt: skip

    outcome = fit(net, loss_of, batches, training, folder, on_step=stepped, stop=stop, cpu=cpu)
    return {"step": outcome.step, "ended": outcome.reason, "seconds": outcome.seconds}


@recorded
def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do what the arguments say; the run's folder and how it ended."""
    folder: Path = arguments.out or settings().home / "runs" / f"generator-{arguments.preset}"
    described = folder / "config.json"
    if described.exists() and not arguments.resume:
        raise UsageError(
            f"There is a run in {folder} already. Continue it (--resume) or choose another --out."
        )
    config = PRESETS[arguments.preset]
    trainings = {name: _training(arguments, name) for name in ("base", "upsampler")}
    reader = text_reader(config.texts, config.tokens, arguments.text_weights)
    hold(folder)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        plan = {
            "kind": "generator",
            "preset": arguments.preset,
            "datasets": {name: info(name).fingerprint for name in arguments.dataset},
            "model": asdict(config),
            "training": {name: asdict(one) for name, one in trainings.items()},
        }
        described.write_text(json.dumps(plan, indent=2) + "\n", encoding="utf-8")
    data = prepare(arguments.dataset, config.upsampler.size, reader, folder / "data", trainings["base"].seed)
    stopping = {"asked": False}
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.update(asked=True))
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    ended: dict[str, Any] = {}
    for name in ("base", "upsampler") if arguments.stage == "both" else (arguments.stage,):
        if stopping["asked"]:
            break
        ended[name] = train_stage(
            name,
            config,
            data,
            trainings[name],
            folder / name,
            lambda: stopping["asked"],
            arguments.cpu,
            arguments.samples_every,
        )
    return {"run": str(folder), "ended": "stopped" if stopping["asked"] else "done", "stages": ended}


def _training(arguments: argparse.Namespace, stage: str) -> TrainConfig:
    training = replace(TRAINING[arguments.preset], steps=STEPS[arguments.preset][stage])
    for name in ("steps", "batch_size", "learning_rate", "seed", "precision", "save_every"):
        if getattr(arguments, name) is not None:
            training = replace(training, **{name: getattr(arguments, name)})
    return training


def main() -> None:
    """The command line."""
    go_offline()
    parser = argparse.ArgumentParser(prog="python -m trainers.generator", description=__doc__)
    parser.add_argument("--preset", choices=list(PRESETS), default="tiny")
    parser.add_argument("--dataset", action="append", default=[], help="a dataset; repeatable")
    parser.add_argument("--stage", choices=("both", "base", "upsampler"), default="both")
    parser.add_argument(
        "--out", type=Path, help="the run's folder; default: VITRINE_HOME/runs/generator-<preset>"
    )
    parser.add_argument("--resume", action="store_true", help="continue an existing run")
    parser.add_argument(
        "--export", type=Path, metavar="DIR", help="write the run's weights as a model, and train nothing"
    )
    parser.add_argument(
        "--text-weights", type=Path, metavar="DIR", help="mT5: model.safetensors, spiece.model"
    )
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--save-every", type=int)
    parser.add_argument(
        "--samples-every", type=int, default=1_000, help="steps between sample grids, in samples/"
    )
    parser.add_argument("--precision", choices=("no", "bf16", "fp16"))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--cpu", action="store_true", help="do not use a GPU")
    arguments = parser.parse_args()
    try:
        if arguments.export:
            folder = arguments.out or settings().home / "runs" / f"generator-{arguments.preset}"
            print(json.dumps(models.export(folder, arguments.export)))
        elif not arguments.dataset:
            raise UsageError("Which dataset? --dataset NAME")
        else:
            print(json.dumps(run(arguments)))
    except VitrineError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
