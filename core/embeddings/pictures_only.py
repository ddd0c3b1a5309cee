"""Image-only encoders: an image classification network without its last layer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.embeddings.clip import Encoder, EncoderSpec, Preprocessing
from core.embeddings.inference import quickened
from core.errors import ModelError
from core.training.checkpoints import load_weights, read_tensors

CONFIG, WEIGHTS = "config.json", "model.safetensors"


class Pooled(nn.Module):
    """A timm network without its classifier, with the interface of open_clip's image tower."""

    def __init__(self, architecture: str) -> None:
        super().__init__()
        import timm

        self.trunk: nn.Module = timm.create_model(architecture, pretrained=False, num_classes=0)

    def encode_image(self, pixels: Tensor) -> Tensor:
        """(n, width) of (n, 3, height, width)."""
        found: Tensor = self.trunk(pixels)
        return found


class PictureEncoder(Encoder):
    """Encodes pictures to (n, d) float32 of length 1; texts raise an error."""

    at_once = 16  # feature maps of more exceed a CPU's cache

    def __init__(self, spec: EncoderSpec, device: str | None = None) -> None:
        """
        Raises:
            ModelError: the folder's files are missing, truncated, or of another network.
        """
        self.spec = spec
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        folder = spec.folder or Path()
        described = _described(folder)
        self.model = Pooled(described["architecture"])
        load_weights(self.model.trunk, read_tensors(folder / WEIGHTS)[0], folder / WEIGHTS)
        self.model = self.model.eval().to(self.device)
        self.weights = self.digest()
        if self.device == "cpu":
            self.model.trunk = quickened(self.model.trunk)
        self.preprocessing = Preprocessing(described["size"], described["size"], "squash", "bilinear")
        self._mean = torch.tensor(described["mean"], device=self.device)[:, None, None] * 255
        self._deviation = torch.tensor(described["deviation"], device=self.device)[:, None, None] * 255

    def encode_texts(self, texts: Sequence[str], raw: bool = False) -> NDArray[np.float32]:
        """
        Raises:
            ModelError: always, unless there are no texts.
        """
        if texts:
            raise ModelError(self.spec.wordless())
        return np.zeros((0, self.dimensions), np.float32)

    def reads(self, text: str) -> int:
        return 0


def _described(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return {name: found[name] for name in ("architecture", "size", "mean", "deviation")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / CONFIG} describes no encoder of pictures: {error!r}.") from error
