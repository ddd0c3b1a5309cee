"""Model cards: training data, metrics, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.models.registry import ZERO_SHOT, ModelSpec
from core.training.checkpoints import weights_digest
from core.training.runs import WEIGHTS, RunConfig

SEES = {"both": "picture and text", "picture": "picture alone", "text": "text alone"}
CARD_BYTES = 100_000  # read of a README.md


@dataclass(frozen=True)
class Figure:
    """Metrics of a model on test products."""

    sees: str
    top1: float  # in [0, 1]
    top5: float | None
    n: int  # products


@dataclass(frozen=True)
class Card:
    """The card of one model; unknown fields are empty."""

    title: str
    facts: Mapping[str, str]  # "trained on", "classes", "licence", ...
    figures: list[Figure]
    limits: str


def card(spec: ModelSpec) -> Card:
    """From the run's config.json, its README.md and its weights.

    Raises:
        ModelError: the model does not exist any more.
    """
    facts = {"Trained on": spec.trained_on, "Reads": " and ".join(spec.inputs).replace("image", "picture")}
    figures: list[Figure] = []
    try:
        config = RunConfig.read(spec.folder)
        facts["Categories"] = f"{len(config.classes):,}"
        figures = list(_figures(config.result.get("test", {})))
        if len(spec.inputs) == 1 and len(figures) > 1:  # `both` equals the only input
            figures = [figure for figure in figures if figure.sees != SEES["both"]]
    except ModelError:
        if spec.weights == "run":
            raise ModelError(
                f"The model {spec.name} does not exist any more; its run may have been deleted."
            ) from None
    if spec.exposure is not None:
        facts["Zero-shot"] = spec.exposure.sentence()
    facts["Licence"] = spec.licence
    weights = spec.folder / WEIGHTS
    if weights.exists():
        facts["Weights"] = f"{weights.stat().st_size / 2**20:.1f} MB, SHA-256 {_digest(weights)}…"
    return Card(spec.title, facts, figures, _limits(spec))


def _figures(test: Any, before: str = "") -> Iterator[Figure]:
    """All groups of metrics, at any depth: a run of several datasets has some for each."""
    if not isinstance(test, dict):
        return
    if isinstance(test.get("top1"), int | float):
        yield Figure(
            before or SEES["both"], float(test["top1"]), _number(test.get("top5")), int(test.get("n", 0))
        )
        return
    for key, value in test.items():
        yield from _figures(value, ", ".join(part for part in (before, SEES.get(key, key)) if part))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _limits(spec: ModelSpec) -> str:
    """The paragraph of README.md that begins with "Limits:"."""
    path = spec.folder / "README.md"
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(CARD_BYTES)
    except (OSError, ValueError):
        text = ""
    for paragraph in text.split("\n\n"):
        if paragraph.strip().startswith("Limits:"):
            said = " ".join(paragraph.split()).removeprefix("Limits: ")
            return said[:1].upper() + said[1:]
    if spec.architecture == ZERO_SHOT:
        return f"It chooses among the categories of {spec.dataset} by their names. Whatever is shown, it names one of them."
    return "It predicts only the categories that it was trained on, and one of them for any input."


_digests: dict[tuple[Path, int], str] = {}


def _digest(path: Path) -> str:
    key = path, path.stat().st_mtime_ns
    if key not in _digests:
        _digests[key] = weights_digest(path)
    return _digests[key]
