"""The command line and the progress output of trainers."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from core.training.balance import BALANCES
from core.training.loop import Progress
from trainers import label_options


def parser(name: str, presets: Iterable[str]) -> argparse.ArgumentParser:
    names = list(presets)
    made = argparse.ArgumentParser(
        prog=f"python -m trainers.{name}", description=sys.modules["__main__"].__doc__
    )
    made.add_argument(
        "--dataset", action="append", help="a dataset of VITRINE_HOME; repeat it to train on several"
    )
    made.add_argument("--preset", default=names[0], choices=names)
    made.add_argument("--out", type=Path, help="the run's folder; default: one in VITRINE_HOME/runs")
    made.add_argument(
        "--resume", action="store_true", help="continue the run in --out, or the newest unfinished run"
    )
    made.add_argument("--human-only", action="store_true", help="train on human labels only")
    made.add_argument("--only", choices=("text", "image"), help="train on one modality only (EmbraceNet)")
    made.add_argument(
        "--balance", choices=BALANCES, default="none",
        help="balance classes: loss adds the log priors to the logits; sampling draws classes uniformly",
    )  # fmt: skip
    label_options.add_options(made)
    made.add_argument("--epochs", type=float)
    made.add_argument("--steps", type=int, help="training steps, instead of epochs")
    made.add_argument("--batch-size", type=int, help="batch size over all processes")
    made.add_argument("--learning-rate", type=float)
    made.add_argument("--precision", choices=("no", "bf16", "fp16"), help="bf16 where supported")
    made.add_argument("--accumulate", type=int, help="gradient accumulation: parts of a batch")
    made.add_argument("--seed", type=int)
    made.add_argument("--workers", type=int, help="processes that decode pictures; default: one per core")
    made.add_argument("--cpu", action="store_true", help="do not use a GPU")
    made.add_argument("--text-weights", type=Path, metavar="DIR", help="mT5: model.safetensors, spiece.model")
    made.add_argument(
        "--image-weights",
        type=Path,
        metavar="FILE",
        help="the picture encoder's safetensors, or `imagenet`: the bundled network's",
    )
    made.add_argument("--random-weights", action="store_true", help="train a paper's preset from scratch")
    made.add_argument(
        "--no-text-features",
        action="store_true",
        help="run the frozen text encoder at every step, without cached features",
    )
    made.add_argument("--json", action="store_true", help="print the result as JSON")
    return made


class Watcher:
    """Prints progress, and records a request to stop."""

    def __init__(self, dataset: str, run_dir: Path) -> None:
        self.dataset, self.run_dir = dataset, run_dir
        self.stopping = False
        self._live = sys.stderr.isatty()
        self._said = 0.0

    def ask_to_stop(self, *_: object) -> None:
        self.stopping = True

    def reading(self, done: int, total: int, what: str) -> None:
        self._say(f"{what}: {done:,} of {total:,}", done == total)

    def stepped(self, progress: Progress) -> None:
        text = (
            f"step {progress.step:,} of {progress.steps:,}  loss {progress.loss:.3f}  "
            f"{progress.items_per_s:,.0f} products/s  {progress.remaining_s:,.0f} s left"
        )
        if figures := progress.validation:
            name, key = ("top-1", "top1") if "top1" in figures else ("mAP", "score")
            text += f"  validation {name} {figures[key]:.3f}"
        self._say(text, bool(progress.validation) or progress.step == progress.steps)

    def _say(self, text: str, always: bool) -> None:
        now = time.monotonic()
        if not always and now - self._said < (0.2 if self._live else 15):
            return
        self._said = now
        end = "\n" if always or not self._live else ""
        print(("\r\033[K" if self._live else "") + text, end=end, file=sys.stderr, flush=True)
