"""A trained product classifier: predictions for one product and for many."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image

from core.catalog.products import Products
from core.embeddings.clip import Encoder
from core.embeddings.encoders import TextEncoder
from core.embeddings.features import key_of, open_features
from core.embeddings.pixels import resized
from core.embeddings.seen import Exposure
from core.embeddings.tokenizers import open_tokenizer
from core.errors import ModelError, UsageError
from core.images.pictures import open_picture
from core.models.data import InputConfig, ProductData, ReadProducts, cut_note, product_text
from core.models.inputs import IMAGE, TEXT, Inputs
from core.models.registry import ARCHITECTURES
from core.models.temperature import cooled, temperatures_in
from core.progress import Progress, no_progress
from core.training.checkpoints import load_weights, read_tensors
from core.training.runs import TOKENIZER, WEIGHTS, RunConfig

BATCH = 256  # batch size of inference
PASSES = 16  # of an ensemble


@dataclass(frozen=True)
class Classification:
    """The prediction for one product."""

    labels: list[tuple[str, float]]  # most probable first, with probabilities in [0, 1]
    notes: list[str]  # for example: a text was truncated, an input was not used


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn out-of-memory errors of an accelerator into a ModelError, and free its memory.

    Raises:
        ModelError: its memory is exhausted.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise ModelError("The GPU's memory is exhausted. Close other models and try again.") from error


class Classifier:
    """A network with its preprocessing. Thread-safe; one prediction runs at a time."""

    def __init__(self, config: RunConfig, network: Any, input_config: InputConfig, folder: Path) -> None:
        self.config, self.network, self.input_config, self.folder = config, network, input_config, folder
        self.temperatures: dict[str, float] = {}  # by what a product has; see core.models.temperature
        self.device = next(network.parameters()).device
        self.lock = threading.Lock()  # held during inference and while hooks are registered

    @property
    def name(self) -> str:
        return self.folder.name

    @classmethod
    def load(cls, folder: Path, weights: Path | None = None) -> Classifier:
        """Load from a run's folder.

        Args:
            weights: instead of the run's model.safetensors.

        Raises:
            ModelError: a file is missing, truncated, a pickle, or of another model or other classes.
        """
        config = RunConfig.read(folder)
        weights = weights or folder / WEIGHTS
        if not weights.exists():
            raise ModelError(
                f"The run {folder.name} is not finished: it has no {weights.name}. "
                f"Resume it: python -m trainers.{config.architecture} --resume --out {folder}"
            )
        tensors, notes = read_tensors(weights)
        if notes.get("classes", list(config.classes)) != list(config.classes):
            raise ModelError(
                f"The weights in {weights} are for {len(notes['classes'])} other classes than the "
                f"{len(config.classes)} of {folder.name}: they were trained on another dataset."
            )
        try:
            module = importlib.import_module(ARCHITECTURES[config.architecture])
            network = module.build(config.model, len(config.classes))
        except (KeyError, TypeError) as error:
            raise ModelError(
                f"{folder.name} has an architecture that Vitrine cannot build: {error}."
            ) from error
        load_weights(network, tensors, weights)
        if torch.cuda.is_available():
            with memory_errors():
                network = network.to("cuda")
        network.eval()
        kind: type[Classifier] = getattr(module, "CLASSIFIER", cls)
        made = kind(config, network, kind.input_config_of(config, network, folder), folder)
        made.temperatures = temperatures_in(notes)
        return made

    @staticmethod
    def input_config_of(config: RunConfig, network: Any, folder: Path) -> InputConfig:
        """How the network of a run reads products."""
        text, image = network.config.text, network.config.image
        tokenizer = open_tokenizer(folder / TOKENIZER) if text is not None else None
        return InputConfig(tuple(config.classes), text, image, tokenizer, tuple(config.sources))

    @property
    def exposure(self) -> Exposure | None:
        """Of a zero-shot model: what of the dataset its encoder was trained on; None of all others."""
        return None

    def picture_encoder(self) -> Encoder | None:
        """Of a model that reads vectors: the encoder that makes those of pictures; None of all others."""
        return None

    @property
    def inferences(self) -> tuple[str, ...]:
        """The supported ways of inference, the default one first."""
        return tuple(getattr(self.network, "INFERENCES", ("expected",)))

    def predict(
        self, inputs: Inputs, inference: str = "expected", passes: int = PASSES, seed: int = 0
    ) -> NDArray[np.float32]:
        """(n, classes) probabilities.

        Args:
            inference: `expected`, `sampled` or `ensemble`: see EmbraceNetClassifier.forward.

        Raises:
            UsageError: a product has none of the model's inputs.
            ModelError: the accelerator's memory is exhausted, or the weights are damaged.
        """
        reads = [modality for modality in (TEXT, IMAGE) if modality in self.network.used]
        if not bool(inputs.available[:, reads].any(dim=1).all()):
            raise UsageError(f"This model reads {self.reads()}: give it one.")
        generator = torch.Generator(self.device).manual_seed(seed)
        found = []
        with memory_errors(), self.lock, torch.inference_mode():
            for at in range(0, len(inputs), BATCH):
                part = inputs.rows(slice(at, at + BATCH)).to(self.device)
                logs = self.network(part, inference=inference, passes=passes, generator=generator)
                found.append(cooled(logs, part.available, self.temperatures).exp().float().cpu().numpy())
        probabilities = np.concatenate(found)
        if not np.isfinite(probabilities).all():
            raise ModelError(
                f"{self.name} returns values that are not numbers: its weights are damaged, or its training diverged. "
                "Train it again, or choose another model."
            )
        return probabilities

    def read(
        self,
        products: Products,
        frame: pd.DataFrame,
        workers: int | None = None,
        progress: Progress = no_progress,
    ) -> ReadProducts:
        """Products of a dataset (see product_frame) as inputs of this classifier."""
        features = None
        if (encoder := frozen_text(self.network)) is not None:
            features = open_features(products, key_of(encoder, self.folder / TOKENIZER))
        return ProductData(products, frame, self.input_config, workers, progress, features)

    def reads(self) -> str:
        names = {TEXT: "a name or description", IMAGE: "a picture"}
        return " or ".join(names[modality] for modality in (IMAGE, TEXT) if modality in self.network.used)

    def inputs_of(
        self, image: Image.Image | None = None, name: str | None = None, description: str | None = None
    ) -> tuple[Inputs, list[str]]:
        """One product as a batch of one, and notes on how it was read.

        Raises:
            UsageError: there is neither a picture nor a text.
        """
        text = product_text((name or "").strip(), (description or "").strip())
        if image is None and not text:
            raise UsageError("There is nothing to classify: give a picture, a name or a description.")
        notes = []
        config, tokenizer = self.input_config, self.input_config.tokenizer
        numbers, mask = np.zeros((1, 1), np.int64), np.zeros((1, 1), np.bool_)
        if config.text is not None and tokenizer is not None:
            numbers, mask = tokenizer.encode([text], config.text.tokens)
            notes += cut_note(tokenizer.reads(text, config.text.tokens), len(text))
        elif text:
            notes.append("This model reads no text: only the picture was used.")
        pixels = torch.zeros(1, 3, 1, 1)
        if config.image is not None:
            size = config.image.stored_height_px, config.image.stored_width_px
            if image is not None:
                array = np.array(resized(image, *size))
                pixels = torch.from_numpy(array).permute(2, 0, 1)[None]
            else:
                pixels = torch.zeros(1, 3, *size, dtype=torch.uint8)
        elif image is not None:
            notes.append("This model reads no pictures: only the text was used.")
        available = torch.tensor(
            [[bool(text) and config.text is not None, image is not None and config.image is not None, False]]
        )
        return (
            Inputs(
                available,
                torch.from_numpy(numbers),
                torch.from_numpy(mask),
                pixels,
                torch.zeros(1, dtype=torch.int64),
            ),
            notes,
        )

    def classify(
        self,
        image: bytes | Path | None = None,
        name: str | None = None,
        description: str | None = None,
        k: int = 5,
        adjust: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None,
    ) -> Classification:
        """The `k` most probable classes of one product. Either of picture and text may be missing.

        Args:
            image: a picture file's bytes or its path.
            adjust: applied to the (1, classes) probabilities before ranking.

        Raises:
            UsageError: there is no input that the model reads.
            ImageError: not a picture, or too large.
        """
        picture = open_picture(image) if image is not None else None
        inputs, notes = self.inputs_of(picture, name, description)
        found = self.predict(inputs)
        probabilities = (adjust(found) if adjust else found)[0]
        if (exposed := self.exposure) is not None and not exposed.zero_shot:
            notes = [*notes, exposed.sentence()]
        order = np.argsort(-probabilities, kind="stable")[:k]
        labels = [(self.config.classes[number], float(probabilities[number])) for number in order]
        return Classification(labels, notes)


def frozen_text(network: Any) -> TextEncoder | None:
    """The frozen text encoder of a network, whose features can be cached."""
    encoder = getattr(network, "text", None)
    return encoder if isinstance(encoder, TextEncoder) and encoder.config.frozen else None
