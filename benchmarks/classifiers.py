"""Every classifier on small data: train them, and print the table of docs/development/results.md.

    python -m benchmarks.classifiers train demo glami-mini      # what is missing; hours on two cores; stop at will
    python -m benchmarks.classifiers table demo glami-mini > table.md

Each run lies in VITRINE_HOME/runs/ under a name that says what it is; one that was stopped is gone on with.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.evaluation.evaluate import evaluate
from core.settings import PROJECT, go_offline
from core.training.runs import CONFIG, WEIGHTS, RunConfig, runs_folder

SEEDS = 3
PASSES = 5  # of sampled inference
LABELS = ("all", "human")
NAMES = {"both": "picture and text", "picture": "picture", "text": "text"}


@dataclass(frozen=True)
class Model:
    """One line of what is trained."""

    title: str
    trainer: str
    key: str  # part of the run's name; a preset, or what a probe reads
    seeds: int = 1

    def options(self) -> list[str]:
        return ["--reads", self.key] if self.trainer == "probe" else ["--preset", self.key]


MODELS = (
    Model("EmbraceNet", "embracenet", "tiny", SEEDS),
    Model("TF-IDF, logistic regression", "ngrams", "tfidf"),
    Model("Linear probe on both vectors of clip-tiny", "probe", "both"),
    Model("Linear probe on clip-tiny's picture vector", "probe", "image"),
    Model("Linear probe on clip-tiny's text vector", "probe", "text"),
    Model("Residual network", "single", "resnet-tiny"),
    Model("BiLSTM, word2vec", "single", "bilstm-tiny"),
    Model("LSTM, word2vec", "single", "lstm-tiny"),
    Model("mT5, tiny", "single", "mt5-tiny"),
    Model("Tensor fusion (TFN)", "fusion", "tfn-tiny"),
    Model("Low-rank fusion (LMF)", "fusion", "lmf-tiny"),
)
ZERO_SHOT = "zero-shot-clip-tiny"


@dataclass(frozen=True)
class Run:
    model: Model
    dataset: str
    labels: str
    seed: int

    @property
    def folder(self) -> Path:
        return (
            runs_folder()
            / f"table-{self.model.trainer}-{self.model.key}-{self.dataset}-{self.labels}-{self.seed}"
        )

    def command(self) -> list[str]:
        """As somebody would type it, with this Python."""
        out = ["--out", str(self.folder), "--json"]
        if (self.folder / CONFIG).exists():
            return [sys.executable, "-m", f"trainers.{self.model.trainer}", "--resume", *out]
        return [
            *(sys.executable, "-m", f"trainers.{self.model.trainer}", *self.model.options()),
            *("--dataset", self.dataset, "--seed", str(self.seed)),
            *(["--human-only"] if self.labels == "human" else []),
            *out,
        ]

    def done(self) -> bool:
        return (self.folder / WEIGHTS).exists() and bool(RunConfig.read(self.folder).result)


def runs(datasets: Sequence[str]) -> Iterator[Run]:
    """The first seed of everything first."""
    for seed in range(SEEDS):
        for model in MODELS:
            for dataset in datasets:
                for labels in LABELS:
                    if seed < model.seeds:
                        yield Run(model, dataset, labels, seed)


def train(datasets: Sequence[str], only: Sequence[str]) -> None:
    for run in runs(datasets):
        if run.done() or (only and run.model.trainer not in only):
            continue
        print(" ".join(run.command()[1:]), file=sys.stderr, flush=True)
        subprocess.run(run.command(), cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)


def figure(values: Sequence[float]) -> str:
    """The mean, and the standard deviation where there are several.

    >>> figure([0.9, 0.92]), figure([0.5]), figure([])
    ('.910 ± .014', '.500', '')
    """
    if not values:
        return ""
    shown = f"{np.mean(values):.3f}"
    if len(values) > 1:
        shown += f" ± {np.std(values, ddof=1):.3f}"
    return shown.replace("0.", ".")


def table(dataset: str) -> None:
    """Markdown: a row a model and what it sees, top-1 and top-5 for all and human-only labels."""
    found = [run for run in runs([dataset]) if run.done()]
    print(f"### {dataset}\n")
    print("| model | sees | seeds | top-1, all | top-5, all | top-1, human | top-5, human |")
    print("|---|---|---|---|---|---|---|")
    print(f"| always the commonest classes | nothing | | {' | '.join(commonest(dataset))} |")
    for model in MODELS:
        mine = [run for run in found if run.model == model]
        configs = {run: RunConfig.read(run.folder) for run in mine}
        seeds = max((sum(run.labels == labels for run in mine) for labels in LABELS), default=0)
        for sees in NAMES:
            reads = {
                run: config.result["test"][sees]
                for run, config in configs.items()
                if sees in config.result["test"]
            }
            if not reads or (sees == "both" and len(next(iter(configs.values())).result["test"]) == 2):
                continue
            cells = [
                figure([report[top] for run, report in reads.items() if run.labels == labels])
                for labels in LABELS
                for top in ("top1", "top5")
            ]
            print(f"| {model.title} | {NAMES[sees]} | {seeds} | {' | '.join(cells)} |")
        if model.trainer == "embracenet" and mine:
            print(
                f"| {model.title}, one sampled pass of {PASSES} | picture and text | {seeds} | {sampled(mine)} |"
            )
    for inference, how in (("published", "sum as published"), ("normalised", "sum of unit vectors")):
        for sees, name in NAMES.items():
            if inference == "normalised" and sees != "both":
                continue
            report = evaluate(ZERO_SHOT, "test", dataset, sees=sees, inference=inference)
            title = f"Prompted clip-tiny (trained on such products){f', {how}' if sees == 'both' else ''}"
            print(f"| {title} | {name} | | {figure([report['top1']])} | {figure([report['top5']])} | | |")
    print()


def commonest(dataset: str) -> list[str]:
    """Top-1 and top-5 of whoever always names the training split's commonest classes, per set of labels."""
    products = Products.open(dataset)
    tested = product_frame(products, ("test",)).label
    cells = []
    for labels in LABELS:
        counts = product_frame(products, ("train",), labels == "human").label.value_counts()
        cells += [figure([float(tested.isin(counts.index[:k]).mean())]) for k in (1, 5)]
    return cells


def sampled(mine: Sequence[Run]) -> str:
    """As published: one random pass; mean over passes and seeds, and the mean spread over the passes of one model."""
    cells = []
    for labels in LABELS:
        reports = [
            evaluate(run.folder, "test", inference="sampled", passes=PASSES)
            for run in mine
            if run.labels == labels
        ]
        for top in ("top1", "top5"):
            if not reports:
                cells.append("")
                continue
            mean = np.mean([report[top] for report in reports])
            spread = np.mean([report[f"{top}_deviation"] for report in reports])
            cells.append(f"{mean:.3f} ± {spread:.3f}".replace("0.", "."))
    return " | ".join(cells)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("train", "table", "commands"))
    parser.add_argument("datasets", nargs="+")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="TRAINER",
        help="of what is trained; may be given again",
    )
    arguments = parser.parse_args()
    go_offline()
    if arguments.what == "train":
        train(arguments.datasets, arguments.only)
    elif arguments.what == "commands":
        print(json.dumps([run.command() for run in runs(arguments.datasets)], indent=1))
    else:
        for dataset in arguments.datasets:
            table(dataset)


if __name__ == "__main__":
    main()
