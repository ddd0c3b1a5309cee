"""Training data: products of one or several datasets, in batches by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.embeddings.augment import draw_views
from core.embeddings.encoders import ImageEncoder, TextEncoder
from core.embeddings.features import key_of, text_features
from core.embeddings.picture_features import picture_features
from core.errors import TrainingError
from core.models.concatenated import ConcatenatedData
from core.models.data import InputConfig, ProductData, ReadProducts, held_out
from core.models.inputs import Inputs
from core.training.balance import ClassSampler
from core.training.loop import Part, TrainConfig, seed_of
from core.training.runs import TOKENIZER, RunConfig
from trainers.console import Watcher

AHEAD = 4  # batches to prefetch, if pictures are streamed


@dataclass(frozen=True)
class Source:
    """The training and validation products of a dataset."""

    products: Products
    frame: pd.DataFrame  # see product_frame


def open_sources(names: Sequence[str], human_only: bool) -> list[Source]:
    """
    Raises:
        UnknownDatasetError: there is no such dataset.
        TrainingError: a dataset is given twice.
    """
    if len(set(names)) < len(names):
        raise TrainingError(f"--dataset gives a dataset twice: {', '.join(names)}.")
    opened = [Products.open(name) for name in names]
    return [
        Source(products, product_frame(products, ("train", "validation"), human_only)) for products in opened
    ]


def unchanged_sources(config: RunConfig) -> list[Source]:
    """The datasets of a run, unchanged since its start.

    Raises:
        TrainingError: a dataset has changed.
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
    """The union of the datasets' categories, matched by name.

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
    """The validation products of each dataset, selected per dataset."""
    return [held_out(source.frame, share, seed) for source in sources]


def read(
    sources: Sequence[Source],
    input_config: InputConfig,
    workers: int | None = None,
    run_dir: Path | None = None,
    frozen: TextEncoder | None = None,
    frozen_image: ImageEncoder | None = None,
) -> ConcatenatedData:
    """Prepare the inputs of a model; missing pictures are decoded.

    Args:
        frozen: a frozen text encoder, whose features are precomputed and memory-mapped.
        frozen_image: a frozen image encoder, likewise, for some views of each picture.
    """
    progress = Watcher("", run_dir or Path()).reading
    key = key_of(frozen, run_dir / TOKENIZER) if frozen is not None and run_dir is not None else ""
    parts = []
    for source in sources:
        features = None
        if frozen is not None and input_config.tokenizer is not None:
            features = text_features(source.products, frozen, input_config.tokenizer, key, progress)
        views = None
        if frozen_image is not None:
            views = picture_features(source.products.info, frozen_image, workers, progress)
        parts.append(
            ProductData(source.products, source.frame, input_config, workers, progress, features, views)
        )
    return ConcatenatedData(parts)


class Batches:
    """Batches by step and part, deterministically."""

    def __init__(
        self,
        data: ReadProducts,
        positions: NDArray[np.int64],
        config: TrainConfig,
        augment: bool,
        balance: str = "none",
        trusted: NDArray[np.bool_] | None = None,
    ) -> None:
        """
        Args:
            balance: `sampling` draws classes uniformly and their products with replacement.
            trusted: (products of `data`,) which labels a person gave; labels are then (n, 2), with it beside them.
        """
        self.trusted = trusted
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
        labels = self.data.labels[rows]
        if self.trusted is not None:
            labels = np.stack([labels, self.trusted[rows].astype(np.int64)], axis=1)
        return self.data.inputs(rows, drawn), torch.from_numpy(labels)

    def _positions(self, step: int) -> NDArray[np.int64]:
        if self._sampler is not None:
            return self._sampler.draw(self.size, np.random.default_rng((self.seed, step, 11)))
        epoch, at = divmod(step, self.per_epoch)
        if epoch not in self._orders:  # of this epoch and, for prefetched batches, the next one
            self._orders = {kept: order for kept, order in self._orders.items() if abs(kept - epoch) == 1}
            self._orders[epoch] = np.random.default_rng((self.seed, epoch)).permutation(self.positions)
        return self._orders[epoch][at * self.size : (at + 1) * self.size]


class Stages:
    """The batches of one stage up to a step, then those of another."""

    def __init__(self, first: Batches, second: Batches, at: int) -> None:
        self.first, self.second, self.at = first, second, at

    def __call__(self, step: int, part: Part) -> tuple[Inputs, torch.Tensor]:
        return (self.first if step < self.at else self.second)(step, part)
