"""The training loop on Hugging Face Accelerate: seeded, and resumable bit for bit.

A run is a folder: config.json, metrics.jsonl, checkpoints and, when it is finished, model.safetensors. All random numbers
of step s are seeded by (seed, s, process), so that no generator state has to be saved: a resumed run equals an unbroken one.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.errors import ModelError, StorageError, TrainingError
from core.storage import storage_errors
from core.training.checkpoints import (
    load_optimizer,
    load_weights,
    optimizer_tensors,
    read_tensors,
    write_tensors,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

Schedule = Literal["constant", "one-cycle", "halve"]
Precision = Literal["no", "bf16", "fp16"]
KEPT_CHECKPOINTS = 2
FLUSH_EVERY_S = 1.0  # largest delay of metrics on disk, for live curves


@dataclass(frozen=True)
class TrainConfig:
    steps: int = 2_000  # optimiser steps
    batch_size: int = 64  # batch size over all processes
    learning_rate: float = 1e-3  # maximum of the schedule
    optimizer: Literal["adam", "adamw"] = "adamw"
    weight_decay: float = 0.05  # of adamw, for matrices and kernels only
    schedule: Schedule = "one-cycle"
    warmup: float = 0.15  # fraction of the steps, for one-cycle
    halve_every: int = 0  # steps, for halve
    clip_norm: float = 0.0  # maximum global gradient norm; 0: no clipping
    accumulate: int = 1  # gradient accumulation: parts of a batch, to save memory
    precision: Precision = "no"
    save_every: int = 200  # steps
    validate_every: int = 0  # steps; 0: never
    patience: int = 0  # early stopping after this many validations without improvement; 0: off
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """The argument of `on_step`."""

    step: int
    steps: int
    loss: float
    learning_rate: float
    items_per_s: float
    remaining_s: float
    validation: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """The part of a step's batch of a process and an accumulation step."""

    index: int
    of: int

    def slice(self, n: int) -> slice:
        """The slice of n items; parts are equal and in order."""
        return slice(n * self.index // self.of, n * (self.index + 1) // self.of)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a training."""

    step: int
    reason: Literal["done", "stopped", "early"]
    best: dict[str, float] = field(default_factory=dict)  # the best validation; empty without validations
    seconds: float = 0.0


def learning_rate_at(config: TrainConfig, step: int) -> float:
    """The learning rate of a 0-based step. One-cycle uses half cosines, like torch's OneCycleLR."""
    highest = config.learning_rate
    if config.schedule == "halve" and config.halve_every:
        return float(highest * 0.5 ** (step // config.halve_every))
    if config.schedule != "one-cycle":
        return highest
    rising = max(1.0, config.warmup * config.steps - 1)
    if step < rising:
        return _cosine(highest / 25, highest, step / rising)
    return _cosine(highest, highest / 2.5e5, (step - rising) / max(1.0, config.steps - 1 - rising))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, share))) / 2


def seed_of(seed: int, step: int, index: int) -> int:
    """A seed for one step of one process, uncorrelated with those of other steps."""
    import numpy as np

    return int(np.random.SeedSequence((seed, step, index)).generate_state(1, np.uint64)[0] >> 1)


def fit(
    model: nn.Module,
    loss_fn: Callable[[nn.Module, Any], Tensor],
    batch_at: Callable[[int, Part], Any],
    config: TrainConfig,
    run_dir: Path,
    on_step: Callable[[Progress], None] = lambda progress: None,
    validate: Callable[[nn.Module], dict[str, float]] | None = None,
    stop: Callable[[], bool] = lambda: False,
    cpu: bool = False,
) -> Outcome:
    """Train to `config.steps`, continuing from the run's last checkpoint if there is one.

    Args:
        loss_fn: the mean loss of a batch, for the model prepared by Accelerate.
        batch_at: (step, part) to a batch; deterministic, so that a resumed run sees the batches of an unbroken one.
        validate: returns metrics; `score` (higher is better) selects the best weights and controls early stopping.
        stop: called after each step; True saves a checkpoint and returns.
        cpu: do not use a GPU.

    Raises:
        TrainingError: the loss or a gradient is NaN, or memory is exhausted.
        ModelError: the run's checkpoint is truncated or of another model.
    """
    run = _Run(model, config, run_dir, cpu)
    step = run.restore()
    started, before = time.monotonic(), step
    outcome = Outcome(step, "done", run.best)
    while step < config.steps:
        if run.out_of_patience():
            outcome = Outcome(step, "early", run.best)
            break
        loss = run.step(step, loss_fn, batch_at)
        step += 1
        figures: dict[str, float] = {}
        if validate and config.validate_every and (step % config.validate_every == 0 or step == config.steps):
            figures = run.validate(step, validate)
        stopping = stop()
        pace = (time.monotonic() - started) / (step - before)
        progress = Progress(
            step,
            config.steps,
            loss,
            learning_rate_at(config, step - 1),
            config.batch_size / pace,
            (config.steps - step) * pace,
            figures,
        )
        run.log(progress)
        on_step(progress)
        if stopping or step % config.save_every == 0 or step == config.steps:
            run.save(step)
        if stopping and step < config.steps:
            outcome = Outcome(step, "stopped", run.best)
            break
        outcome = Outcome(step, "done", run.best)
    return Outcome(outcome.step, outcome.reason, run.best, round(time.monotonic() - started, 2))


