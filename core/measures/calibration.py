"""Calibration of predicted probabilities, and the pairs of classes that are confused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def reliability(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_ | np.floating], bins: int = 15
) -> pd.DataFrame:
    """Reliability diagram: accuracy by confidence, in bins of equal width.

    Args:
        confidence: (n,) probability of the predicted class.
        correct: (n,) whether the prediction is correct, or its fraction of a hit in [0, 1].

    Returns:
        One row per non-empty bin: low, high, n, confidence, accuracy.
    """
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.digitize(confidence, edges[1:-1], right=True), 0, bins - 1)
    rows = []
    for number in range(bins):
        inside = place == number
        if inside.any():
            rows.append(
                {
                    "low": float(edges[number]),
                    "high": float(edges[number + 1]),
                    "n": int(inside.sum()),
                    "confidence": float(confidence[inside].mean()),
                    "accuracy": float(correct[inside].mean()),
                }
            )
    return pd.DataFrame(rows, columns=["low", "high", "n", "confidence", "accuracy"])


def calibration_error(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_ | np.floating], bins: int = 15
) -> float:
    """Expected calibration error: the mean of |confidence - accuracy| over bins, weighted by their products.

    Returns:
        A fraction in [0, 1]; NaN without products.

    Source: Guo et al. 2017, arXiv:1706.04599, eq. 3.
    """
    table = reliability(confidence, correct, bins)
    if table.empty:
        return float("nan")
    return float(np.average((table.confidence - table.accuracy).abs(), weights=table.n))


def confused_pairs(
    labels: NDArray[np.int64], predictions: NDArray[np.int64], classes: list[str], k: int = 20
) -> list[dict[str, Any]]:
    """The most frequent (label, prediction) pairs of errors, most frequent first.

    Returns:
        label, prediction, n, share (of the label's products).
    """
    wrong = (labels != predictions) & (labels >= 0)
    counts = Counter(zip(labels[wrong].tolist(), predictions[wrong].tolist(), strict=True))
    total = np.bincount(labels[labels >= 0], minlength=len(classes))
    found = [
        {
            "label": classes[label],
            "prediction": classes[predicted],
            "n": n,
            "share": float(n / total[label]),
        }
        for (label, predicted), n in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    ]
    return found[:k]
