"""A linear probe: logistic regression over an encoder's vectors of pictures, texts, or both side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from PIL import Image
from torch import Tensor, nn

from core.catalog.products import Products
from core.embeddings.clip import Encoder
from core.embeddings.store import open_set
from core.embeddings.vectors import Found, stored
from core.errors import UsageError
from core.models import zero_shot
from core.models.classifier import Classifier
from core.models.data import InputConfig, ReadProducts
from core.models.inputs import IMAGE, SOURCE, TEXT, Inputs
from core.models.vectors import VectorData
from core.progress import Progress, no_progress
from core.training.runs import RunConfig


@dataclass(frozen=True)
class ProbeConfig:
    """The sets of vectors and their encoder."""

    text: str | None = None  # the set's name in a dataset's folder
    image: str | None = None
    text_width: int = 0
    image_width: int = 0
    encoder: str = ""  # name in core.embeddings.clip; empty for imported vectors
    weights: str = ""  # the encoder's digest; empty likewise
    strength: float = 1.0  # C of the logistic regression: higher is less regularised


class ProbeNetwork(nn.Module):
    """log softmax(W [text; picture] + b), each of length 1, or zeros if missing."""

    def __init__(self, config: ProbeConfig, classes: int) -> None:
        """
        Raises:
            TypeError: the configuration names no vectors.
        """
        super().__init__()
        self.config = config
        self.widths = {TEXT: config.text_width, IMAGE: config.image_width, SOURCE: 0}
        self.used = [modality for modality in (TEXT, IMAGE) if self.widths[modality]]
        if not self.used:
            raise TypeError("a probe reads vectors of texts or of pictures")
        self.head = nn.Linear(sum(self.widths.values()), classes)

    def features(self, inputs: Inputs) -> Tensor:
        """(n, text_width + image_width)."""
        given = {TEXT: inputs.text_vectors, IMAGE: inputs.image_vectors}
        found = []
        for modality in self.used:
            vectors = given[modality]
            if vectors is None:
                vectors = torch.zeros(len(inputs), self.widths[modality], device=inputs.available.device)
            unit = nn.functional.normalize(vectors.float(), dim=-1)
            found.append(unit * inputs.available[:, modality, None])
        return torch.cat(found, dim=1)

    def forward(self, inputs: Inputs, inference: str = "expected", **_: Any) -> Tensor:
        """(n, classes) log-probabilities."""
        return self.head(self.features(inputs)).log_softmax(-1)


class ProbeClassifier(Classifier):
    """Reads stored vectors of a dataset; encodes a single product."""

    @staticmethod
    def input_config_of(config: RunConfig, network: Any, folder: Path) -> InputConfig:
        return InputConfig(tuple(config.classes), None, None, None)

    def read(
        self,
        products: Products,
        frame: pd.DataFrame,
        workers: int | None = None,
        progress: Progress = no_progress,
    ) -> ReadProducts:
        """
        Raises:
            EmbeddingError: the dataset has no vectors of these weights; the text says what to run.
        """
        return read_vectors(self.network.config, products, frame, self.input_config)

    def picture_encoder(self) -> Encoder | None:
        config: ProbeConfig = self.network.config
        return zero_shot.loaded_encoder(config.encoder) if config.encoder and config.image else None

    def inputs_of(
        self, image: Image.Image | None = None, name: str | None = None, description: str | None = None
    ) -> tuple[Inputs, list[str]]:
        """One product as a batch of one.

        Raises:
            UsageError: there is neither a picture nor a text, or the vectors were imported.
            ModelError: the encoder is not here, or has other weights now.
        """
        config: ProbeConfig = self.network.config
        if not config.encoder:
            raise UsageError(
                f"{self.name} reads imported vectors: it can evaluate a dataset that has them "
                "(evaluate), not a new picture or text."
            )
        coder = zero_shot.loaded_encoder(config.encoder)
        if config.weights and coder.weights != config.weights:
            raise UsageError(
                f"{self.name} was trained on vectors of other weights of {config.encoder} ({config.weights}) than "
                f"are here ({coder.weights}). Train it again on vectors of these."
            )
        inputs, notes = zero_shot.encoded_product(coder, image, name, description)
        notes = notes if TEXT in self.network.used else []
        for modality, given, note in (
            (TEXT, inputs.available[0, TEXT], "This model reads no text: only the picture was used."),
            (IMAGE, inputs.available[0, IMAGE], "This model reads no pictures: only the text was used."),
        ):
            if bool(given) and modality not in self.network.used:
                inputs = inputs.without(modality)
                notes.append(note)
        return inputs, notes


CLASSIFIER = ProbeClassifier


def read_vectors(
    config: ProbeConfig, products: Products, frame: pd.DataFrame, input_config: InputConfig
) -> VectorData:
    """The stored vectors of some products.

    Raises:
        EmbeddingError: there are none of these weights.
    """

    def of(name: str | None) -> Found | None:
        if name is None:
            return None
        return stored(open_set(products.info, name, config.weights or None), frame.row_id.to_numpy())

    return VectorData(frame, input_config, of(config.text), of(config.image))


def build(config: dict[str, Any], classes: int) -> ProbeNetwork:
    """Build the network from config.json.

    Raises:
        TypeError: it says something else.
    """
    return ProbeNetwork(ProbeConfig(**config), classes)
