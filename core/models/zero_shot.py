"""Zero-shot classification by CLIP, as GLAMI did: the class whose description is nearest to the product.

A product's vector is the sum of its picture's and its text's, compared by cosine with the classes. `published` adds
them as long as the encoder gives them: GLAMI's multilingual text encoder was trained to reproduce the picture encoder's
partner at its own length. `normalised` adds them at length 1: of an encoder that was trained on directions alone, as
all of open_clip are, lengths say nothing, and the longer of the two would decide. `expected` is the encoder's own.

Source: GLAMI-1M (BMVC 2022), section 4, and its code (eval_clip.py, generate_clip_prompts).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from core.catalog import info as catalog
from core.catalog.products import Products
from core.embeddings.clip import Encoder
from core.embeddings.loading import loaded_encoder
from core.embeddings.seen import Exposure, exposure
from core.embeddings.vectors import vectors_of
from core.errors import UsageError
from core.models.classifier import Classifier
from core.models.data import InputConfig, ReadProducts, cut_note, product_text
from core.models.inputs import IMAGE, SOURCE, TEXT, Inputs
from core.models.prompts import prompts_of, template_of
from core.models.registry import ZERO_SHOT, zero_shot_parts
from core.models.vectors import VectorData, vector_inputs
from core.progress import Progress, no_progress
from core.training.runs import RunConfig

PUBLISHED, NORMALISED = "published", "normalised"  # inferences: vectors added as they are, or at length 1

# Measured on training products, not on test: see docs/development/results.md. GLAMI's for every other encoder.
PROMPTS = {"clip-tiny": "fashion", "clip-lite": "plain", "openfashionclip": "a photo of a {}"}


class ZeroShotNetwork(nn.Module):
    """log softmax(scale cos(x, class)), x the sum of the vectors that a product has.

    The published softmax has no scale; the model's own changes no order and gives usable probabilities.
    """

    INFERENCES = ("expected", PUBLISHED, NORMALISED)

    def __init__(self, classes: NDArray[np.float32], scale: float, keeps_lengths: bool = False) -> None:
        """
        Args:
            classes: (classes, d) vectors of their prompts.
            scale: what cosines are multiplied with.
            keeps_lengths: the encoder was trained to give vectors of a right length: `expected` is `published`.
        """
        super().__init__()
        self.own_sum = PUBLISHED if keeps_lengths else NORMALISED
        self.used, self.scale = [TEXT, IMAGE], scale
        self.widths = {TEXT: classes.shape[1], IMAGE: classes.shape[1], SOURCE: 0}
        directions = nn.functional.normalize(torch.from_numpy(classes), dim=-1)
        self.prompts = nn.Parameter(directions, requires_grad=False)

    def forward(self, inputs: Inputs, inference: str = "expected", **_: Any) -> Tensor:
        """(n, classes) log-probabilities.

        Args:
            inference: `normalised` adds directions, `published` vectors; `expected` is the encoder's own of the two.
        """
        how = self.own_sum if inference == "expected" else inference
        total = torch.zeros(len(inputs), self.widths[IMAGE], device=self.prompts.device)
        for modality, vectors in ((TEXT, inputs.text_vectors), (IMAGE, inputs.image_vectors)):
            if vectors is not None:
                x = vectors.float()
                if how == NORMALISED:
                    x = nn.functional.normalize(x, dim=-1)
                total = total + x * inputs.available[:, modality, None]
        cosines = nn.functional.normalize(total, dim=-1) @ self.prompts.T
        return (self.scale * cosines).log_softmax(-1)


class ZeroShotClassifier(Classifier):
    """A dataset's categories as classes, told by their names. `exposure` says whether that is zero-shot."""

    def __init__(self, spec_name: str, coder: Encoder, products: Products, prompt: str) -> None:
        """
        Raises:
            UsageError: the dataset has no categories to choose from.
        """
        self.encoder, self.dataset = coder, products.info.name
        self.prompts = prompts_of(products, template_of(prompt))
        classes = tuple(self.prompts)
        config = RunConfig(
            architecture=ZERO_SHOT,
            model={"text": {}, "image": {}, "encoder": coder.spec.name, "prompt": template_of(prompt)},
            training={},
            classes=classes,
            dataset=self.dataset,
            fingerprint=products.info.fingerprint,
            licence=coder.spec.licence,
            preset=coder.spec.name,
        )
        vectors = coder.encode_texts(list(self.prompts.values()))
        network = ZeroShotNetwork(vectors, coder.scale, coder.spec.keeps_lengths)
        super().__init__(config, network.to(coder.device), InputConfig(classes, None, None, None), Path())
        self.spec_name = spec_name

    @property
    def name(self) -> str:
        return self.spec_name

    def picture_encoder(self) -> Encoder:
        return self.encoder

    @property
    def exposure(self) -> Exposure | None:
        """What of the dataset the encoder was trained on."""
        return exposure(self.encoder.spec.title, self.encoder.spec.seen(), catalog.info(self.dataset))

    def read(
        self,
        products: Products,
        frame: pd.DataFrame,
        workers: int | None = None,
        progress: Progress = no_progress,
    ) -> ReadProducts:
        """Stored vectors of the same weights where the dataset has them, else made now."""
        text = vectors_of(products, frame, self.encoder, "text", True, workers, progress)
        image = vectors_of(products, frame, self.encoder, "image", True, workers, progress)
        return VectorData(frame, self.input_config, text, image)

    def inputs_of(
        self, image: Image.Image | None = None, name: str | None = None, description: str | None = None
    ) -> tuple[Inputs, list[str]]:
        """One product as a batch of one.

        Raises:
            UsageError: there is neither a picture nor a text.
        """
        return encoded_product(self.encoder, image, name, description)


