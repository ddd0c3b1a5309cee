"""The list of models. Describing one is cheap; core.models.loading loads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from core.catalog.info import datasets, info
from core.embeddings.clip import ENCODERS, EncoderSpec, encoder, run_encoders
from core.embeddings.seen import Exposure, exposure
from core.embeddings.store import sets
from core.errors import DamagedRunError, ModelError, UnknownDatasetError
from core.settings import ASSETS
from core.training.runs import WEIGHTS, RunConfig, run_folders
from core.training.titles import title_of

TRAIN_COMMAND = "python -m trainers.embracenet --dataset NAME"


@dataclass(frozen=True)
class ModelSpec:
    """The description of one model."""

    name: str
    title: str
    task: Literal["classification"]
    inputs: tuple[str, ...]  # text, image
    weights: Literal["bundled", "hub", "run"]
    revision: str  # of the weights
    licence: str
    trained_on: str
    folder: Path  # where config.json and the weights are
    architecture: str = ""  # a key of ARCHITECTURES, or ZERO_SHOT
    dataset: str = ""  # whose categories are its classes
    exposure: Exposure | None = None  # of a zero-shot model: what of that dataset its encoder was trained on


BUNDLED = ("embracenet-tiny",)  # folders of assets/models, each a run as its trainer left it


ZERO_SHOT = "zero-shot"


def models(task: str = "classification") -> list[ModelSpec]:
    """Every model of a task that can be loaded now: finished runs, newest first, then the bundled ones, then
    zero-shot ones, one for each dataset and each encoder that it has vectors of (and the bundled one)."""
    found = []
    for folder in [*run_folders(), *(ASSETS / "models" / name for name in BUNDLED)]:
        try:
            spec = of_run(folder)
        except ModelError:
            continue
        if spec.task == task and (folder / WEIGHTS).exists():
            found.append(spec)
    if task == "classification":
        known = ENCODER_NAMES | {spec.name: spec for spec in run_encoders() if spec.name not in ENCODER_NAMES}
        for info in datasets():
            encoders = ["clip-tiny", *(described.encoder for _, described in sets(info))]
            found += [
                zero_shot_spec(name, info.name)
                for name in dict.fromkeys(encoders)
                if name in known and known[name].takes_texts
            ]
    return found


def damaged_runs() -> dict[str, str]:
    """Runs with an unusable configuration, and the reasons, by name; they are not listed as models."""
    found = {}
    for folder in run_folders():
        try:
            of_run(folder)
        except DamagedRunError as error:
            found[folder.name] = str(error)
        except ModelError:  # of another kind of training, or deleted meanwhile
            continue
    return found


ENCODER_NAMES = {spec.name: spec for spec in ENCODERS}


def zero_shot_spec(encoder_name: str, dataset: str) -> ModelSpec:
    """An encoder as a classifier of a dataset's categories.

    Raises:
        ModelError: there is no such encoder, or it reads no names of categories.
    """
    spec = encoder(encoder_name)
    if not spec.takes_texts:
        raise ModelError(spec.wordless())
    seen = exposure_of(spec, dataset)
    said = "" if seen is None or seen.zero_shot else f" ({seen.short})"
    return ModelSpec(
        name=f"{ZERO_SHOT}-{encoder_name}@{dataset}",
        title=f"{'Prompted' if said else 'Zero-shot'} {spec.title}, categories of {dataset}{said}",
        task="classification",
        inputs=("text", "image"),
        weights=spec.weights if spec.weights in ("bundled", "run") else "hub",
        revision=spec.tag,
        licence=spec.licence,
        trained_on=spec.trained_on,
        folder=spec.folder or Path(),
        architecture=ZERO_SHOT,
        dataset=dataset,
        exposure=seen,
    )


def exposure_of(spec: EncoderSpec, dataset: str) -> Exposure | None:
    """What of a dataset an encoder was trained on; None where there is no such dataset.

    Raises:
        ModelError: the file that says it is damaged.
    """
    try:
        described = info(dataset)
    except UnknownDatasetError:
        return None
    return exposure(spec.title, spec.seen(), described)


def zero_shot_parts(name: str) -> tuple[str, str]:
    """The encoder and the dataset (empty if not said) of a zero-shot model's name.

    >>> zero_shot_parts("zero-shot-clip-tiny@demo")
    ('clip-tiny', 'demo')
    """
    rest = name.removeprefix(f"{ZERO_SHOT}-")
    before, at, after = rest.rpartition("@")
    return (before, after) if at else (rest, "")


def of_run(folder: Path) -> ModelSpec:
    """A trained run as a model.

    Raises:
        ModelError: there is no run in that folder, or its configuration is damaged.
    """
    config = RunConfig.read(folder)
    try:
        title = title_of(config.architecture, config.model)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise DamagedRunError(folder.name, "its configuration describes no network") from error
    inputs = tuple(name for name in ("text", "image") if config.model.get(name))
    labels = "human labels" if config.human_only else "all labels"
    datasets = " and ".join(config.trained_on())
    return ModelSpec(
        name=folder.name,
        title=f"{title} ({config.preset}) on {datasets}",
        task="classification",
        inputs=inputs,
        weights="bundled" if folder.parent == ASSETS / "models" else "run",
        revision=str(config.result.get("weights", "unfinished")),
        licence=config.licence,
        trained_on=f"{config.products.get('training', 0):,} products of {datasets}, {labels}",
        folder=folder,
        architecture=config.architecture,
        dataset=config.dataset,
    )


# Architectures of runs, and the module with their `build` function.
ARCHITECTURES = {
    name: f"core.models.{name}" for name in ("embracenet", "fusion", "single", "ngrams", "probe")
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
    if name.startswith(f"{ZERO_SHOT}-"):  # of any encoder; without @DATASET it is asked for when it loads
        spec = zero_shot_spec(*zero_shot_parts(name))
        return replace(spec, name=name)
    if not found:
        raise ModelError(f"No model is trained yet. Train one: {TRAIN_COMMAND}")
    raise ModelError(
        f"There is no model named {name!r} (there is: {', '.join(spec.name for spec in found)})."
    )
