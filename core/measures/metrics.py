"""Classification metrics: top-k accuracy, F1, average precision, overall and by group."""

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
    """Whether the label of each product is among its k most probable classes.

    Args:
        probabilities: (n, C) probabilities, or any monotone score.
        labels: (n,) class numbers; negative for an unknown class, which is never a hit.
        k: number of classes, 1 or more; k >= C always hits.
        ties: `glami` sorts ascending and reverses, so that of equal classes the higher number comes
            first; `fair` is the expected hit under random tie-breaking.

    Returns:
        (n,) 0 or 1; fractions only for fair ties at rank k.

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
    """F1 over the classes in `labels`: `macro` (unweighted mean) or `weighted` (by support).

    As in `average_precision`, products of unknown classes (negative labels) are not a class: they are false positives of
    their predicted class.

    Returns:
        A fraction in [0, 1]; NaN if no product has a known label.
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
        average: `macro` and `weighted` over the classes in `labels`, `micro` over all
            (product, class) pairs.

    Returns:
        A fraction in [0, 1]; NaN if no product has a known label.
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
    """(C,) average precision of each class, one against the rest; NaN for classes without products."""
    from sklearn.metrics import average_precision_score

    each = np.full(probabilities.shape[1], np.nan)
    for c in np.unique(labels[labels >= 0]):
        each[c] = average_precision_score(labels == c, probabilities[:, c])
    return each


def mean_precision(each: NDArray[np.float64], labels: NDArray[np.int64], average: str) -> float:
    """`macro` or `weighted` mean of `class_precisions`; NaN if no product has a known label."""
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
    """Metrics of every class that occurs in labels or predictions, largest support first.

    Args:
        precisions: (C,) of `class_precisions`.

    Returns:
        label, n (support), predicted (number of predictions), precision, recall, f1, ap: fractions in [0, 1];
        None if undefined.
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
    """Mean and count by group, sorted by group; a missing group is `(none)`."""
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
    micro: bool = True,
) -> dict[str, Any]:
    """All metrics of a classifier.

    Args:
        probabilities: (n, C).
        labels: (n,) class numbers, negative for classes the model does not know: always errors.
        geo, label_source: (n,) groups.
        classes: (C,) names; if given, the report has `per_class`.
        micro: compute ap_micro, which sorts n x C numbers; else it is NaN.

    Returns:
        top1, top5, per_geo and per_label_source ({group: {top1, top5, n}}), f1_macro, f1_weighted,
        ap_macro, ap_weighted, ap_micro, n, unknown_classes: fractions in [0, 1], except counts.

    Raises:
        ModelError: a probability is NaN.
    """
    if np.isnan(probabilities).any():
        rows = int(np.isnan(probabilities).any(axis=1).sum())
        raise ModelError(
            f"The model predicted NaN for {rows:,} of {len(labels):,} products: its weights are damaged, or "
            "its training diverged. Train it again, with a lower learning rate."
        )
    first = top_k_hits(probabilities, labels, 1, ties)
    five = top_k_hits(probabilities, labels, 5, ties)
    predictions = (
        probabilities.shape[1] - 1 - probabilities[:, ::-1].argmax(axis=1)
    )  # ties: the higher number

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
        "ap_micro": average_precision(labels, probabilities, "micro") if micro else float("nan"),
        "n": len(labels),
        "unknown_classes": int((labels < 0).sum()),
        **({} if classes is None else {"per_class": per_class(labels, predictions, each, classes)}),
    }
