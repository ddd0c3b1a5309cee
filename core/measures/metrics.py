"""Figures that say how good predictions are: top-k, F1, average precision, overall and by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError

Ties = Literal["glami", "fair"]


def top_k_hits(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], k: int, ties: Ties = "fair"
) -> NDArray[np.float64]:
    """How far each product's label is among its k likeliest classes.

    Args:
        probabilities: (n, C); any monotone score will do.
        labels: (n,) class numbers; a label that is no class (negative) is never hit.
        k: classes looked at, 1 or more; at least C is always a hit.
        ties: `glami` sorts ascending and reverses, so that of equal classes the higher number comes
            first; `fair` gives the chance of a hit when ties are broken at random.

    Returns:
        (n,) 0 or 1; between them only for fair ties at the edge of the k.

    Source: glami/glami-1m, its metrics; `fair` is ours.

    >>> top_k_hits(np.array([[0.5, 0.5]]), np.array([0]), k=1, ties="glami").tolist()
    [0.0]
    >>> top_k_hits(np.array([[0.5, 0.5]]), np.array([0]), k=1).tolist()
    [0.5]
    """
    if len(probabilities) != len(labels):
        raise ValueError(f"{len(probabilities)} rows of probabilities but {len(labels)} labels")
    if k < 1:
        raise ValueError(f"k is {k}; expected 1 or more")
    known = labels >= 0
    own = probabilities[np.arange(len(labels)), np.where(known, labels, 0)][:, None]
    above = (probabilities > own).sum(axis=1)
    equal = probabilities == own
    if ties == "glami":
        later = np.arange(probabilities.shape[1])[None, :] > labels[:, None]
        hits = (above + (equal & later).sum(axis=1) < k).astype(np.float64)
    else:
        hits = np.clip((k - above) / equal.sum(axis=1), 0.0, 1.0)
    return np.where(known, hits, 0.0)


def f1(labels: NDArray[np.int64], predictions: NDArray[np.int64], average: str) -> float:
    """F1 over the classes that the labels have: `macro` (each class alike) or `weighted` (by its products).

    As in `average_precision`, products of a class that was not trained (negative) make no class of their own:
    they are false positives of what they were said to be.

    Returns:
        A fraction in [0, 1]; NaN where no product has a known label.
    """
    from sklearn.metrics import f1_score

    present = np.unique(labels[labels >= 0])
    if not len(present):
        return float("nan")
    return float(f1_score(labels, predictions, labels=present, average=average, zero_division=0.0))


def average_precision(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating], average: str = "macro"
) -> float:
    """Area under the precision-recall curve, one class against the rest.

    Args:
        average: `macro` and `weighted` over the classes that the labels have, `micro` over all
            (product, class) pairs.

    Returns:
        A fraction in [0, 1]; NaN where no product has a known label.
    """
    from sklearn.metrics import average_precision_score

    if average == "micro":
        if not (labels >= 0).any():
            return float("nan")
        truth = labels[:, None] == np.arange(probabilities.shape[1])[None, :]
        return float(average_precision_score(truth.ravel(), probabilities.ravel()))
    each = class_precisions(labels, probabilities)
    return mean_precision(each, labels, average)


def class_precisions(labels: NDArray[np.int64], probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """(C,) average precision of each class against the rest; NaN for one that no product has."""
    from sklearn.metrics import average_precision_score

    each = np.full(probabilities.shape[1], np.nan)
    for c in np.unique(labels[labels >= 0]):
        each[c] = average_precision_score(labels == c, probabilities[:, c])
    return each


def mean_precision(each: NDArray[np.float64], labels: NDArray[np.int64], average: str) -> float:
    """`macro` or `weighted` mean of `class_precisions`; NaN where no product has a known label."""
    present = ~np.isnan(each)
    if not present.any():
        return float("nan")
    counts = np.bincount(labels[labels >= 0], minlength=len(each))[present]
    return float(np.average(each[present], weights=counts if average == "weighted" else None))


def per_class(
    labels: NDArray[np.int64],
    predictions: NDArray[np.int64],
    precisions: NDArray[np.float64],
    classes: Sequence[str],
) -> list[dict[str, Any]]:
    """Every class that products have or were said to have, most products first.

    Args:
        precisions: (C,) of `class_precisions`.

    Returns:
        label, n (products that have it), predicted (products said to have it), precision, recall, f1, ap:
        fractions in [0, 1]; None where there is nothing to divide by.
    """
    known = labels >= 0
    n = np.bincount(labels[known], minlength=len(classes))
    predicted = np.bincount(predictions, minlength=len(classes))
    right = np.bincount(labels[known & (labels == predictions)], minlength=len(classes))

    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    found = [
        {
            "label": label,
            "n": int(n[c]),
            "predicted": int(predicted[c]),
            "precision": share(int(right[c]), int(predicted[c])),
            "recall": share(int(right[c]), int(n[c])),
            "f1": share(2 * int(right[c]), int(n[c] + predicted[c])),
            "ap": None if np.isnan(precisions[c]) else float(precisions[c]),
        }
        for c, label in enumerate(classes)
        if n[c] or predicted[c]
    ]
    return sorted(found, key=lambda row: (-row["n"], -row["predicted"], row["label"]))


def grouped(hits: NDArray[np.float64], groups: Sequence[object]) -> dict[str, dict[str, float]]:
    """Mean and number by group, sorted by group; a missing group is `(none)`."""
    names = np.array(["(none)" if group is None or group != group else str(group) for group in groups])
    return {
        str(name): {"mean": float(hits[names == name].mean()), "n": int((names == name).sum())}
        for name in np.unique(names)
    }


def classification_report(
    probabilities: NDArray[np.floating],
    labels: NDArray[np.int64],
    geo: Sequence[object],
    label_source: Sequence[object],
    ties: Ties = "glami",
    classes: Sequence[str] | None = None,
) -> dict[str, Any]:
    """What a classifier is judged by.

    Args:
        probabilities: (n, C).
        labels: (n,) class numbers, negative where the class was not trained: always wrong, and counted.
        geo, label_source: (n,) groups.
        classes: (C,) their names; with them, `per_class` is part of the report.

    Returns:
        top1, top5, per_geo and per_label_source ({group: {top1, top5, n}}), f1_macro, f1_weighted,
        ap_macro, ap_weighted, ap_micro, n, unknown_classes: all fractions in [0, 1] but the counts.

    Raises:
        ModelError: a probability is NaN.
    """
    if np.isnan(probabilities).any():
        rows = int(np.isnan(probabilities).any(axis=1).sum())
        raise ModelError(
            f"The model gave no number for {rows:,} of {len(labels):,} products (NaN): its weights are damaged, or "
            "its training diverged. Train it again, with a lower learning rate."
        )
    first = top_k_hits(probabilities, labels, 1, ties)
    five = top_k_hits(probabilities, labels, 5, ties)
    predictions = probabilities.shape[1] - 1 - probabilities[:, ::-1].argmax(axis=1)  # ties to the higher

    def per(groups: Sequence[object]) -> dict[str, dict[str, float]]:
        top1, top5 = grouped(first, groups), grouped(five, groups)
        return {
            name: {"top1": top1[name]["mean"], "top5": top5[name]["mean"], "n": top1[name]["n"]}
            for name in top1
        }

    each = class_precisions(labels, probabilities)
    return {
        "top1": float(first.mean()),
        "top5": float(five.mean()),
        "per_geo": per(geo),
        "per_label_source": per(label_source),
        "f1_macro": f1(labels, predictions, "macro"),
        "f1_weighted": f1(labels, predictions, "weighted"),
        "ap_macro": mean_precision(each, labels, "macro"),
        "ap_weighted": mean_precision(each, labels, "weighted"),
        "ap_micro": average_precision(labels, probabilities, "micro"),
        "n": len(labels),
        "unknown_classes": int((labels < 0).sum()),
        **({} if classes is None else {"per_class": per_class(labels, predictions, each, classes)}),
    }
