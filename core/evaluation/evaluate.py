"""Evaluate a classifier on one split of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalog.cohort import path_text
from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.errors import UsageError
from core.evaluation.choice import CHOICES
from core.evaluation.passes import mean_report
from core.evaluation.predictions import (
    intervals,
    intervals_and_calibration,
    predictions_table,
    write_predictions,
)
from core.measures.metrics import Ties, classification_report
from core.models.classifier import BATCH, Classifier
from core.models.data import ReadProducts
from core.models.inputs import IMAGE, TEXT
from core.models.loading import open_classifier
from core.progress import Progress, no_progress
from core.storage import storage_errors

PAIRS = 20  # confused pairs in a report
SEES = {"both": (), "picture": (TEXT,), "text": (IMAGE,)}  # the withheld modality
CALLED = {"split": "splits", "sees": "inputs", "among": "sets of classes", "inference": "ways of inference",
          "ties": "rules for ties"}  # fmt: skip


def evaluate(
    run: str | Path,
    split: str = "test",
    dataset: str | None = None,
    human_only: bool = False,
    sees: str = "both",
    inference: str = "expected",
    passes: int = 5,
    ties: Ties = "glami",
    workers: int | None = None,
    progress: Progress = no_progress,
    save: Path | None = None,
    among: str = "all",
    prompt: str | None = None,
) -> dict[str, Any]:
    """Evaluate a classifier on a split.

    Args:
        run: a folder, a name in VITRINE_HOME/runs, a bundled model, or `zero-shot-ENCODER`.
        dataset: default: the (first) training dataset; categories are matched by name.
        human_only: only products with human labels.
        sees: `both`, `picture` or `text`.
        inference: `expected`; or `sampled`, one random pass, repeated `passes` times: every figure is then the mean
            over the passes; or `ensemble`. Of a zero-shot model see core.models.zero_shot.
        save: a Parquet file for the predictions, one row a product: see core.evaluation.predictions.predictions_table.
        among: the candidate classes: `all` of the model, or `dataset`: only those that the dataset has, which differ
            where a model was trained on several datasets.
        prompt: of a zero-shot model; see core.models.prompts.

    Returns:
        See core.measures.metrics.classification_report; top1_interval and top5_interval (Wilson) and
        top1_bootstrap, 95 percent (F1 has none: benchmarks/coverage.py); calibration_error, reliability
        (core.measures.calibration), confused_pairs; and run, dataset, split, sees, inference, passes, ties, among,
        classes (number of candidates), unseen (number of products without a readable input), exposure (of a
        zero-shot model: core.embeddings.seen; else None). Of several passes top1_deviation and top5_deviation too.

    Raises:
        ModelError: the run cannot be loaded.
        UnknownDatasetError: its dataset is gone.
        UsageError: no product can be evaluated, or an argument is invalid.
    """
    _check_arguments(split=split, sees=sees, among=among, inference=inference, ties=ties)
    if save is not None:  # fail before the evaluation, not after it
        with storage_errors(save.parent):
            save.parent.mkdir(parents=True, exist_ok=True)
    classifier = open_classifier(run, dataset, prompt)
    if inference not in classifier.inferences:
        raise UsageError(
            f"{classifier.name} knows no {inference!r} inference: it answers by {', '.join(classifier.inferences)}."
        )
    data = split_data(classifier, data_name(classifier, dataset), split, human_only, workers, progress)
    positions = _readable_positions(data, classifier, split, sees)
    classes = list(classifier.config.classes)
    candidates = np.ones(len(classes), np.bool_)
    if among == "dataset":
        candidates = classes_of(data_name(classifier, dataset), classes)
    frame, labels = data.frame.iloc[positions], data.labels[positions]
    made = []
    for seed in range(passes if inference == "sampled" else 1):
        probabilities = probabilities_of(classifier, data, positions, sees, inference, seed, progress)
        if not candidates.all():
            probabilities = restricted(probabilities, candidates)
        made.append(_one_pass(frame, labels, probabilities, classes, ties))
    report, table = _all_passes(made, sampled=inference == "sampled")
    if save is not None:
        write_predictions(table, save)
    return report | {
        "run": classifier.name,
        "dataset": data_name(classifier, dataset),
        "split": split,
        "sees": sees,
        "inference": inference,
        "passes": len(made),
        "ties": ties,
        "among": among,
        "classes": int(candidates.sum()),
        "unseen": len(data) - len(positions),
        "exposure": None if classifier.exposure is None else classifier.exposure.as_dict(),
    }


def _check_arguments(**given: str) -> None:
    """
    Raises:
        UsageError: a value is not one of core.evaluation.choice.CHOICES.
    """
    for name, value in given.items():
        if value not in CHOICES[name]:
            raise UsageError(f"{value!r} is not one of the {CALLED[name]}: {', '.join(CHOICES[name])}.")


def _readable_positions(
    data: ReadProducts, classifier: Classifier, split: str, sees: str
) -> NDArray[np.int64]:
    """Positions in `data` of the products with at least one input of the classifier.

    Raises:
        UsageError: there is none.
    """
    positions = np.flatnonzero(readable(data, classifier, sees))
    if not len(positions):
        inputs = (("texts", TEXT), ("pictures", IMAGE))
        reads = " and ".join(name for name, column in inputs if column in classifier.network.used)
        seen = "" if sees == "both" else f", and shall see the {sees} alone"
        raise UsageError(
            f"No product of the {split} split can be evaluated: {classifier.name} reads {reads}{seen}."
        )
    return positions


def _one_pass(
    frame: pd.DataFrame,
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    classes: list[str],
    ties: Ties,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The report of one pass over the split, and its table of predictions."""
    groups = frame.geo.tolist(), frame.label_source.tolist()
    report = classification_report(probabilities, labels, *groups, ties, classes)
    table = predictions_table(frame, labels, probabilities, classes, ties)
    return report | intervals_and_calibration(table, classes), table