def encoded_product(
    coder: Encoder, image: Image.Image | None, name: str | None, description: str | None
) -> tuple[Inputs, list[str]]:
    """One product's vectors, as long as the encoder gives them, and what to say about how it was read.

    Raises:
        UsageError: there is neither a picture nor a text.
    """
    text = product_text((name or "").strip(), (description or "").strip())
    if image is None and not text:
        raise UsageError("There is nothing to classify: give a picture, a name or a description.")
    if coder.spec.takes_texts:
        words = coder.encode_texts([text], raw=True)
    else:
        words = np.zeros((1, coder.dimensions), np.float32)
    if image is None:
        picture = np.zeros_like(words)
    else:
        picture = coder.encode_pixels(np.array(coder.preprocessing.pixels(image))[None], raw=True)
    available = torch.tensor([[bool(text), image is not None, False]])
    given = vector_inputs(available, torch.from_numpy(words), torch.from_numpy(picture))
    return given, cut_note(coder.reads(text), len(text))


@lru_cache(maxsize=8)
def _classifier(
    name: str, coder: str, weights: str, dataset: str, fingerprint: str, prompt: str
) -> ZeroShotClassifier:
    return ZeroShotClassifier(name, loaded_encoder(coder), Products.open(dataset), prompt)


def open_zero_shot(name: str, dataset: str | None = None, prompt: str | None = None) -> ZeroShotClassifier:
    """`zero-shot-ENCODER` or `zero-shot-ENCODER@DATASET`, kept loaded.

    Args:
        dataset: whose categories it chooses from; needed where the name has none and there are several.
        prompt: a name of core.models.prompts.TEMPLATES or a template; the encoder's own otherwise.

    Raises:
        UsageError: it is not said whose categories, or the prompt has no place for one.
        UnknownDatasetError: there is no such dataset.
        ModelError: there is no such encoder, or its weights are not here.
    """
    coder, named = zero_shot_parts(name)
    chosen = dataset or named or _only_dataset(name)
    info = catalog.info(chosen)
    template = prompt or PROMPTS.get(coder, "glami")
    weights = loaded_encoder(coder).weights  # a run of the same name may be trained again
    return _classifier(f"{ZERO_SHOT}-{coder}@{chosen}", coder, weights, chosen, info.fingerprint, template)


def _only_dataset(name: str) -> str:
    known = [info.name for info in catalog.datasets()]
    if len(known) != 1:
        there = ", ".join(known) or "none yet: vitrine demo"
        raise UsageError(
            f"{name} needs a dataset, whose categories are its classes: --dataset (there is: {there})."
        )
    return known[0]
