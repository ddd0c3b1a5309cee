"""The models there are: a visible list. Describing one costs nothing; `load()` imports torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.errors import ModelError
from core.models.runs import WEIGHTS, RunConfig, run_folders
from core.settings import ASSETS

if TYPE_CHECKING:
    from core.models.classifier import Classifier

TRAIN_COMMAND = "python -m trainers.embracenet --dataset NAME"


@dataclass(frozen=True)
class ModelSpec:
    """One model as a person chooses it."""

    name: str
    title: str
    task: Literal["classification"]
    inputs: tuple[str, ...]  # text, image
    weights: Literal["bundled", "hub", "run"]
    revision: str  # of the weights
    licence: str
    trained_on: str
    folder: Path  # where config.json and the weights are

    def load(self) -> Classifier:
        """
        Raises:
            ModelError: the weights are missing, cut short, a pickle, or of another model.
        """
        from core.models.classifier import Classifier

        return Classifier.load(self.folder)


BUNDLED = ("embracenet-tiny",)  # folders of assets/models, each a run as its trainer left it


def models(task: str = "classification") -> list[ModelSpec]:
    """Every model of a task that can be loaded now: finished runs, newest first, then the bundled ones."""
    found = []
    for folder in [*run_folders(), *(ASSETS / "models" / name for name in BUNDLED)]:
        try:
            spec = of_run(folder)
        except ModelError:
            continue
        if spec.task == task and (folder / WEIGHTS).exists():
            found.append(spec)
    return found


def of_run(folder: Path) -> ModelSpec:
    """A trained run as a model.

    Raises:
        ModelError: there is no run in that folder.
    """
    config = RunConfig.read(folder)
    inputs = tuple(name for name in ("text", "image") if config.model.get(name))
    labels = "human labels" if config.human_only else "all labels"
    datasets = " and ".join(config.trained_on())
    return ModelSpec(
        name=folder.name,
        title=f"{ARCHITECTURES[config.architecture][0]} ({config.preset}) on {datasets}"
        if config.architecture in ARCHITECTURES
        else config.architecture,
        task="classification",
        inputs=inputs,
        weights="bundled" if folder.parent == ASSETS / "models" else "run",
        revision=str(config.result.get("weights", "unfinished")),
        licence=config.licence,
        trained_on=f"{config.products.get('training', 0):,} products of {datasets}, {labels}",
        folder=folder,
    )


# What a run's configuration may name: the title, and the module whose `build` makes the network.
ARCHITECTURES: dict[str, tuple[str, str]] = {
    "embracenet": ("EmbraceNet", "core.models.embracenet"),
    "fusion": ("Tensor fusion", "core.models.fusion"),
    "single": ("One modality", "core.models.single"),
    "ngrams": ("TF-IDF, logistic regression", "core.models.ngrams"),
}


def model(name: str, known: Callable[[], list[ModelSpec]] = models) -> ModelSpec:
    """
    Raises:
        ModelError: there is no such model.
    """
    found = known()
    for spec in found:
        if spec.name == name:
            return spec
    if not found:
        raise ModelError(f"No model is trained yet. Train one: {TRAIN_COMMAND}")
    raise ModelError(
        f"There is no model named {name!r} (there is: {', '.join(spec.name for spec in found)})."
    )
