"""Which model fits a dataset: whether its classes are the dataset's categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors import ModelError
from core.models.registry import ZERO_SHOT, ModelSpec
from core.training.runs import RunConfig

FITTING = 0.5  # share of a dataset's products whose category a model must know to fit it


def known_share(spec: ModelSpec, counts: Mapping[str, int]) -> float:
    """Share of a dataset's products whose category is among a model's classes, 0 to 1.

    Args:
        counts: products by category path, as `path_text` writes it.
    """
    if spec.architecture == ZERO_SHOT:
        return 0.0  # it is asked about any categories, and was trained on none
    try:
        classes = set(RunConfig.read(spec.folder).classes)
    except ModelError:
        return 0.0
    total = sum(counts.values())
    return sum(counts.get(known, 0) for known in classes) / total if total else 0.0


def best(specs: Sequence[ModelSpec], counts: Mapping[str, int], dataset: str) -> ModelSpec:
    """The model to begin with on a dataset: the trained one that knows most of its products, the first of equals;
    where none knows half of them, the dataset's zero-shot model; else the first there is.

    Args:
        specs: one at least.
    """
    shares = [known_share(spec, counts) for spec in specs]
    most = max(range(len(specs)), key=lambda position: shares[position])
    if shares[most] >= FITTING:
        return specs[most]
    asked = (spec for spec in specs if spec.architecture == ZERO_SHOT and spec.dataset == dataset)
    return next(asked, specs[0])