class _Run:
    """The state of a training, and its checkpoints."""

    def __init__(self, model: nn.Module, config: TrainConfig, run_dir: Path, cpu: bool) -> None:
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs

        self.config, self.dir = config, run_dir
        with storage_errors(run_dir):
            run_dir.mkdir(parents=True, exist_ok=True)
        self.accelerator = Accelerator(
            cpu=cpu or None,
            mixed_precision=config.precision,
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
        self.bare = model
        self.model, self.optimizer = self.accelerator.prepare(model, _optimizer(model, config))
        self.best: dict[str, float] = {}
        self.since_best = 0  # validations
        self._lines: list[str] = []
        self._flushed = 0.0

    # -- one step

    def step(self, step: int, loss_fn: Callable[..., Tensor], batch_at: Callable[[int, Part], Any]) -> float:
        import torch

        accelerator, accumulate = self.accelerator, self.config.accumulate
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(self.config, step)
        self.optimizer.zero_grad()
        total = 0.0
        try:
            for part in range(accumulate):
                index = accelerator.process_index * accumulate + part
                batch = batch_at(step, Part(index, accelerator.num_processes * accumulate))
                torch.manual_seed(seed_of(self.config.seed, step, index))
                with accelerator.autocast():
                    loss = loss_fn(self.model, batch)
                self._check(loss, step, "loss")
                accelerator.backward(loss / accumulate)
                total += float(loss.detach()) / accumulate
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                f"The GPU's memory is exhausted at step {step + 1}. Use a smaller batch, or compute it in parts "
                "(--accumulate 2). The last checkpoint is saved: --resume continues from it."
            ) from error
        if self.config.precision != "fp16":  # the gradient scaler of fp16 skips such steps
            norm = torch.nn.utils.get_total_norm(
                [parameter.grad for parameter in self.model.parameters() if parameter.grad is not None]
            )
            self._check(norm, step, "gradient")
        if self.config.clip_norm:
            accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimizer.step()
        return total

    def _check(self, value: Tensor, step: int, what: str) -> None:
        if not bool(value.isfinite()):
            self._flush()
            raise TrainingError(
                f"The {what} at step {step + 1:,} is not a number. {self._last_saved()} Use a lower learning rate."
            )

    def _last_saved(self) -> str:
        kept = checkpoints(self.dir)
        if not kept:
            return "No checkpoint was saved yet."
        return f"The checkpoint of step {_step_of(kept[-1]):,} is saved."

    # -- validation

    def validate(self, step: int, validate: Callable[[nn.Module], dict[str, float]]) -> dict[str, float]:
        import torch

        self.bare.eval()
        with torch.no_grad():
            figures = validate(self.bare)
        if not self.best or figures["score"] > self.best["score"]:
            self.best, self.since_best = {**figures, "step": float(step)}, 0
            if self.config.patience and self.accelerator.is_main_process:
                write_tensors(self.dir / "best.safetensors", dict(self.bare.state_dict()), self.best)
        else:
            self.since_best += 1
        return figures

    def out_of_patience(self) -> bool:
        return bool(self.config.patience) and self.since_best >= self.config.patience

    # -- files of the run

    def save(self, step: int) -> None:
        """Write a checkpoint and the metrics so far, and delete older checkpoints."""
        if self.accelerator.is_main_process:
            self._check_folder()
            tensors = {f"model.{name}": tensor for name, tensor in self.bare.state_dict().items()}
            inner = getattr(self.optimizer, "optimizer", self.optimizer)
            tensors |= {
                f"optimizer.{name}": x for name, x in optimizer_tensors(_trained(self.model), inner).items()
            }
            scale = self.accelerator.scaler.state_dict() if self.accelerator.scaler is not None else {}
            notes = {"step": step, "best": self.best, "since_best": self.since_best, "scaler": scale}
            try:
                write_tensors(self.dir / f"checkpoint-{step:07d}.safetensors", tensors, notes)
            except StorageError as error:
                message = str(error).replace(
                    "; nothing was stored.", f". {self._last_saved()}"
                )  # if the disk is full
                raise StorageError(message) from error
            self._flush()
            for old in checkpoints(self.dir)[:-KEPT_CHECKPOINTS]:
                old.unlink(missing_ok=True)
        self.accelerator.wait_for_everyone()

    def _check_folder(self) -> None:
        """Raise if the folder was deleted, instead of creating it again."""
        if not self.dir.exists():
            raise TrainingError(f"{self.dir} was deleted during training: checkpoints cannot be saved.")

    def restore(self) -> int:
        """Load the last checkpoint and return its step; 0 for a new run.

        A truncated checkpoint is skipped for the one before it.
        """
        kept = checkpoints(self.dir)
        if not kept:
            return 0
        try:
            tensors, notes = read_tensors(kept[-1])
        except ModelError as error:
            if len(kept) == 1:
                raise
            print(f"{error} Continuing from the previous checkpoint.", file=sys.stderr, flush=True)
            if self.accelerator.is_main_process:
                kept[-1].unlink(missing_ok=True)
            return self.restore()
        load_weights(
            self.bare,
            {name[6:]: x for name, x in tensors.items() if name.startswith("model.")},
            kept[-1],
        )
        inner = getattr(self.optimizer, "optimizer", self.optimizer)
        state = {name[10:]: x for name, x in tensors.items() if name.startswith("optimizer.")}
        load_optimizer(_trained(self.model), inner, state)
        if notes["scaler"] and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(notes["scaler"])
        self.best, self.since_best = notes["best"], notes["since_best"]
        if self.accelerator.is_main_process:
            _cut_metrics(self.dir, notes["step"])
        return int(notes["step"])

    def log(self, progress: Progress) -> None:
        line: dict[str, Any] = {
            "step": progress.step,
            "loss": round(progress.loss, 6),
            "learning_rate": progress.learning_rate,
            "items_per_s": round(progress.items_per_s, 1),
            "remaining_s": round(progress.remaining_s, 1),
        }
        if progress.validation:
            line["validation"] = progress.validation
        self._lines.append(json.dumps(line))
        now = time.monotonic()
        if len(self._lines) >= 20 or progress.validation or now - self._flushed > FLUSH_EVERY_S:
            self._flushed = now
            self._flush()

    def _flush(self) -> None:
        if self._lines and self.accelerator.is_main_process:
            self._check_folder()
            with storage_errors(self.dir), (self.dir / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write("".join(line + "\n" for line in self._lines))
        self._lines.clear()


def load_state(model: nn.Module, checkpoint: Path) -> None:
    """Load the weights of a checkpoint into a model.

    Raises:
        ModelError: it is truncated or of another model.
    """
    tensors, _ = read_tensors(checkpoint)
    kept = {name.removeprefix("model."): x for name, x in tensors.items() if name.startswith("model.")}
    load_weights(model, kept, checkpoint)


def _trained(model: nn.Module) -> nn.Module:
    """The model without the wrapper of distributed training."""
    inner: nn.Module = getattr(model, "module", model)
    return inner


def _optimizer(model: nn.Module, config: TrainConfig) -> Any:
    import torch

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if config.optimizer == "adam":
        return torch.optim.Adam(trained, lr=config.learning_rate)
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=config.learning_rate)


def checkpoints(run_dir: Path) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    return sorted(run_dir.glob("checkpoint-*.safetensors"), key=_step_of)


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.stem.split("-")[1])


def _cut_metrics(run_dir: Path, step: int) -> None:
    """Remove the metrics after the checkpoint, since those steps are repeated."""
    path = run_dir / "metrics.jsonl"
    kept = [line for line in read_metrics(run_dir) if line["step"] <= step]
    temporary = path.with_name(f".metrics.{os.getpid()}")
    with storage_errors(run_dir):
        temporary.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        temporary.replace(path)


def read_metrics(run_dir: Path) -> list[dict[str, Any]]:
    """The metrics, one entry per step; a truncated last line is skipped."""
    path, found = run_dir / "metrics.jsonl", []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found
