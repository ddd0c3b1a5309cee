"""A generator in a folder: generator.json, base.safetensors and upsampler.safetensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.errors import ModelError
from core.generation.network import GeneratorConfig, Stage
from core.settings import ASSETS, settings
from core.storage import storage_errors
from core.training.checkpoints import load_weights, read_tensors, write_tensors
from core.training.loop import checkpoints

CONFIG = "generator.json"
BUNDLED = ASSETS / "models" / "generator-tiny"
STAGES = ("base", "upsampler")


@dataclass(frozen=True)
class Card:
    """What a model says of itself."""

    name: str
    preset: str
    datasets: dict[str, str]  # name -> fingerprint, of the training pictures
    steps: dict[str, int]  # of each stage


@dataclass(frozen=True)
class Generator:
    """Both stages, loaded."""

    config: GeneratorConfig
    card: Card
    base: Stage
    upsampler: Stage


def export(run: Path, folder: Path) -> dict[str, Any]:
    """Write the averaged weights of a run's last checkpoints, in half precision, as a model folder.

    A stage without a checkpoint is an error: both are needed to draw.

    Raises:
        ModelError: the run has no checkpoint of a stage, or a damaged one.
        StorageError: the folder cannot be written.
    """
    plan = _json(run / "config.json")
    config = GeneratorConfig.of(plan["model"])
    steps: dict[str, int] = {}
    found: dict[str, dict[str, torch.Tensor]] = {}
    for name in STAGES:
        kept = checkpoints(run / name)
        if not kept:
            raise ModelError(f"{run} has no checkpoint of the {name} yet.")
        tensors, notes = read_tensors(kept[-1])
        mine = "model.average."
        found[name] = {key.removeprefix(mine): x.half() for key, x in tensors.items() if key.startswith(mine)}
        load_weights(_stage(config, name), {key: x.float() for key, x in found[name].items()}, kept[-1])
        steps[name] = int(notes["step"])
    card = {"preset": plan["preset"], "datasets": plan["datasets"], "steps": steps, "model": plan["model"]}
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, tensors in found.items():
            write_tensors(folder / f"{name}.safetensors", tensors, {"step": steps[name]})
        (folder / CONFIG).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return {"model": str(folder), "steps": steps}


def folder_of(name: str) -> Path:
    """The folder of a model: the bundled one, a run by its name in VITRINE_HOME/runs, or a path.

    Raises:
        ModelError: there is no generator there.
    """
    if name in ("", BUNDLED.name):
        return BUNDLED
    for folder in (settings().home / "runs" / Path(name).name / "model", Path(name).expanduser()):
        if (folder / CONFIG).is_file():
            return folder
    raise ModelError(
        f"There is no generator {name!r}. Bundled: {BUNDLED.name}; or write the folder of an exported one "
        "(python -m trainers.generator --export DIR)."
    )


def load(folder: Path, device: str | None = None) -> Generator:
    """
    Raises:
        ModelError: a file is missing, damaged, or of another size than generator.json says.
    """
    if not (folder / CONFIG).is_file():
        raise ModelError(
            f"There is no generator in {folder}. Train one (python -m trainers.generator --dataset demo) and write it there "
            f"(--export {folder})."
        )
    described = _json(folder / CONFIG)
    try:
        config = GeneratorConfig.of(described["model"])
        card = Card(
            folder.name, str(described["preset"]), dict(described["datasets"]), dict(described["steps"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / CONFIG} describes no generator: {error!r}.") from error
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    stages = []
    for name in STAGES:
        path = folder / f"{name}.safetensors"
        tensors, _ = read_tensors(path)
        stage = _stage(config, name)
        load_weights(stage, {key: x.float() for key, x in tensors.items()}, path)
        stages.append(stage.eval().requires_grad_(False).to(device))
    return Generator(config, card, *stages)


def _stage(config: GeneratorConfig, name: str) -> Stage:
    try:
        return Stage(config.stage(name), config.text_width, config.tokens)
    except (ValueError, TypeError, ZeroDivisionError, RuntimeError) as error:
        raise ModelError(f"The {name} of this configuration cannot be built: {error}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path} is not a JSON object.")
    return found
