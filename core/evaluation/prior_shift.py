"""A classifier under other class priors: what each country's shops sell, estimated without their labels, and what it gains.

Labelled products that the classifier was not trained on calibrate it and give its confusions: the validation split, or else the
other countries' products of the same split. The labels of the country itself are used only to say how good the estimate was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.errors import UsageError
from core.evaluation.evaluate import data_name, probabilities_of, readable, split_data
from core.labels.prior_shift import FEWEST, METHODS, REPEATS, Estimator, Method, PriorEstimate
from core.measures.intervals import paired_difference
from core.models.classifier import Classifier
from core.models.loading import open_classifier
from core.models.priors import adjusted
from core.progress import Progress, no_progress

VALIDATION, OTHERS = "validation", "others"  # where the labelled products come from


@dataclass(frozen=True)
class _Answers:
    """n products with a classifier's probabilities."""

    probabilities: NDArray[np.float32]  # (n, classes)
    labels: NDArray[np.int64]  # (n,) -1 where unknown
    rows: NDArray[np.int64]  # (n,) row_ids
    geos: NDArray[np.object_]  # (n,)


def prior_report(
    run: str | Path,
    split: str = "test",
    dataset: str | None = None,
    method: Method = "em",
    of: Cohort | None = None,
    human_only: bool = False,
    sees: str = "both",
    repeats: int = REPEATS,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Estimate class priors of each country, or of one cohort, and the accuracy that adjusting to them gives.

    Args:
        run, split, dataset, human_only, sees: as core.evaluation.evaluate.evaluate.
        method: of core.labels.prior_shift.METHODS.
        of: the products of the split that are the target; None: each country with FEWEST products or more.
        repeats: of the bootstrap.

    Returns:
        run, dataset, split, method, calibrated_on (`validation` or `others`), left_out (countries with too few products),
        and groups, a list of: name (country code; "" for a cohort), n, labelled, temperature, top1 (as trained),
        top1_calibrated, top1_estimated, top1_true (None without labels), gain and gain_interval (95%, estimated minus as trained),
        error and error_before (total variation distance to the true priors, of the estimate and of the labelled products'), covered (share of
        the classes whose interval has the true prior), and classes, a list of {label, prior, low, high, source, true}.

    Raises:
        UsageError: no product can be used, or too few have a label that the model knows.
        ModelError: the run cannot be loaded.
    """
    if method not in METHODS:
        raise UsageError(f"No method {method!r} of estimating priors. Methods: {', '.join(METHODS)}.")
    classifier = open_classifier(run, dataset)
    name = data_name(classifier, dataset)
    products = Products.open(name)
    here = _answers(classifier, name, split, human_only, sees, progress)
    if not len(here.rows):
        raise UsageError(f"No product of the {split} split can be read by {classifier.name}.")
    apart = None
    if split != VALIDATION and VALIDATION in products.info.splits:
        apart = _answers(classifier, name, VALIDATION, human_only, sees, progress)
        if (apart.labels >= 0).sum() < FEWEST:
            apart = None
    groups: list[dict[str, Any]] = []
    left_out: list[str] = []
    for label, mask in _targets(here, products, of):
        if mask.sum() < FEWEST:
            left_out.append(label)
            continue
        progress(len(groups), 0, f"Estimating the priors of {label or 'the cohort'}")
        groups.append(_group(label, here, mask, apart, method, repeats, classifier.config.classes))
    if not groups:
        raise UsageError(f"Priors need {FEWEST} products or more of the {split} split; there are fewer.")
    return {
        "run": classifier.name, "dataset": name, "split": split, "method": method, "repeats": repeats,
        "calibrated_on": OTHERS if apart is None else VALIDATION, "left_out": left_out, "groups": groups,
    }  # fmt: skip


def _answers(
    classifier: Classifier, dataset: str, split: str, human_only: bool, sees: str, progress: Progress
) -> _Answers:
    data = split_data(classifier, dataset, split, human_only, progress=progress)
    positions = np.flatnonzero(readable(data, classifier, sees))
    frame = data.frame.iloc[positions]
    found = np.zeros((0, len(classifier.config.classes)), np.float32)
    if len(positions):
        found = probabilities_of(classifier, data, positions, sees, progress=progress)
    geos = np.array([geo if isinstance(geo, str) else "" for geo in frame.geo], object)
    return _Answers(found, data.labels[positions], frame.row_id.to_numpy(np.int64), geos)


def _targets(
    here: _Answers, products: Products, of: Cohort | None
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """The name and the products of each target."""
    if of is not None:
        rows = products.table("SELECT row_id FROM cohort", of).column("row_id")
        yield "", np.isin(here.rows, np.asarray(rows, np.int64))
        return
    named = sorted(set(here.geos) - {""})
    if not named:
        raise UsageError("This dataset has no countries: name a cohort (--of).")
    for geo in named:
        yield geo, here.geos == geo


def _group(
    name: str,
    here: _Answers,
    mask: NDArray[np.bool_],
    apart: _Answers | None,
    method: Method,
    repeats: int,
    classes: Sequence[str],
) -> dict[str, Any]:
    """One target's entry of `prior_report`."""
    if apart is None:
        estimator = Estimator.fit(here.probabilities[~mask], here.labels[~mask])
    else:
        estimator = Estimator.fit(apart.probabilities, apart.labels)
    given, labels = here.probabilities[mask], here.labels[mask]
    found = estimator.estimate(method, given, repeats)
    known = labels >= 0
    report: dict[str, Any] = {
        "name": name, "n": len(labels), "labelled": int(known.sum()),
        "temperature": estimator.calibration.temperature if estimator.calibration else 1.0,
        "top1": None, "top1_calibrated": None, "top1_estimated": None, "top1_true": None, "gain": None,
        "gain_interval": None, "error": None, "error_before": None, "covered": None,
    }  # fmt: skip
    true = None
    if known.any():
        true = np.bincount(labels[known], minlength=len(classes)) / known.sum()
        report |= _accuracies(estimator, given, labels, found, true) | _errors(estimator, found, true)
    report["bias"] = [] if estimator.calibration is None else estimator.calibration.bias.round(5).tolist()
    report["classes"] = [
        {
            "label": label, "prior": float(found.prior[at]), "low": float(found.low[at]), "high": float(found.high[at]),
            "source": float(estimator.source[at]), "true": None if true is None else float(true[at]),
        }
        for at, label in enumerate(classes)
    ]  # fmt: skip
    return report


def _accuracies(
    estimator: Estimator,
    given: NDArray[np.float32],
    labels: NDArray[np.int64],
    found: PriorEstimate,
    true: NDArray[np.float64],
) -> dict[str, Any]:
    """Accuracies over all the target's products; those of classes that the model does not know are errors."""
    calibrated = estimator.calibrated(given).astype(np.float32)

    def right(probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
        return np.asarray(probabilities.argmax(axis=1) == labels)

    before, after = right(given), right(adjusted(calibrated, found.prior, estimator.source))
    low, high = paired_difference(int((after & ~before).sum()), int((before & ~after).sum()), len(labels))
    return {
        "top1": float(before.mean()),
        "top1_calibrated": float(right(calibrated).mean()),
        "top1_estimated": float(after.mean()),
        "top1_true": float(right(adjusted(calibrated, true, estimator.source)).mean()),
        "gain": float(after.mean() - before.mean()),
        "gain_interval": [low, high],
    }


def _errors(estimator: Estimator, found: PriorEstimate, true: NDArray[np.float64]) -> dict[str, float]:
    return {
        "error": float(np.abs(found.prior - true).sum() / 2),
        "error_before": float(np.abs(estimator.source - true).sum() / 2),
        "covered": float(((found.low <= true + 1e-9) & (true <= found.high + 1e-9)).mean()),
    }
