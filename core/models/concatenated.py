"""Products of several datasets, concatenated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from core.models.data import ProductData, held_out
from core.models.inputs import Inputs
from core.models.vectors import VectorData


class ConcatenatedData:
    """Several datasets with the same inputs, concatenated: positions continue from one to the next.

    Same interface as ProductData; for one dataset the batches are equal, bit for bit.
    """

    def __init__(self, parts: Sequence[ProductData | VectorData]) -> None:
        """
        Raises:
            ValueError: there is none, or their classes differ.
        """
        if not parts or any(part.input_config.classes != parts[0].input_config.classes for part in parts):
            raise ValueError("concatenated products need one list of classes")
        self.parts, self.input_config = list(parts), parts[0].input_config
        self.frame = pd.concat([part.frame for part in parts], ignore_index=True)
        self.labels = np.concatenate([part.labels for part in parts])  # (n,)
        self.available = np.concatenate([part.available for part in parts])  # (n, 3)
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    def __len__(self) -> int:
        return len(self.labels)

    def usable(self) -> NDArray[np.int64]:
        """Positions of products with a known label and an input."""
        return np.flatnonzero((self.labels >= 0) & self.available[:, :2].any(axis=1))

    def inputs(self, positions: NDArray[np.int64], drawn: torch.Tensor | None = None) -> Inputs:
        """A batch in the order of `positions`; see ProductData.inputs."""
        found, where = [], []
        for part, begin, rows in self._by_part(positions):
            found.append(
                part.inputs(positions[rows] - begin, None if drawn is None else drawn[torch.from_numpy(rows)])
            )
            where.append(rows)
        if len(found) == 1:
            return found[0]
        return concatenated_inputs(found).rows(torch.from_numpy(np.argsort(np.concatenate(where))))

    def prefetch(self, positions: NDArray[np.int64]) -> None:
        """See ProductData.prefetch."""
        for part, begin, rows in self._by_part(positions):
            part.prefetch(positions[rows] - begin)

    def held_out(self, share: float, seed: int) -> NDArray[np.bool_]:
        """(n,) validation products, selected per dataset."""
        return np.concatenate([held_out(part.frame, share, seed) for part in self.parts])

    def _by_part(
        self, positions: NDArray[np.int64]
    ) -> Iterator[tuple[ProductData | VectorData, int, NDArray[np.int64]]]:
        """Iterate over (dataset, its first position, the mask of its positions)."""
        owner = np.searchsorted(self._starts, positions, "right") - 1
        for number, part in enumerate(self.parts):
            rows = np.flatnonzero(owner == number)
            if len(rows):
                yield part, int(self._starts[number]), rows


def concatenated_inputs(parts: Sequence[Inputs]) -> Inputs:
    """Concatenate batches; all have the same fields."""
    held = {field.name: [getattr(part, field.name) for part in parts] for field in fields(Inputs)}
    joined: dict[str, Any] = {
        name: None if tensors[0] is None else torch.cat(tensors) for name, tensors in held.items()
    }
    return Inputs(**joined)
