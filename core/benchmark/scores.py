"""The scores of predictions, by the same code as every evaluation of Vitrine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.benchmark.predictions import MISSING, Predicted
from core.benchmark.truth import PARTS, STORED, Truth
from core.errors import BenchmarkError
from core.evaluation.cache import Evaluation, without_nan
from core.evaluation.predictions import intervals, intervals_and_calibration, predictions_table
from core.measures.calibration import calibration_error, confused_pairs
from core.measures.intervals import bootstrap, wilson
from core.measures.metrics import classification_report, f1, grouped, per_class

PAIRS = 20
MICRO_CELLS = 30_000_000  # products x classes; beyond, micro AP sorts more than its memory allows


def score(truth: Truth, predicted: Predicted) -> tuple[dict[str, Any], pd.DataFrame]:
    """The report of a file of predictions, and its table, one row a product.

    Returns:
        A report with the keys of core.evaluation.evaluate.evaluate, None where the file does not tell (top-5 of one class a
        product; AP and calibration without probabilities), and those of `parts_of`; the table has STORED.
    """
    if predicted.probabilities is not None:
        report, table = _of_probabilities(truth, predicted.probabilities)
    elif predicted.ranked is not None:
        report, table = _of_ranks(truth, predicted.ranked)
    else:
        raise BenchmarkError("There are no predictions.")
    report["confused_pairs"] = report["confused_pairs"][:PAIRS]
    report |= {"n": len(truth), "missing": predicted.missing, "unseen": 0, "ties": "glami"}
    return without_nan(report | parts_of(truth, table)), table[list(STORED)]


def score_evaluation(truth: Truth, made: Evaluation) -> tuple[dict[str, Any], pd.DataFrame]:
    """An evaluation's own report, to the last digit, with what a submission has beside it.

    Raises:
        BenchmarkError: it is of another import, or of other products.
    """
    if made.fingerprint != truth.info.fingerprint and not made.shipped:
        raise BenchmarkError(f"This evaluation is of another import of {truth.task.dataset}. Evaluate again.")
    if made.choice.ties != "glami":
        raise BenchmarkError("The benchmark counts ties as GLAMI's code does: evaluate with --ties glami.")
    table = made.predictions()
    if not set(table.row_id) <= set(truth.frame.row_id):
        raise BenchmarkError(f"This evaluation has products that are not of {truth.task.title}.")
    stored = table[list(STORED)]
    return made.report | {"missing": 0} | without_nan(parts_of(truth, stored)), stored


def _of_probabilities(
    truth: Truth, probabilities: NDArray[np.float32]
) -> tuple[dict[str, Any], pd.DataFrame]:
    frame = truth.frame
    report = classification_report(
        probabilities, truth.labels, frame.geo.tolist(), frame.label_source.tolist(), "glami", truth.classes,
        micro=probabilities.size <= MICRO_CELLS,
    )  # fmt: skip
    table = predictions_table(frame, truth.labels, probabilities, truth.classes)
    silent = probabilities.max(axis=1) == 0  # a product without a prediction has no first class
    if silent.any():
        table.loc[silent, ["correct", "hit", "rank"]] = (False, 0.0, 0)
        report |= _tops(
            truth.frame, table.hit.to_numpy(), np.asarray(table["rank"].between(1, 5), np.float64)
        )
        first = np.where(silent, MISSING, table.prediction.map(truth.number_of)).astype(np.int64)
        report |= {f"f1_{each}": f1(truth.labels, first, each) for each in ("macro", "weighted")}
    report |= intervals_and_calibration(table, truth.classes)
    table.loc[silent, "prediction"] = ""
    return report | intervals(table.hit.to_numpy(), report["top5"]), table


def _of_ranks(truth: Truth, ranked: NDArray[np.int32]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Scores of ranked classes: no tie is possible, so that the rule for ties changes nothing."""
    at = ranked == truth.labels[:, None]
    ranks = np.where(at.any(axis=1), at.argmax(axis=1) + 1, 0)
    first = ranked[:, 0].astype(np.int64)
    hits = (ranks == 1).astype(np.float64)
    filled = (ranked != MISSING).sum(axis=1)
    five = min(5, len(truth.classes))
    tells_five = bool((filled[filled > 0] >= five).all()) and ranked.shape[1] >= five
    among = ((ranks >= 1) & (ranks <= 5)).astype(np.float64)
    names = np.array([*truth.classes, ""], object)
    table = pd.DataFrame({
        "row_id": truth.frame.row_id, "prediction": names[first], "probability": np.float32("nan"),
        "label_probability": np.float32("nan"), "rank": ranks, "correct": hits == 1, "hit": hits,
    })  # fmt: skip
    there = first >= 0
    nothing = np.full(len(truth.classes), np.nan)
    each = per_class(truth.labels[there], first[there], nothing, truth.classes)
    report = {
        **_tops(truth.frame, hits, among if tells_five else None),
        "f1_macro": f1(truth.labels, first, "macro"), "f1_weighted": f1(truth.labels, first, "weighted"),
        "ap_macro": None, "ap_weighted": None, "ap_micro": None, "unknown_classes": 0, "per_class": each,
        "calibration_error": None, "reliability": [],
        "confused_pairs": confused_pairs(truth.labels[there], first[there], truth.classes, PAIRS),
        "top1_interval": list(wilson(float(hits.sum()), len(hits))), "top1_bootstrap": list(bootstrap(hits)),
        "top5_interval": list(wilson(float(among.sum()), len(hits))) if tells_five else None,
    }  # fmt: skip
    return report, table


