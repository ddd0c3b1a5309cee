"""The base of product classifiers: encoders, and zeros as features of missing modalities."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from core.embeddings.encoders import ImageConfig, ImageEncoder, TextConfig, WordConfig, text_encoder
from core.models.inputs import IMAGE, SOURCE, TEXT, Inputs, encode_where
from core.training.noise import noisy_cross_entropy


class ProductNetwork(nn.Module):
    """Products to log-probabilities of their classes; with labels, to the training loss.

    Args of every subclass are a configuration with `text`, `image` and `label_smoothing`, and how many
    classes there are.
    """

    def __init__(self, config: Any, classes: int, sources: int = 0) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.text = text_encoder(config.text) if config.text else None
        self.image = ImageEncoder(config.image) if config.image else None
        self.widths = {
            TEXT: self.text.width if self.text else 0,
            IMAGE: self.image.width if self.image else 0,
            SOURCE: sources,
        }
        self.used = [modality for modality, width in self.widths.items() if width]
        # Logit adjustment in training (core.training.balance); zeros by default.
        self.log_shares: Tensor
        self.register_buffer("log_shares", torch.zeros(classes), persistent=False)
        # Labels of machines in training (core.training.noise); as those of people by default.
        self.machine_weight = 1.0
        self.transition: Tensor | None
        self.register_buffer("transition", None, persistent=False)

    def features(self, inputs: Inputs) -> list[Tensor]:
        """(n, n_k) of each modality used, zeros where it is not available."""
        found = []
        for modality in self.used:
            present, width = inputs.available[:, modality], self.widths[modality]
            if modality == TEXT and inputs.text_vectors is not None:  # precomputed by the frozen encoder
                x = inputs.text_vectors.float() * present[:, None]
            elif modality == TEXT and self.text is not None:
                x = encode_where(self.text, width, present, inputs.numbers, inputs.mask)
            elif modality == IMAGE and inputs.image_vectors is not None:  # likewise
                x = inputs.image_vectors.float() * present[:, None]
            elif modality == IMAGE and self.image is not None:
                x = encode_where(self.image, width, present, inputs.pixels)
            else:
                x = nn.functional.one_hot(inputs.source, width).float() * present[:, None]
            found.append(x)
        return found

    def availabilities(self, inputs: Inputs) -> Tensor:
        """(n, M) of the modalities used."""
        return inputs.available[:, self.used].float()

    @abstractmethod
    def logits(self, features: list[Tensor], available: Tensor) -> Tensor:
        """(n, classes) from the features of each modality used."""

    def forward(
        self,
        inputs: Inputs,
        inference: str = "expected",
        passes: int = 1,
        generator: torch.Generator | None = None,
        labels: Tensor | None = None,
    ) -> Tensor:
        """(n, classes) log-probabilities, or the mean cross-entropy of a batch if there are `labels`.

        `inference`, `passes` and `generator` matter to networks that draw; others answer alike.
        """
        logits = self.logits(self.features(inputs), self.availabilities(inputs)).float()
        if labels is None:
            return logits.log_softmax(-1)
        return self.cross_entropy(logits, labels)

    def cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean cross-entropy of a batch, with logit adjustment if enabled.

        Args:
            labels: (n,) class numbers; or (n, 2), with 1 where a person gave the label, for a loss that knows.
        """
        raised = logits.float() + self.log_shares
        if labels.dim() == 2:
            return noisy_cross_entropy(
                raised,
                labels[:, 0],
                labels[:, 1],
                self.machine_weight,
                self.transition,
                self.config.label_smoothing,
            )
        return nn.functional.cross_entropy(raised, labels, label_smoothing=self.config.label_smoothing)


def encoder_configs(config: dict[str, Any]) -> dict[str, Any]:
    """Convert `text` and `image` of a configuration from JSON to their classes.

    Raises:
        TypeError: it says something that is no configuration.
    """
    made = dict(config)
    for name in ("text", "image"):
        described = made.get(name)
        if described:
            values: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value for key, value in described.items()
            }
            words = name == "text" and "bidirectional" in values
            kind: Any = ImageConfig if name == "image" else WordConfig if words else TextConfig
            made[name] = kind(**values)
    return made
