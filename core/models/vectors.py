"""Products as vectors of an encoder, in batches, with the interface of ProductData."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from core.embeddings.vectors import Found
from core.models.data import UNKNOWN_LABEL, InputConfig
from core.models.inputs import IMAGE, TEXT, Inputs


class VectorData:
    """n products. Missing vectors are zeros, with `available` false."""

    def __init__(
        self,
        frame: pd.DataFrame,
        input_config: InputConfig,
        text: Found | None = None,
        image: Found | None = None,
    ) -> None:
        self.frame, self.input_config = frame.reset_index(drop=True), input_config
        self.labels = labels_of(self.frame, input_config.classes)
        self.available = np.zeros((len(frame), 3), np.bool_)
        self.found = {TEXT: text, IMAGE: image}
        for modality, found in self.found.items():
            if found is not None:
                self.available[:, modality] = found.present

    def __len__(self) -> int:
        return len(self.frame)

    def usable(self) -> NDArray[np.int64]:
        """Positions of products with a known label and a vector."""
        return np.flatnonzero((self.labels >= 0) & self.available[:, :2].any(axis=1))

    def prefetch(self, positions: NDArray[np.int64]) -> None:
        """Nothing to prefetch."""

    def inputs(self, positions: NDArray[np.int64], drawn: torch.Tensor | None = None) -> Inputs:
        """A batch; `drawn` is ignored, as vectors have no views."""

        def vectors(found: Found | None) -> torch.Tensor | None:
            return None if found is None else torch.from_numpy(found.vectors[positions])

        return vector_inputs(
            torch.from_numpy(self.available[positions]), vectors(self.found[TEXT]), vectors(self.found[IMAGE])
        )


def labels_of(frame: pd.DataFrame, classes: Sequence[str]) -> NDArray[np.int64]:
    """(n,) class numbers; UNKNOWN_LABEL for other labels."""
    number_of = {label: number for number, label in enumerate(classes)}
    return np.array([number_of.get(label, UNKNOWN_LABEL) for label in frame.label], np.int64)


def vector_inputs(available: torch.Tensor, text: torch.Tensor | None, image: torch.Tensor | None) -> Inputs:
    """Inputs with vectors only: tokens and pixels are empty."""
    n = len(available)
    return Inputs(
        available,
        torch.zeros(n, 1, dtype=torch.int64),
        torch.zeros(n, 1, dtype=torch.bool),
        torch.zeros(n, 3, 1, 1, dtype=torch.uint8),
        torch.zeros(n, dtype=torch.int64),
        text,
        image,
    )