def _tops(
    frame: pd.DataFrame, first: NDArray[np.float64], five: NDArray[np.float64] | None
) -> dict[str, Any]:
    """top1, top5, per_geo and per_label_source of each product's contributions."""

    def per(column: str) -> dict[str, dict[str, Any]]:
        groups = frame[column].tolist()
        top1 = grouped(first, groups)
        top5 = grouped(five, groups) if five is not None else {}
        return {
            name: {"top1": one["mean"], "top5": top5[name]["mean"] if top5 else None, "n": one["n"]}
            for name, one in top1.items()
        }

    return {
        "top1": float(first.mean()), "top5": None if five is None else float(five.mean()),
        "per_geo": per("geo"), "per_label_source": per("label_source"),
    }  # fmt: skip


def parts_of(truth: Truth, table: pd.DataFrame) -> dict[str, Any]:
    """Balanced accuracy, and top-1 of head, middle and tail and of labels by people and by rules.

    Returns:
        balanced: the mean over classes of their recall (scikit-learn's balanced_accuracy_score); per_part and per_kind,
        {name: {top1, n, interval}}.
    """
    whole = truth.table(table)
    hits = whole.hit.to_numpy(np.float64)
    numbers = np.asarray(whole.label.map(truth.number_of), np.int64)
    per = {kind: whole.label_kind.eq(kind).to_numpy() for kind in ("human", "machine")}
    parts = {}
    if truth.groups is not None:
        group = truth.groups[numbers]
        parts = {name: group == name for name in PARTS}
    counts = np.bincount(numbers, minlength=len(truth.classes))
    sums = np.bincount(numbers, weights=hits, minlength=len(truth.classes))
    return {
        "balanced": float((sums[counts > 0] / counts[counts > 0]).mean()),
        "per_part": {name: _part(hits[mask]) for name, mask in parts.items()},
        "per_kind": {name: _part(hits[mask]) for name, mask in per.items()},
    }


def _part(hits: NDArray[np.float64]) -> dict[str, Any]:
    n = len(hits)
    return {
        "n": n,
        "top1": float(hits.mean()) if n else None,
        "interval": list(wilson(float(hits.sum()), n)) if n else None,
    }


def top_figures(truth: Truth, table: pd.DataFrame, tells_five: bool = True) -> dict[str, Any]:
    """What a table of some products tells by itself: n, top1, top5, top1_interval, per_geo, per_label_source, f1_macro,
    f1_weighted, and calibration_error where it has probabilities."""
    whole = truth.table(table)
    hits, among = whole.hit.to_numpy(np.float64), np.asarray(whole["rank"].between(1, 5), np.float64)
    labels = np.asarray(whole.label.map(truth.number_of), np.int64)
    said = np.asarray(whole.prediction.astype(object).map(truth.number_of).fillna(MISSING), np.int64)
    known = bool(whole.probability.notna().all()) and len(whole) > 0
    return {
        "n": len(whole), **_tops(whole, hits, among if tells_five else None),
        "top1_interval": list(wilson(float(hits.sum()), len(hits))),
        "f1_macro": f1(labels, said, "macro"), "f1_weighted": f1(labels, said, "weighted"),
        "calibration_error": calibration_error(whole.probability.to_numpy(), hits) if known else None,
    }  # fmt: skip
