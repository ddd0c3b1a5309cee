"""Evaluate a classifier on one split of a dataset."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalog.cohort import path_text
from core.catalog.products import Products
from core.errors import UsageError
from core.evaluation.choice import CHOICES
from core.evaluation.passes import mean_report
from core.measures.calibration import calibration_error, confused_pairs, reliability
from core.measures.intervals import bootstrap, wilson
from core.measures.metrics import Ties, classification_report, top_k_hits
from core.models.classifier import BATCH, Classifier
from core.models.data import ReadProducts, product_frame
from core.models.inputs import IMAGE, TEXT
from core.models.loading import open_classifier
from core.progress import Progress, no_progress
from core.storage import storage_errors

PAIRS = 20  # confused pairs in a report
SEES = {"both": (), "picture": (TEXT,), "text": (IMAGE,)}  # the withheld modality


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
        save: a Parquet file for the predictions, one row a product: see `predictions_table`.
        among: `all` its classes; or `dataset`: only those that the dataset has, which is a question of its
            own where a model was trained on several datasets.
        prompt: of a zero-shot model; see core.models.prompts.

    Returns:
        See core.measures.metrics.classification_report; top1_interval and top5_interval (Wilson) and
        top1_bootstrap, 95 percent (F1 has none: benchmarks/coverage.py); calibration_error, reliability
        (core.measures.calibration), confused_pairs; and run, dataset, split, sees, inference, passes, ties, among,
        classes (how many it chose from), unseen (products left out because nothing of them can be read), exposure (of a
        zero-shot model: core.embeddings.seen; else None). Of several passes top1_deviation and top5_deviation too.

    Raises:
        ModelError: the run cannot be loaded.
        UnknownDatasetError: its dataset is gone.
        UsageError: no product can be evaluated, or an argument is invalid.
    """
    asked = (
        ("split", split, "splits"), ("sees", sees, "inputs"), ("among", among, "sets of classes"),
        ("inference", inference, "ways of inference"), ("ties", ties, "rules for ties"),
    )  # fmt: skip
    for name, value, what in asked:
        if value not in CHOICES[name]:
            raise UsageError(f"{value!r} is not one of the {what}: {', '.join(CHOICES[name])}.")
    if save is not None:  # fail before the evaluation, not after it
        with storage_errors(save.parent):
            save.parent.mkdir(parents=True, exist_ok=True)
    classifier = open_classifier(run, dataset, prompt)
    if inference not in classifier.inferences:
        raise UsageError(
            f"{classifier.name} knows no {inference!r} inference: it answers by {', '.join(classifier.inferences)}."
        )
    data = split_data(classifier, dataset or classifier.config.dataset, split, human_only, workers, progress)
    kept = np.flatnonzero(readable(data, classifier, sees))
    if not len(kept):
        reads = " and ".join(
            name
            for name, column in (("texts", TEXT), ("pictures", IMAGE))
            if column in classifier.network.used
        )
        seen = "" if sees == "both" else f", and shall see the {sees} alone"
        raise UsageError(
            f"No product of the {split} split can be evaluated: {classifier.name} reads {reads}{seen}."
        )
    classes = list(classifier.config.classes)
    answers = np.ones(len(classes), np.bool_)
    if among == "dataset":
        answers = classes_of(data_name(classifier, dataset), classes)
    seeds = range(passes if inference == "sampled" else 1)
    frame, labels = data.frame.iloc[kept], data.labels[kept]
    groups = frame.geo.tolist(), frame.label_source.tolist()
    reports, tables = [], []
    for seed in seeds:
        probabilities = probabilities_of(classifier, data, kept, sees, inference, seed, progress)
        if not answers.all():
            probabilities = restricted(probabilities, answers)
        report = classification_report(probabilities, labels, *groups, ties, classes)
        table = predictions_table(frame, labels, probabilities, classes, ties)
        reports.append(report | intervals_and_calibration(table, classes))
        tables.append(table if seed == 0 else table[["hit"]])
    report = mean_report(reports)
    report["confused_pairs"] = report["confused_pairs"][:PAIRS]
    table = tables[0].assign(
        hit=np.mean([each.hit for each in tables], axis=0), **{"pass": int(inference == "sampled")}
    )
    report |= intervals(table.hit.to_numpy(), report["top5"])
    if save is not None:
        write_predictions(table, save)
    return report | {
        "run": classifier.name,
        "dataset": data_name(classifier, dataset),
        "split": split,
        "sees": sees,
        "inference": inference,
        "passes": len(reports),
        "ties": ties,
        "among": among,
        "classes": int(answers.sum()),
        "unseen": len(data) - len(kept),
        "exposure": None if classifier.exposure is None else classifier.exposure.as_dict(),
    }


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


