"""One modality and a linear layer: ResNeXt, VGG-19 and Inception-v3 fine-tuned, LSTM and BiLSTM, mT5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from core.embeddings.encoders import ImageConfig, TextConfig, WordConfig
from core.models.network import ProductNetwork, encoder_configs


@dataclass(frozen=True)
class SingleConfig:
    """One of `text` and `image`."""

    text: TextConfig | WordConfig | None = None
    image: ImageConfig | None = None
    dropout: float = 0.0
    label_smoothing: float = 0.0


class SingleClassifier(ProductNetwork):
    """An encoder's features to classes."""

    def __init__(self, config: SingleConfig, classes: int) -> None:
        """
        Raises:
            TypeError: the configuration has not exactly one modality.
        """
        super().__init__(config, classes)
        if len(self.used) != 1:
            raise TypeError("a single-modality classifier has either a text or a picture encoder")
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(self.widths[self.used[0]], classes))

    def logits(self, features: list[Tensor], available: Tensor) -> Tensor:
        """(n, classes)."""
        return self.head(features[0])


def build(config: dict[str, Any], classes: int) -> SingleClassifier:
    """Build the network from config.json.

    Raises:
        TypeError: it says something else.
    """
    return SingleClassifier(SingleConfig(**encoder_configs(config)), classes)
