"""Load a classifier by name, run folder or registry entry, with a cache. Imports torch."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

from core.errors import ModelError
from core.models.classifier import Classification, Classifier
from core.models.registry import ZERO_SHOT, ModelSpec, model, models
from core.models.zero_shot import open_zero_shot
from core.training.runs import WEIGHTS, find_run

# Models are loaded once; importing transformers is not thread-safe.
_loading = threading.Lock()


def load(spec: ModelSpec) -> Classifier:
    """
    Raises:
        ModelError: the weights are missing, cut short, a pickle, or of another model.
    """
    if spec.architecture == ZERO_SHOT:
        return open_zero_shot(spec.name)
    return Classifier.load(spec.folder)


@lru_cache(maxsize=4)
def _loaded(folder: Path, changed_ns: int) -> Classifier:
    return Classifier.load(folder)


def loaded(name: str) -> Classifier:
    """Load a model by name. The cache holds three models, and reloads a model whose weights changed.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    spec = model(name)
    if spec.architecture == ZERO_SHOT:
        return load(spec)
    folder = spec.folder
    try:
        changed_ns = (folder / WEIGHTS).stat().st_mtime_ns
    except OSError as error:
        raise ModelError(
            f"The model {name} does not exist any more; its run may have been deleted."
        ) from error
    with _loading:
        return _loaded(folder, changed_ns)


def open_classifier(run: str | Path, dataset: str | None = None, prompt: str | None = None) -> Classifier:
    """Load a classifier to evaluate: a run by name or folder, a bundled model, or a zero-shot model.

    Args:
        dataset: whose categories a zero-shot model chooses from; a trained one has its own.
        prompt: of a zero-shot model; see core.models.prompts.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    if isinstance(run, str) and run.startswith(f"{ZERO_SHOT}-"):
        return open_zero_shot(run, dataset, prompt)
    try:
        return Classifier.load(find_run(run))
    except ModelError:
        bundled = [spec for spec in models() if spec.weights == "bundled" and spec.name == str(run)]
        if not bundled:
            raise
        return load(bundled[0])


def classify(
    model_name: str,
    image: bytes | Path | None = None,
    name: str | None = None,
    description: str | None = None,
) -> Classification:
    """`Classifier.classify` of a model by its name."""
    return loaded(model_name).classify(image, name, description)