def _all_passes(
    made: Sequence[tuple[dict[str, Any], pd.DataFrame]], sampled: bool
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The mean report of all passes; the first table of predictions, with the mean of `hit`."""
    report = mean_report([each for each, _ in made])
    report["confused_pairs"] = report["confused_pairs"][:PAIRS]
    hits = np.mean([table.hit for _, table in made], axis=0)
    table = made[0][1].assign(hit=hits, **{"pass": int(sampled)})
    return report | intervals(table.hit.to_numpy(), report["top5"]), table


def classes_of(dataset: str, classes: Sequence[str]) -> NDArray[np.bool_]:
    """(classes,) mask of a model's classes that a dataset has.

    Raises:
        UsageError: none.
    """
    has = {path_text(path) for path, _ in Products.open(dataset).categories()}
    found = np.array([label in has for label in classes], np.bool_)
    if not found.any():
        raise UsageError(
            f"The model has none of the {len(has)} categories of {dataset}: it was trained on others."
        )
    return found


def restricted(probabilities: NDArray[np.floating], candidates: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Probabilities renormalised over the candidate classes, the others 0.

    >>> restricted(np.array([[0.5, 0.1, 0.4]]), np.array([False, True, True])).round(2).tolist()
    [[0.0, 0.20000000298023224, 0.800000011920929]]
    """
    masked = np.where(candidates, np.asarray(probabilities, np.float64), 0.0)
    total = masked.sum(axis=1, keepdims=True)
    uniform = candidates / candidates.sum()  # where the candidates' probabilities underflow to 0
    return np.where(total > 0, masked / np.where(total > 0, total, 1.0), uniform).astype(np.float32)


def data_name(classifier: Classifier, dataset: str | None) -> str:
    return dataset or classifier.config.dataset


def split_data(
    classifier: Classifier,
    dataset: str,
    split: str,
    human_only: bool = False,
    workers: int | None = None,
    progress: Progress = no_progress,
) -> ReadProducts:
    """The products of a split as inputs of the classifier."""
    products = Products.open(dataset)
    frame = product_frame(products, (split,), human_only)
    return classifier.read(products, frame, workers, progress)


def readable(data: ReadProducts, classifier: Classifier, sees: str) -> NDArray[np.bool_]:
    """(n,) products with at least one input of the classifier."""
    columns = [column for column in (TEXT, IMAGE) if column not in SEES[sees]]
    columns = [column for column in columns if column in classifier.network.used]
    return np.asarray(data.available[:, columns].any(axis=1), np.bool_)


def probabilities_of(
    classifier: Classifier,
    data: ReadProducts,
    positions: Sequence[int] | NDArray[np.int64],
    sees: str = "both",
    inference: str = "expected",
    seed: int = 0,
    progress: Progress = no_progress,
) -> NDArray[np.float32]:
    """(n, classes) probabilities of the products of `data`, in batches."""
    chosen = np.asarray(positions, np.int64)
    found = []
    for at in range(0, len(chosen), BATCH):
        data.prefetch(chosen[at + BATCH : at + 2 * BATCH])
        inputs = data.inputs(chosen[at : at + BATCH]).without(*SEES[sees])
        found.append(classifier.predict(inputs, inference=inference, seed=seed + at))
        progress(min(at + BATCH, len(chosen)), len(chosen), "Classifying")
    return np.concatenate(found)
