"""Every variant of the incorrect-pairs paper at equal steps, several seeds, measured by the paper's protocol.

    python -m benchmarks.contrastive demo --seeds 3

Runs lie in VITRINE_HOME/runs as `bench-DATASET-...-VARIANT-SEED`; those that are there are not trained again. All variants
have the same start, frozen picture tower, batches, rate and steps; only the loss and its incorrect pairs differ. The last
weights are measured, none chosen by a validation. Prints a table, paired tests against `ours`, and JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.embeddings.clip import encoder, readable
from core.embeddings.loading import load_encoder
from core.embeddings.store import unit
from core.evaluation.choice import RetrievalChoice
from core.evaluation.retrieval import Measured, held_out, measured
from core.evaluation.retrieval_protocol import FIGURES, Held, compare
from core.models.data import product_text
from core.settings import go_offline
from core.training.contrastive import VARIANTS
from core.training.runs import RUN_MODEL, runs_folder
from trainers import contrastive
from trainers.towers import pooled, projected, text_head

NAMES = [one.name for one in VARIANTS]


def run_of(arguments: argparse.Namespace, variant: str, seed: int) -> str:
    """Train a variant where it is not there; the name of its encoder."""
    if variant == "1":
        return str(arguments.start)
    name = f"bench-{arguments.dataset}-{arguments.train_text}-{arguments.steps}x{arguments.batch_size}-{arguments.learning_rate:g}-{variant}-{seed}"
    folder = runs_folder() / name
    if not (folder / RUN_MODEL / contrastive.WEIGHTS).exists():
        given = contrastive.parser().parse_args(
            ["--dataset", arguments.dataset, "--variant", variant, "--start", arguments.start, "--seed", str(seed),
             "--steps", str(arguments.steps), "--batch-size", str(arguments.batch_size), "--patience", "0",
             "--learning-rate", str(arguments.learning_rate), "--validations", "1", "--out", str(folder),
             "--train-text", arguments.train_text,
             "--workers", "1", "--cpu"]
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)
        contrastive.train(*contrastive.begin(given), given)
        for path in folder.glob("checkpoint-*"):
            path.unlink()
    return name


def texts_of(products: Products, held: Held) -> list[str]:
    """The held-out products' texts."""
    frame = product_frame(products, ("test",)).set_index("row_id").loc[held.row_id]
    return [product_text(*pair) for pair in zip(frame.name, frame.description, strict=True)]


class Texts:
    """The held-out texts as a run's text tower gives them.

    Where the last projection alone was trained, what comes before it is computed once: the same arithmetic.
    """

    def __init__(self, arguments: argparse.Namespace, texts: list[str]) -> None:
        self.head, self.texts = arguments.train_text == "head", texts
        self.start = load_encoder(encoder(arguments.start), "cpu")
        said = [readable(text) for text in texts]
        parts = [said[at : at + 128] for at in range(0, len(said), 128)] if self.head else []
        self.before = torch.cat(
            [pooled(self.start.model, self.start.tokenizer(part)) for part in parts] or [torch.zeros(0)]
        )

    def measured(self, products: Products, held: Held, name: str) -> Measured:
        """Of a frozen picture tower the pictures' vectors are the start's own."""
        coder = self.start if name == self.start.spec.name else load_encoder(encoder(name), "cpu")
        if self.head:
            given = projected(text_head(coder.model), self.before).detach().numpy()
        else:
            given = coder.encode_texts(self.texts)
        return measured(name, coder, products, replace(held, texts=unit(given)[0]), RetrievalChoice())


