"""Products of a dataset as inputs of a classifier: token numbers, pixels, label sources, labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from core.catalog.products import Products
from core.embeddings.augment import random_views
from core.embeddings.encoders import ImageConfig
from core.embeddings.pixels import PixelCache, fits
from core.embeddings.streamed import PictureStream
from core.embeddings.tokenizers import AnyTokenizer
from core.models.inputs import Inputs
from core.progress import Progress, no_progress

UNKNOWN_LABEL = -1


def product_text(name: str | None, description: str | None) -> str:
    """The text of a product for a text encoder: name, space, description; empty without either.

    >>> product_text("Red dress", None)
    'Red dress'
    """
    return " ".join(part for part in (name, description) if part)


def cut_note(read: int, length: int) -> list[str]:
    """A note for a truncated text.

    >>> cut_note(51, 99_999), cut_note(7, 7)
    (['Only the first 51 of 99,999 characters were read.'], [])
    """
    return [f"Only the first {read:,} of {length:,} characters were read."] if read < length else []


@dataclass(frozen=True)
class InputConfig:
    """The inputs of a model: classes, preprocessing, tokenizer."""

    classes: Sequence[str]
    text: Any  # configuration of a text encoder, with `tokens`; None without text
    image: ImageConfig | None
    tokenizer: AnyTokenizer | None
    sources: Sequence[str] = ()


class ReadProducts(Protocol):
    """n products as inputs of a classifier: the interface for trainers and evaluations."""

    frame: pd.DataFrame
    labels: NDArray[np.int64]  # (n,) UNKNOWN_LABEL for classes the model does not know
    available: NDArray[np.bool_]  # (n, 3) as in Inputs

    def __len__(self) -> int: ...

    def usable(self) -> NDArray[np.int64]: ...

    def inputs(self, positions: NDArray[np.int64], drawn: torch.Tensor | None = None) -> Inputs: ...

    def prefetch(self, positions: NDArray[np.int64]) -> None: ...


class ProductData:
    """n products in memory, to be read in batches."""

    def __init__(
        self,
        products: Products,
        frame: pd.DataFrame,
        input_config: InputConfig,
        workers: int | None = None,
        progress: Progress = no_progress,
        text_features: NDArray[np.float16] | None = None,
        image_features: Sequence[NDArray[np.float16]] | None = None,
    ) -> None:
        """Tokenize the texts and decode the pictures that were not decoded before; where an array of them all
        would not fit, they are decoded batch by batch instead.

        Args:
            text_features: (rows of the dataset, width) of a frozen encoder, handed out instead of being
                computed at every step.
            image_features: likewise, (pictures, width) of each view; a drawn view is one of these.

        Raises:
            StorageError: the dataset's folder cannot be written.
        """
        self.frame = frame.reset_index(drop=True)
        self.input_config = input_config
        number_of = {label: number for number, label in enumerate(input_config.classes)}
        self.labels = np.array([number_of.get(label, UNKNOWN_LABEL) for label in frame.label], np.int64)
        n = len(frame)
        self.available = np.zeros((n, 3), np.bool_)
        self._numbers = np.zeros((n, 1), np.int32)
        self._mask = np.zeros((n, 1), np.bool_)
        if input_config.text is not None and input_config.tokenizer is not None:
            texts = [
                product_text(*pair) for pair in zip(self.frame.name, self.frame.description, strict=True)
            ]
            numbers, self._mask = input_config.tokenizer.encode(texts, input_config.text.tokens)
            self._numbers = numbers.astype(np.int32)
            self.available[:, 0] = [bool(text.strip()) for text in texts]
        self._features, self._row_ids = text_features, self.frame.row_id.to_numpy(np.int64)
        self._views = image_features
        self._rows = np.full(n, -1, np.int64)
        self.broken_pictures = 0
        self._cache: PixelCache | PictureStream | None = None
        if input_config.image is not None:
            size = input_config.image.stored_height_px, input_config.image.stored_width_px
            there_is_room = fits(products.info, *size)
            self._cache = (PixelCache if there_is_room else PictureStream)(products.info, *size)
            image_ids = [image_id for image_id in self.frame.image_id if image_id]
            self.broken_pictures = self._cache.fill(image_ids, workers, progress)["broken"]
            self._rows = self._cache.rows(self.frame.image_id.tolist())
            self.available[:, 1] = self._rows >= 0
        source_of = {source: number for number, source in enumerate(input_config.sources)}
        self._source = np.array([source_of.get(source, -1) for source in self.frame.label_source], np.int64)
        self.available[:, 2] = self._source >= 0

    def __len__(self) -> int:
        return len(self.frame)

    def usable(self) -> NDArray[np.int64]:
        """Positions of products with a known label and an input."""
        return np.flatnonzero((self.labels >= 0) & self.available[:, :2].any(axis=1))

    def prefetch(self, positions: NDArray[np.int64]) -> None:
        """Prefetch the pictures of a batch, if they are streamed."""
        if isinstance(self._cache, PictureStream):
            self._cache.prefetch(self._rows[positions])

    def inputs(self, positions: NDArray[np.int64], drawn: torch.Tensor | None = None) -> Inputs:
        """A batch of products.

        Args:
            positions: (n,) in this data, not row_id.
            drawn: (n, DRAWN) of `draw_views`: the pictures are then random views of themselves.
        """
        image, seen = self.input_config.image, self._seen(positions, drawn)
        if self._cache is None or image is None or seen is not None:
            pixels = torch.zeros(len(positions), 3, 1, 1)
        else:
            stored = torch.from_numpy(self._cache.batch(self._rows[positions])).permute(0, 3, 1, 2)
            pixels = stored if drawn is None else random_views(stored, drawn, image.height_px, image.width_px)
        return Inputs(
            torch.from_numpy(self.available[positions]),
            torch.from_numpy(self._numbers[positions].astype(np.int64)),
            torch.from_numpy(self._mask[positions]),
            pixels,
            torch.from_numpy(self._source[positions].clip(0)),
            None
            if self._features is None
            else torch.from_numpy(np.array(self._features[self._row_ids[positions]])),
            seen,
        )

    def _seen(self, positions: NDArray[np.int64], drawn: torch.Tensor | None) -> torch.Tensor | None:
        """(n, width) features of the frozen image encoder for one view of each picture: the first unless drawn."""
        if self._views is None:
            return None
        chosen = np.zeros(len(positions), np.int64)
        if drawn is not None:
            chosen = (drawn[:, -1].numpy() * len(self._views)).astype(np.int64)
        rows = self._rows[positions]
        made = np.stack(
            [self._views[view][row] for view, row in zip(chosen.tolist(), rows.tolist(), strict=True)]
        )
        made[rows < 0] = 0
        return torch.from_numpy(made)


def held_out(frame: pd.DataFrame, share: float, seed: int) -> NDArray[np.bool_]:
    """The validation products: the published validation split, else a fraction of the human-labelled.

    Returns:
        (n,) bool.
    """
    if (frame.split == "validation").any():
        return (frame.split == "validation").to_numpy()
    chosen = np.zeros(len(frame), np.bool_)
    human = np.flatnonzero((frame.label_kind == "human").to_numpy())
    picked = np.random.default_rng((seed, 7)).permutation(human)[: round(share * len(human))]
    chosen[picked] = True
    return chosen
