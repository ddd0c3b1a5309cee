"""The training loop: seeded, watched, stopped and resumed bit for bit, through Hugging Face Accelerate.

A run is a folder: config.json, metrics.jsonl, checkpoints and, when it is done, model.safetensors.
Every random draw of step s comes from a seed made of (seed, s, process): no generator's state has to
be kept for a resumed run to go on exactly as an unbroken one.
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
FLUSH_EVERY_S = 1.0  # what was measured is on disk that soon, for whoever watches a slow training


@dataclass(frozen=True)
class TrainConfig:
    steps: int = 2_000  # optimiser steps
    batch_size: int = 64  # batch size over all processes
    learning_rate: float = 1e-3  # at its highest
    optimizer: Literal["adam", "adamw"] = "adamw"
    weight_decay: float = 0.05  # of adamw, on matrices and kernels only
    schedule: Schedule = "one-cycle"
    warmup: float = 0.15  # share of the steps, of one-cycle
    halve_every: int = 0  # steps, of halve
    clip_norm: float = 0.0  # largest norm of all gradients together; 0 leaves them
    accumulate: int = 1  # gradient accumulation: parts of a batch, to need less memory
    precision: Precision = "no"
    save_every: int = 200  # steps
    validate_every: int = 0  # steps; 0 is never
    patience: int = 0  # validations without a better one before it stops; 0 goes on to the end
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """What a watcher is told after a step."""

    step: int
    steps: int
    loss: float
    learning_rate: float
    items_per_s: float
    remaining_s: float
    validation: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """Which share of a step's batch a process takes, and which part of it at a time."""

    index: int
    of: int

    def slice(self, n: int) -> slice:
        """Equal shares of n, in order."""
        return slice(n * self.index // self.of, n * (self.index + 1) // self.of)


@dataclass(frozen=True)
class Outcome:
    """How a training ended."""

    step: int
    reason: Literal["done", "stopped", "early"]
    best: dict[str, float] = field(default_factory=dict)  # the best validation, if there were any
    seconds: float = 0.0


def learning_rate_at(config: TrainConfig, step: int) -> float:
    """Of 0-based `step`. One-cycle rises and falls along half cosines, as torch's OneCycleLR."""
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
    """A seed for one step of one process, unlike its neighbours'."""
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
        loss_fn: the mean loss of a batch; called through the model that Accelerate prepared.
        batch_at: (step, part) gives the same batch for the same step and part, so that a resumed run
            sees what an unbroken one would have seen.
        validate: gives figures, of which `score` (higher is better) decides what is best and when to stop.
        stop: asked after each step; True saves a checkpoint and returns.
        cpu: do not use a GPU.

    Raises:
        TrainingError: the loss or a gradient is no number, or memory is exhausted.
        ModelError: the run's checkpoint is cut short or of another model.
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
    """The state of one training: what a checkpoint holds, and where it lies."""

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
        if self.config.precision != "fp16":  # fp16's scaler looks for itself and skips such steps
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
                f"The {what} at step {step + 1:,} is not a number. {self._kept()} Use a lower learning rate."
            )

    def _kept(self) -> str:
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

    # -- what lies in the folder

    def save(self, step: int) -> None:
        """Write a checkpoint and what was measured so far; older checkpoints go."""
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
                said = str(error).replace("; nothing was stored.", f". {self._kept()}")  # of a full disk
                raise StorageError(said) from error
            self._flush()
            for old in checkpoints(self.dir)[:-KEPT_CHECKPOINTS]:
                old.unlink(missing_ok=True)
        self.accelerator.wait_for_everyone()

    def _check_folder(self) -> None:
        """A folder that somebody deleted is not made again for half a run."""
        if not self.dir.exists():
            raise TrainingError(f"{self.dir} was deleted during training: checkpoints cannot be saved.")

    def restore(self) -> int:
        """The step of the last checkpoint, which is now in place; 0 for a new run.

        One that was cut short is passed over for the one before it.
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
    """A checkpoint's weights into a model.

    Raises:
        ModelError: it is cut short or of another model.
    """
    tensors, _ = read_tensors(checkpoint)
    kept = {name.removeprefix("model."): x for name, x in tensors.items() if name.startswith("model.")}
    load_weights(model, kept, checkpoint)


def _trained(model: nn.Module) -> nn.Module:
    """The model inside what several processes wrap it in."""
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
    """Of a run, oldest first."""
    return sorted(run_dir.glob("checkpoint-*.safetensors"), key=_step_of)


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.stem.split("-")[1])


def _cut_metrics(run_dir: Path, step: int) -> None:
    """Forget what was measured after the checkpoint: those steps come again."""
    path = run_dir / "metrics.jsonl"
    kept = [line for line in read_metrics(run_dir) if line["step"] <= step]
    temporary = path.with_name(f".metrics.{os.getpid()}")
    with storage_errors(run_dir):
        temporary.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        temporary.replace(path)


def read_metrics(run_dir: Path) -> list[dict[str, Any]]:
    """What was measured, a line a step; a last line that a kill cut short is passed over."""
    path, found = run_dir / "metrics.jsonl", []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found
