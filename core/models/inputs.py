"""What a product classifier is given: one batch of texts, pictures and label sources as tensors."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

TEXT, IMAGE, SOURCE = 0, 1, 2  # columns of `available`, in GLAMI's order of modalities
MODALITIES = ("text", "image", "source")


@dataclass(frozen=True)
class Inputs:
    """n products. What a row lacks is zeros, and `available` says so."""

    available: Tensor  # (n, 3) bool: has text, a picture, a label source
    numbers: Tensor  # (n, tokens) int64
    mask: Tensor  # (n, tokens) bool
    pixels: Tensor  # (n, 3, height, width) uint8
    source: Tensor  # (n,) int64 position of the label source, 0 where there is none

    def __len__(self) -> int:
        return len(self.available)

    def to(self, device: torch.device | str) -> Inputs:
        return Inputs(
            **{field.name: getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)}
        )

    def rows(self, rows: slice | Tensor) -> Inputs:
        return Inputs(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def without(self, *modalities: int) -> Inputs:
        """The same products with these modalities withheld."""
        available = self.available.clone()
        available[:, list(modalities)] = False
        return Inputs(available, self.numbers, self.mask, self.pixels, self.source)


def encode_where(encoder: torch.nn.Module, width: int, present: Tensor, *inputs: Tensor) -> Tensor:
    """(n, width) features: `encoder` sees the rows that are present, the others are zeros."""
    if bool(present.all()):
        return encoder(*inputs)
    features = torch.zeros(len(present), width, device=present.device)
    if bool(present.any()):
        features[present] = encoder(*(x[present] for x in inputs)).float()
    return features
