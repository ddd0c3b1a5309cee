"""Does a probability mean what it says? And which classes are taken for which?"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def reliability(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_ | np.floating], bins: int = 15
) -> pd.DataFrame:
    """Confidence against accuracy in equal bins of confidence.

    Args:
        confidence: (n,) probability of the predicted class.
        correct: (n,); or how far it is, in [0, 1].

    Returns:
        One row a bin that has products: low, high, n, confidence, accuracy.
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
    """Expected calibration error: the mean gap between confidence and accuracy, by products of a bin.

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
    """The (label, prediction) pairs that cost most products, most first.

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
