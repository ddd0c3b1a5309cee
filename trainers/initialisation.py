"""Initialise a run: train its tokenizer and word vectors, or load published weights."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.embeddings.encoders import WordConfig
from core.embeddings.ngrams import train_ngrams
from core.embeddings.pretrained import PUBLISHED, keep_pieces, load_image_weights, load_text_weights
from core.embeddings.tokens import train_tokenizer
from core.embeddings.words import train_words
from core.errors import TrainingError
from core.models.ngrams import NgramText
from core.settings import ASSETS
from core.training.checkpoints import write_tensors
from core.training.runs import TOKENIZER, RunConfig
from trainers.recipe import Recipe

IMAGENET = "imagenet"  # value of --image-weights for the bundled published network
VECTORS = "vectors.safetensors"  # initial word vectors of a run


def check_weights(model: Any, pretrained: Iterable[str], arguments: argparse.Namespace) -> None:
    """
    Raises:
        TrainingError: the preset needs published weights, and they were not given.
    """
    if arguments.random_weights:
        return
    for modality in pretrained:
        if getattr(arguments, f"{modality}_weights") is None:
            config = getattr(model, modality)
            name = PUBLISHED[getattr(config, "architecture", "mt5")]
            if name == PUBLISHED["tf_efficientnet_lite0"]:
                raise TrainingError(
                    "This preset starts from the bundled picture network: --image-weights imagenet"
                )
            raise TrainingError(
                f"This preset starts from the published weights of {name}. Download them once with a network "
                f"(hf download {name} --local-dir DIR; safetensors only) and give --{modality}-weights DIR, "
                "or train from scratch with --random-weights."
            )


def only(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    """Restrict a recipe to one modality, and remove the other's weights from the arguments.

    Raises:
        TrainingError: the network needs both inputs, or has only one.
    """
    other = {"text": "image", "image": "text"}[arguments.only]
    if recipe.architecture != "embracenet":
        raise TrainingError("--only is for EmbraceNet. The trainer `single` has networks with one input.")
    setattr(arguments, f"{other}_weights", None)
    kept = tuple(modality for modality in recipe.pretrained if modality == arguments.only)
    return replace(recipe, model=replace(recipe.model, **{other: None}), pretrained=kept)


def load_pretrained(network: Any, run: RunConfig) -> None:
    """Load the published weights that the run starts from."""
    if folder := run.pretrained.get("text"):
        load_text_weights(network.text, Path(folder))
    if path := run.pretrained.get("image"):
        load_image_weights(
            network.image, ASSETS / "models" / "imagenet-lite0" if path == IMAGENET else Path(path)
        )


def train_tokenizer_of(
    config: Any, texts: Sequence[str], seed: int, run_dir: Path, pretrained: Path | None = None
) -> Any:
    """Train the tokenizer of a run, and word vectors if its text encoder uses them.

    Returns:
        The configuration with the actual size of the vocabulary.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    if pretrained is not None:
        keep_pieces(pretrained / "spiece.model", run_dir / TOKENIZER)
        return config
    if isinstance(config, WordConfig):
        words, vectors = train_words(texts, config.vocabulary, config.vector, seed, run_dir / TOKENIZER)
        write_tensors(run_dir / VECTORS, {"vectors": vectors}, {})
        return replace(config, vocabulary=len(words))
    if isinstance(config, NgramText):
        return replace(config, vocabulary=len(train_ngrams(texts, config.vocabulary, run_dir / TOKENIZER)))
    return replace(config, vocabulary=len(train_tokenizer(texts, config.vocabulary, run_dir / TOKENIZER)))
