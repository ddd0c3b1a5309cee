"""The table of a classifier's predictions, one row a product, and the figures computed from it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.measures.calibration import calibration_error, confused_pairs, reliability
from core.measures.intervals import bootstrap, wilson
from core.measures.metrics import Ties, top_k_hits
from core.storage import storage_errors


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

    `hit` is the product's contribution to top-1 under the rule for ties: their mean is top-1. `evaluate` replaces it by
    its mean over random passes, and adds `pass`: the number of the pass of all other columns, 0 without random passes.
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
    """95 percent intervals: top1_interval and top5_interval (Wilson), top1_bootstrap.

    Args:
        hits: (n,) each product's contribution to top-1, in [0, 1]; fractional under fair ties or over random passes.
            Wilson's interval is then conservative, since such hits vary less than ones and zeros.
        top5: top-5 accuracy, a fraction.
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