def row(name: str, given: list[Measured]) -> dict[str, Any]:
    """Means over seeds, the spread over trials (mean over seeds) and over seeds."""
    found: dict[str, Any] = {"variant": name}
    for key in FIGURES:
        values = [one.report["hundred"][key] for one in given]
        found[key] = float(np.mean(values))
        found[f"{key}_trials"] = float(np.mean([one.report["hundred"]["deviation"][key] for one in given]))
        found[f"{key}_seeds"] = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    for key in ("recall1", "recall10", "map"):
        found[f"gallery_{key}"] = float(np.mean([one.report["gallery"][key] for one in given]))
    if given[0].report["same_category"]:
        found["same_category"] = float(np.mean([one.report["same_category"]["map"] for one in given]))
    found["alike"] = float(np.mean([one.report["alike"]["texts"] for one in given]))
    found["per_language"] = {
        language: float(np.mean([one.report["per_language"][language]["map"] for one in given]))
        for language in given[0].report["per_language"]
    }
    return found


def against(reference: list[Measured], other: list[Measured]) -> dict[str, Any]:
    """A paired test over all seeds together: a product's difference is its mean over trials and seeds."""
    if len(other) < len(reference):  # what is not trained is the same for every seed
        other = other * len(reference)
    trials = np.concatenate([one.trials for one in reference])
    first, second = (np.concatenate([one.ranks for one in given]) for given in (reference, other))
    return compare(trials, first, second, len(reference[0].row_id))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset")
    parser.add_argument("--start", default="clip-tiny")
    parser.add_argument(
        "--train-text", choices=("all", "head"), default="head", help="head: the last projection alone"
    )
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--variants", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="a JSON file for the result")
    arguments = parser.parse_args()
    go_offline()
    torch.set_num_threads(arguments.threads)
    began = time.monotonic()
    products = Products.open(arguments.dataset)
    held, _ = held_out(products, load_encoder(encoder(arguments.start), "cpu"), "test", 1)
    texts = Texts(arguments, texts_of(products, held))
    given: dict[str, list[Measured]] = {name: [] for name in arguments.variants}
    for seed in range(arguments.seeds):
        for variant in arguments.variants:
            if variant == "1" and seed:
                continue
            one = texts.measured(products, held, run_of(arguments, variant, seed))
            given[variant].append(one)
            found = one.report["hundred"]
            print(
                f"{time.monotonic() - began:6.0f} s  seed {seed}  {variant}: Rank@1 {found['rank1']:.3f}, mAP {found['map']:.3f}",
                file=sys.stderr, flush=True,
            )  # fmt: skip
    rows = [row(name, each) for name, each in given.items()]
    print(
        "| variant | Rank@1 | Rank@5 | Rank@10 | mAP | over seeds | whole split, R@1 / R@10 | same category, mAP | texts alike |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for one in rows:
        shares = " | ".join(
            f"{100 * one[key]:.1f} ± {100 * one[f'{key}_trials']:.1f}" for key in ("rank1", "rank5", "rank10")
        )
        same = f"{one['same_category']:.3f}" if "same_category" in one else "-"
        print(
            f"| {one['variant']} | {shares} | {one['map']:.3f} ± {one['map_trials']:.3f} | ± {one['map_seeds']:.3f} | "
            f"{100 * one['gallery_recall1']:.1f} / {100 * one['gallery_recall10']:.1f} | {same} | {one['alike']:.2f} |"
        )
    others = [name for name in given if name != "ours" and "ours" in given]
    tests = {name: against(given["ours"], given[name]) for name in others}
    for name, test in tests.items():
        m = test["map"]
        print(
            f"ours minus {name}: mAP {m['difference']:+.4f}, 95% {m['interval'][0]:+.4f} to {m['interval'][1]:+.4f}, "
            f"p {m['p_products']:.4f} over {test['products']:,} products"
        )
    result = {"dataset": arguments.dataset, "steps": arguments.steps, "seeds": arguments.seeds,
              "learning_rate": arguments.learning_rate, "train_text": arguments.train_text, "start": arguments.start,
              "batch_size": arguments.batch_size, "n": len(held),
              "seconds": round(time.monotonic() - began), "rows": rows, "ours_minus": tests}  # fmt: skip
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
