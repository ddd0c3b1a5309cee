"""A trained classifier on one split of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalog import Products
from core.errors import UsageError
from core.metrics import Ties, classification_report
from core.models.classifier import BATCH, Classifier
from core.models.data import ProductData, product_frame
from core.models.inputs import IMAGE, TEXT
from core.models.runs import find_run
from core.sources.reading import Progress, no_progress

SEES = {"both": (), "picture": (TEXT,), "text": (IMAGE,)}  # what is withheld
SPLITS = ("train", "validation", "test")


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
) -> dict[str, Any]:
    """Judge a run on products it has not seen.

    Args:
        run: a folder, or a name in VITRINE_HOME/runs.
        dataset: instead of the one it was trained on; its categories must have the same names.
        human_only: only products that a person labelled.
        sees: `both`, `picture` or `text`.
        inference: `expected`; or `sampled`, one random pass, repeated `passes` times: top1 and top5
            are then means, with their standard deviations beside them; or `ensemble`.

    Returns:
        See core.metrics.classification_report; and run, dataset, split, sees, inference, unseen (products
        left out because nothing of them can be read).

    Raises:
        ModelError: the run cannot be loaded.
        UnknownDatasetError: its dataset is gone.
        UsageError: there is nothing to judge, or an argument that cannot be.
    """
    for value, known, what in ((split, SPLITS, "splits"), (sees, tuple(SEES), "inputs")):
        if value not in known:
            raise UsageError(f"{value!r} is not one of the {what}: {', '.join(known)}.")
    classifier = Classifier.load(find_run(run))
    data = split_data(classifier, dataset or classifier.config.dataset, split, human_only, workers, progress)
    kept = np.flatnonzero(readable(data, classifier, sees))
    if not len(kept):
        raise UsageError(f"No product of the {split} split has what is needed ({sees}).")
    seeds = range(passes if inference == "sampled" else 1)
    frame = data.frame.iloc[kept]
    reports = [
        classification_report(
            probabilities_of(classifier, data, kept, sees, inference, seed, progress),
            data.labels[kept],
            frame.geo.tolist(),
            frame.label_source.tolist(),
            ties,
        )
        for seed in seeds
    ]
    report = reports[0]
    if len(reports) > 1:
        for figure in ("top1", "top5"):
            each = [float(one[figure]) for one in reports]
            report[figure], report[f"{figure}_deviation"] = (
                float(np.mean(each)),
                float(np.std(each, ddof=1)),
            )
    return report | {
        "run": classifier.folder.name,
        "dataset": data_name(classifier, dataset),
        "split": split,
        "sees": sees,
        "inference": inference,
        "unseen": len(data) - len(kept),
    }


def data_name(classifier: Classifier, dataset: str | None) -> str:
    return dataset or classifier.config.dataset


def split_data(
    classifier: Classifier,
    dataset: str,
    split: str,
    human_only: bool = False,
    workers: int | None = None,
    progress: Progress = no_progress,
) -> ProductData:
    """The products of a split, as the classifier reads them."""
    products = Products.open(dataset)
    frame = product_frame(products, (split,), human_only)
    return ProductData(products, frame, classifier.readings, workers, progress)


def readable(data: ProductData, classifier: Classifier, sees: str) -> NDArray[np.bool_]:
    """(n,) products of which the classifier can read something."""
    columns = [column for column in (TEXT, IMAGE) if column not in SEES[sees]]
    columns = [column for column in columns if column in classifier.network.used]
    return np.asarray(data.available[:, columns].any(axis=1), np.bool_)


def probabilities_of(
    classifier: Classifier,
    data: ProductData,
    positions: Sequence[int] | NDArray[np.int64],
    sees: str = "both",
    inference: str = "expected",
    seed: int = 0,
    progress: Progress = no_progress,
) -> NDArray[np.float32]:
    """(n, classes) for products of `data`, a batch at a time."""
    chosen = np.asarray(positions, np.int64)
    found = []
    for at in range(0, len(chosen), BATCH):
        inputs = data.inputs(chosen[at : at + BATCH]).without(*SEES[sees])
        found.append(classifier.predict(inputs, inference=inference, seed=seed + at))
        progress(min(at + BATCH, len(chosen)), len(chosen), "Classifying")
    return np.concatenate(found)
