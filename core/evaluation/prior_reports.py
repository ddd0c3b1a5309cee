"""Estimated priors by country, stored beside a model's evaluations for the Evaluate page."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation import cache
from core.evaluation.choice import Choice
from core.evaluation.status import Status, state_of, working
from core.labels.prior_shift import METHODS, REPEATS, Method
from core.measures.bias_temperature import Calibration
from core.models.registry import ModelSpec
from core.progress import Progress, no_progress
from core.storage import storage_errors

VERSION = 1


def path_of(spec: ModelSpec, choice: Choice, method: Method) -> Path:
    """The file of a stored report of the current weights on the current dataset."""
    return cache.path_of(spec, choice).with_suffix(f".priors-{method}.json")


def find(spec: ModelSpec, choice: Choice, method: Method) -> dict[str, Any] | None:
    """A stored report, or None where there is none, or it is damaged or of another version."""
    try:
        kept = json.loads(path_of(spec, choice, method).read_text(encoding="utf-8"))
        return dict(kept["report"]) if kept["version"] == VERSION else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class ShopPriors:
    """What a country's shops sell as estimated without labels, and how a model's probabilities are adjusted to it."""

    method: Method
    n: int  # products that it was estimated from
    prior: NDArray[np.float64]  # (classes,)
    source: NDArray[np.float64]  # (classes,) priors under which the calibrated model answers
    calibration: Calibration


def shop_priors(spec: ModelSpec, dataset: str) -> dict[str, ShopPriors]:
    """The stored estimates of each country, for a model's test products of a dataset; empty where there are none.

    A file of a data folder is untrusted: an entry that is damaged is left out.
    """
    choice = Choice(dataset)
    found: dict[str, ShopPriors] = {}
    for method in METHODS:
        report = find(spec, choice, method)
        for group in (report or {}).get("groups", ()):
            with suppress(KeyError, TypeError, ValueError):
                classes = group["classes"]
                made = ShopPriors(
                    method, int(group["n"]), np.array([row["prior"] for row in classes], np.float64),
                    np.array([row["source"] for row in classes], np.float64),
                    Calibration(float(group["temperature"]), np.array(group["bias"], np.float64)),
                )  # fmt: skip
                if made.calibration.temperature > 0 and made.calibration.bias.shape == made.prior.shape:
                    found.setdefault(str(group["name"]), made)
    return found


def status_of(spec: ModelSpec, choice: Choice, method: Method) -> Status | None:
    """The progress of a report, or why it failed; None if it was not started or is done."""
    return state_of(path_of(spec, choice, method))


def report_and_store(
    spec: ModelSpec, choice: Choice, method: Method, progress: Progress = no_progress, repeats: int = REPEATS
) -> dict[str, Any]:
    """The report by country, kept for the Evaluate page.

    Raises:
        StorageError: it is already running, or cannot be written.
        VitrineError: see prior_report.
    """
    path = path_of(spec, choice, method)
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with working(path, progress) as tell:
        from core.evaluation.prior_shift import prior_report  # torch takes seconds

        report = prior_report(
            cache.run_of(spec), choice.split, choice.dataset, method, None, choice.labels == "human", choice.sees,
            repeats, tell,
        ) | {"run": spec.name}  # fmt: skip
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with storage_errors(path.parent):
            text = json.dumps({"version": VERSION, "report": cache.without_nan(report)}, ensure_ascii=False)
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
    return report
