"""The list of presets of all trainers, for the Train page."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.embeddings.pretrained import PUBLISHED
from core.training.titles import title_of
from trainers import contrastive, embracenet, fusion, ngrams, single
from trainers.imagenet import ARCHITECTURE, TARGET
from trainers.recipe import Recipe

MODULES = {
    "embracenet": embracenet, "fusion": fusion, "single": single, "ngrams": ngrams, "contrastive": contrastive,
}  # fmt: skip
PAPERS = {"glami": "GLAMI-1M", "mep3m": "MEP-3M"}


@dataclass(frozen=True)
class Weights:
    """Published weights that a preset starts from."""

    modality: str  # text or image
    name: str  # repository on the hub
    found: Path | None  # local path, if downloaded

    @property
    def command(self) -> str:
        """The command that downloads them."""
        return f"hf download {self.name}"


@dataclass(frozen=True)
class Choice:
    """A preset for display."""

    trainer: str
    preset: str
    title: str
    paper: str  # source of its settings; empty for the small ones
    inputs: tuple[str, ...]  # text, image
    recipe: Recipe | contrastive.ContrastiveRecipe
    weights: list[Weights] = field(default_factory=list)

    @property
    def size(self) -> str:
        if isinstance(self.recipe, contrastive.ContrastiveRecipe):
            return self.recipe.size
        if self.paper:
            return f"As published ({self.paper})"
        return "Small, pictures by the bundled network" if self.weights else "Small"

    @property
    def epochs(self) -> float:
        """0 if it is fitted in one step."""
        return self.recipe.epochs


def choices() -> list[Choice]:
    """Every preset of every trainer that a screen offers, in their order."""
    found = []
    for trainer, module in MODULES.items():
        for preset, recipe in module.PRESETS.items():
            model = asdict(recipe.model)
            paper = next((title for word, title in PAPERS.items() if f"{word}-paper" in preset), "")
            found.append(
                Choice(
                    trainer,
                    preset,
                    title_of(recipe.architecture, model | {"variant": ""}),
                    paper,
                    tuple(name for name in ("text", "image") if model.get(name)),
                    recipe,
                    [_weights(recipe, modality) for modality in recipe.pretrained],
                )
            )
    return found


def _weights(recipe: Recipe, modality: str) -> Weights:
    architecture = getattr(getattr(recipe.model, modality), "architecture", "mt5")
    name = PUBLISHED[architecture]
    if architecture == ARCHITECTURE:  # bundled
        return Weights(modality, name, TARGET)
    return Weights(modality, name, _in_cache(name))


def _in_cache(name: str) -> Path | None:
    """The folder in the local cache of the hub; no network access."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(name, "model.safetensors")
    return Path(found).parent if isinstance(found, str) else None