def restricted(probabilities: NDArray[np.floating], answers: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Probabilities renormalised over some classes; the others get 0.

    >>> restricted(np.array([[0.5, 0.1, 0.4]]), np.array([False, True, True])).round(2).tolist()
    [[0.0, 0.20000000298023224, 0.800000011920929]]
    """
    kept = np.where(answers, np.asarray(probabilities, np.float64), 0.0)
    total = kept.sum(axis=1, keepdims=True)
    even = answers / answers.sum()  # where the others had all of it, to the last digit
    return np.where(total > 0, kept / np.where(total > 0, total, 1.0), even).astype(np.float32)


def predictions_table(
    frame: pd.DataFrame,
    labels: NDArray[np.int64],
    probabilities: NDArray[np.floating],
    classes: Sequence[str],
    ties: Ties = "glami",
) -> pd.DataFrame:
    """One row a product: row_id, item_id, image_id, geo, label_source, label, prediction, probability (of the
    prediction), label_probability (NaN where the label was not trained), rank (of the label, from 1; of equal
    probabilities the higher class number comes first, as in `prediction`; 0 where it was not trained), correct, hit.

    `hit` is what the product adds to top-1 under the rule for ties: their mean is top-1. `evaluate` lays the mean over
    random passes there, and adds `pass`: the number of the pass that all other columns are of, 0 where none is random.
    """
    names = np.array(classes, object)
    best = probabilities.shape[1] - 1 - probabilities[:, ::-1].argmax(axis=1)
    rows = np.arange(len(labels))
    known = labels >= 0
    own = np.where(known, probabilities[rows, labels.clip(0)], np.nan)
    later = np.arange(probabilities.shape[1])[None, :] > labels[:, None]
    before = (probabilities > own[:, None]) | ((probabilities == own[:, None]) & later)
    return pd.DataFrame(
        {
            **{
                column: frame[column].to_numpy()
                for column in ("row_id", "item_id", "image_id", "geo", "label_source", "label")
            },
            "prediction": names[best],
            "probability": probabilities[rows, best].astype(np.float32),
            "label_probability": own.astype(np.float32),
            "rank": np.where(known, before.sum(axis=1) + 1, 0),
            "correct": best == labels,
            "hit": top_k_hits(probabilities, labels, 1, ties),
        }
    )


def intervals(hits: NDArray[np.float64], top5: float) -> dict[str, list[float]]:
    """95 percent, of the figures that are reported: top1_interval and top5_interval (Wilson), top1_bootstrap.

    Args:
        hits: (n,) what each product adds to top-1, in [0, 1]: a share under fair ties, or over random passes. Wilson's
            interval then is on the wide side, since such hits vary less than ones and zeros.
    """
    n = len(hits)
    return {
        "top1_interval": list(wilson(float(hits.sum()), n)),
        "top1_bootstrap": list(bootstrap(hits)),
        "top5_interval": list(wilson(top5 * n, n)),
    }


def intervals_and_calibration(table: pd.DataFrame, classes: Sequence[str]) -> dict[str, Any]:
    """Intervals, calibration and confused pairs of a table of predictions."""
    hits, confidence = table.hit.to_numpy(np.float64), table.probability.to_numpy()
    number_of = {label: number for number, label in enumerate(classes)}
    labels = np.array([number_of.get(label, -1) for label in table.label], np.int64)
    predictions = np.array([number_of[label] for label in table.prediction], np.int64)
    return {
        "calibration_error": calibration_error(confidence, hits),
        "reliability": reliability(confidence, hits).to_dict("records"),
        "confused_pairs": confused_pairs(labels, predictions, list(classes), k=len(table)),
    }


def write_predictions(table: pd.DataFrame, path: Path) -> None:
    """Write predictions as Parquet, atomically.

    Raises:
        StorageError: the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(temporary, index=False)
        temporary.replace(path)


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
