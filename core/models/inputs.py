"""A batch of texts, pictures and label sources as tensors, the input of a product classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

TEXT, IMAGE, SOURCE = 0, 1, 2  # columns of `available`, in GLAMI's order of modalities
MODALITIES = ("text", "image", "source")


@dataclass(frozen=True)
class Inputs:
    """n products. Missing modalities are zeros, with `available` false."""

    available: Tensor  # (n, 3) bool: has text, a picture, a label source
    numbers: Tensor  # (n, tokens) int64
    mask: Tensor  # (n, tokens) bool
    pixels: Tensor  # (n, 3, height, width) uint8
    source: Tensor  # (n,) int64 index of the label source, 0 if missing
    text_vectors: Tensor | None = None  # (n, d) precomputed features of the text encoder
    image_vectors: Tensor | None = None  # (n, d) precomputed features of the image encoder

    def __len__(self) -> int:
        return len(self.available)

    def to(self, device: torch.device | str) -> Inputs:
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def rows(self, rows: slice | Tensor) -> Inputs:
        return self._each(lambda tensor: tensor[rows])

    def _each(self, change: Callable[[Tensor], Tensor]) -> Inputs:
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        changed: dict[str, Any] = {
            name: None if tensor is None else change(tensor) for name, tensor in held.items()
        }
        return Inputs(**changed)

    def without(self, *modalities: int) -> Inputs:
        """The same products with these modalities withheld."""
        available = self.available.clone()
        available[:, list(modalities)] = False
        return replace(self, available=available)


def encode_where(encoder: torch.nn.Module, width: int, present: Tensor, *inputs: Tensor) -> Tensor:
    """(n, width) features: `encoder` sees the rows that are present, the others are zeros."""
    if bool(present.all()):
        return encoder(*inputs)
    features = torch.zeros(len(present), width, device=present.device)
    if bool(present.any()):
        features[present] = encoder(*(x[present] for x in inputs)).float()
    return features
