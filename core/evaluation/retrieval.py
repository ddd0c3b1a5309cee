"""Measure encoders by the protocols of retrieval on a dataset's held-out products, and keep what was measured."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo, datasets
from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.embeddings.clip import Encoder, encoder
from core.embeddings.loading import loaded_encoder
from core.embeddings.store import unit
from core.embeddings.vectors import vectors_of
from core.errors import ModelError, UsageError
from core.evaluation.choice import RetrievalChoice
from core.evaluation.retrieval_protocol import (
    Held,
    by_language,
    compare,
    draw_trials,
    gallery_figures,
    mean_cosine,
    same_category,
    spread_figures,
    trial_ranks,
)
from core.progress import Progress, no_progress
from core.storage import storage_errors
from core.training.runs import RunConfig, find_run

PROTOCOL = "pairs"
PREFIX = "zero-shot-"  # an encoder may be called as the zero-shot model that it makes
FOLDER = "retrieval"  # of a dataset: what was measured


@dataclass(frozen=True)
class Measured:
    """One encoder on one choice."""

    report: dict[str, Any]
    trials: NDArray[np.int64]  # (trials, items) positions among the held-out products
    ranks: NDArray[np.int64]  # (trials, items)
    row_id: NDArray[np.int64]  # (n,) of the held-out products


def encoder_name(run: str) -> str:
    """The encoder that a run, an encoder's name or a zero-shot model's name means."""
    return run.removeprefix(PREFIX).partition("@")[0]


def dataset_of(run: str) -> str:
    """The dataset that a run was trained on, else the only one that there is.

    Raises:
        UsageError: there are several, and nothing says which.
    """
    if run.startswith(PREFIX) and "@" in run:
        return run.partition("@")[2]
    try:
        return RunConfig.read(find_run(run)).dataset
    except ModelError:
        known = [info.name for info in datasets()]
    if len(known) != 1:
        there = ", ".join(known) or "none yet: vitrine demo"
        raise UsageError(f"{run} belongs to no dataset: say which, --dataset NAME (there is: {there}).")
    return known[0]


def held_out(
    products: Products,
    coder: Encoder,
    split: str,
    workers: int | None = None,
    progress: Progress = no_progress,
) -> tuple[Held, dict[str, int]]:
    """The split's products with picture and text as vectors, and how many were left out for what.

    Raises:
        UsageError: the encoder reads no texts, or fewer than two products have both.
    """
    if not coder.spec.takes_texts:
        raise UsageError(coder.spec.wordless())
    frame = product_frame(products, (split,))
    texts = vectors_of(products, frame, coder, "text", False, workers, progress)
    images = vectors_of(products, frame, coder, "image", False, workers, progress)
    kept = np.flatnonzero(texts.present & images.present)
    left = {
        "no text": int((~texts.present).sum()),
        "no picture that can be opened": int((texts.present & ~images.present).sum()),
    }
    if len(kept) < 2:
        splits = ", ".join(f"{name} {count:,}" for name, count in products.info.splits.items())
        raise UsageError(
            f"{len(kept)} products of the {split} split of {products.info.name} have a picture and a text; at least two "
            f"are needed (its splits: {splits})."
        )
    frame = frame.iloc[kept]
    paths = [tuple(path) if path is not None and len(path) else None for path in frame.category_path]
    numbers = {path: number for number, path in enumerate(sorted({path for path in paths if path}))}
    return Held(
        frame.row_id.to_numpy(np.int64),
        np.unique(frame.image_id.to_numpy(str), return_inverse=True)[1].astype(np.int64),
        np.array([numbers[path] if path else -1 for path in paths], np.int64),
        frame.language.astype(object).where(frame.language.notna(), None).to_numpy(object),
        unit(texts.vectors[kept])[0],
        unit(images.vectors[kept])[0],
    ), {reason: count for reason, count in left.items() if count}


def measure(
    run: str,
    dataset: str = "",
    choice: RetrievalChoice = RetrievalChoice(),  # noqa: B008 - frozen
    workers: int | None = None,
    progress: Progress = no_progress,
) -> Measured:
    """An encoder by all protocols.

    Args:
        run: a run's name, or any that `core.embeddings.clip.encoder` knows.
        dataset: empty for that of the run.

    Raises:
        ModelError: there is no such encoder, or its weights are not here.
        UnknownDatasetError: there is no such dataset.
        UsageError: a value is out of range, or the split is too small.
    """
    began = time.monotonic()
    encoder(encoder_name(run))  # before the dataset is looked for: what is asked may be misspelt
    products = Products.open(dataset or dataset_of(run))
    coder = loaded_encoder(encoder_name(run))
    held, left = held_out(products, coder, choice.split, workers, progress)
    found = measured(run, coder, products, held, choice)
    found.report["left_out"], found.report["seconds"] = left, round(time.monotonic() - began, 1)
    return found


def measured(run: str, coder: Encoder, products: Products, held: Held, choice: RetrievalChoice) -> Measured:
    """All protocols of vectors that are there."""
    trials = draw_trials(held.picture, choice.items, choice.trials, choice.seed)
    ranks = trial_ranks(held, trials)
    seen = coder.spec.seen()
    trained = [one for one in seen.datasets if one.fingerprint == products.info.fingerprint] if seen else []
    report: dict[str, Any] = {
        "run": run,
        "encoder": coder.spec.name,
        "weights": coder.weights,
        "protocol": PROTOCOL,
        "dataset": products.info.name,
        "fingerprint": products.info.fingerprint,
        "split": choice.split,
        "n": len(held),
        "left_out": {},
        "items": choice.items,
        "trials": choice.trials,
        "seed": choice.seed,
        "trained_on_split": any(not one.splits or choice.split in one.splits for one in trained),
        "hundred": spread_figures(ranks),
        "same_category": same_category(held, others=choice.others, seed=choice.seed),
        "gallery": gallery_figures(held),
        "per_language": by_language(held, trials, ranks),
        "alike": {"texts": mean_cosine(held.texts), "pictures": mean_cosine(held.images)},
    }
    return Measured(report, trials, ranks, held.row_id)


def against(first: Measured, others: Sequence[Measured]) -> list[dict[str, Any]]:
    """The paired tests of one encoder against others, on the same trials.

    Raises:
        UsageError: the held-out products differ, since one encoder could not read some of them.
    """
    found = []
    for other in others:
        if not np.array_equal(first.row_id, other.row_id):
            raise UsageError(
                f"{first.report['run']} and {other.report['run']} read different products of the split: their trials differ."
            )
        hundred = other.report["hundred"]
        tests = compare(first.trials, first.ranks, other.ranks, len(first.row_id))
        found.append({"run": other.report["run"], "hundred": hundred, **tests})
    return found


def keep(info: DatasetInfo, report: dict[str, Any]) -> Path:
    """Store a report for the pages; one of the same encoder, split and numbers is replaced.

    Raises:
        StorageError: the folder cannot be written.
    """
    folder = info.folder / FOLDER
    name = f"{report['encoder']}-{report['split']}-{report['items']}x{report['trials']}-{report['seed']}.json"
    temporary = folder / f".{name}.{os.getpid()}"
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        temporary.replace(folder / name)
    return folder / name


def kept(info: DatasetInfo) -> list[dict[str, Any]]:
    """The stored reports that are of the dataset as it is now, best first by mAP; broken ones are passed over."""
    found = []
    for path in sorted((info.folder / FOLDER).glob("*.json")):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            if report["fingerprint"] == info.fingerprint and report["protocol"] == PROTOCOL:
                found.append((float(report["hundred"]["map"]), path.name, report))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return [report for _, _, report in sorted(found, key=lambda one: (-one[0], one[1]))]
