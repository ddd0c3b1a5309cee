"""What a trainer trains on: the products of one dataset or several, read alike, in batches by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from core.catalog.products import Products
from core.embeddings.augment import draw_views
from core.embeddings.encoders import ImageEncoder, TextEncoder
from core.embeddings.features import key_of, text_features
from core.embeddings.picture_features import picture_features
from core.errors import TrainingError
from core.models.concatenated import ConcatenatedData
from core.models.data import ProductData, Readings, ReadProducts, held_out, product_frame
from core.models.inputs import Inputs
from core.training.balance import ClassSampler
from core.training.loop import Part, TrainConfig, seed_of
from core.training.runs import TOKENIZER, RunConfig
from trainers.console import Watcher

AHEAD = 4  # batches that are announced, to be decoded where pictures are streamed


@dataclass(frozen=True)
class Source:
    """One dataset's products to train and validate on."""

    products: Products
    frame: pd.DataFrame  # see product_frame


def open_sources(names: Sequence[str], human_only: bool) -> list[Source]:
    """
    Raises:
        UnknownDatasetError: there is no such dataset.
        TrainingError: one is named twice.
    """
    if len(set(names)) < len(names):
        raise TrainingError(f"--dataset names one dataset twice: {', '.join(names)}.")
    opened = [Products.open(name) for name in names]
    return [
        Source(products, product_frame(products, ("train", "validation"), human_only)) for products in opened
    ]


def unchanged_sources(config: RunConfig) -> list[Source]:
    """The datasets of a run, as they were when it began.

    Raises:
        TrainingError: one has changed since.
    """
    sources = open_sources(list(config.trained_on()), config.human_only)
    for source, fingerprint in zip(sources, config.trained_on().values(), strict=True):
        info = source.products.info
        if info.fingerprint != fingerprint:
            raise TrainingError(
                f"{info.name} has changed since the run started (fingerprint {info.fingerprint}, "
                f"the run's is {fingerprint}). Start a new run."
            )
    return sources


def classes_of(sources: Sequence[Source]) -> list[str]:
    """The categories of all, by name: categories of the same name are one.

    Raises:
        TrainingError: there are fewer than two.
    """
    classes = sorted({label for source in sources for label in source.frame.label.dropna()})
    if len(classes) < 2:
        names = " and ".join(source.products.info.name for source in sources)
        raise TrainingError(
            f"{names} has {len(classes)} categories in its training split; at least two are needed."
        )
    return classes


def held_out_of(sources: Sequence[Source], share: float, seed: int) -> list[NDArray[np.bool_]]:
    """Which products of each validate: chosen in each dataset as if it were alone."""
    return [held_out(source.frame, share, seed) for source in sources]


def read(
    sources: Sequence[Source],
    readings: Readings,
    workers: int | None = None,
    run_dir: Path | None = None,
    frozen: TextEncoder | None = None,
    frozen_image: ImageEncoder | None = None,
) -> ConcatenatedData:
    """The products as a model reads them; pictures that were not decoded yet are decoded now.

    Args:
        frozen: a text encoder that is never trained: what it makes of the texts is computed once and mapped.
        frozen_image: likewise of pictures, some views of each.
    """
    progress = Watcher("", run_dir or Path()).reading
    key = key_of(frozen, run_dir / TOKENIZER) if frozen is not None and run_dir is not None else ""
    parts = []
    for source in sources:
        features = None
        if frozen is not None and readings.tokenizer is not None:
            features = text_features(source.products, frozen, readings.tokenizer, key, progress)
        views = None
        if frozen_image is not None:
            views = picture_features(source.products.info, frozen_image, workers, progress)
        parts.append(ProductData(source.products, source.frame, readings, workers, progress, features, views))
    return ConcatenatedData(parts)


class Batches:
    """The same batch for the same step and part, however often it is asked."""

    def __init__(
        self,
        data: ReadProducts,
        positions: NDArray[np.int64],
        config: TrainConfig,
        augment: bool,
        balance: str = "none",
    ) -> None:
        """
        Args:
            balance: `sampling` draws classes uniformly, their products with replacement.
        """
        self.data, self.positions, self.augment = data, positions, augment
        self.size, self.seed = min(config.batch_size, len(positions)), config.seed
        self.per_epoch = len(positions) // self.size
        self.steps = config.steps
        self._orders: dict[int, NDArray[np.int64]] = {}
        self._sampler = ClassSampler(positions, data.labels[positions]) if balance == "sampling" else None

    def __call__(self, step: int, part: Part) -> tuple[Inputs, torch.Tensor]:
        share = part.slice(self.size)
        drawn = None
        if self.augment:
            generator = torch.Generator().manual_seed(seed_of(self.seed, step, 1_000_003))
            drawn = draw_views(self.size, generator)[share]
        for later in range(step + 1, min(step + 1 + AHEAD, self.steps)):
            self.data.prefetch(self._positions(later)[share])
        rows = self._positions(step)[share]
        return self.data.inputs(rows, drawn), torch.from_numpy(self.data.labels[rows])

    def _positions(self, step: int) -> NDArray[np.int64]:
        if self._sampler is not None:
            return self._sampler.draw(self.size, np.random.default_rng((self.seed, step, 11)))
        epoch, at = divmod(step, self.per_epoch)
        if epoch not in self._orders:  # this epoch's and, for batches ahead, the next one's
            self._orders = {kept: order for kept, order in self._orders.items() if abs(kept - epoch) == 1}
            self._orders[epoch] = np.random.default_rng((self.seed, epoch)).permutation(self.positions)
        return self._orders[epoch][at * self.size : (at + 1) * self.size]
