"""Vectors of some products of a dataset: stored ones, or else computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalog.products import Products
from core.embeddings.chunks import decoded_chunks, picture_work, product_text, spread
from core.embeddings.clip import TEXTS, Encoder
from core.embeddings.store import EmbeddingSet, open_set
from core.errors import EmbeddingError
from core.progress import Progress, no_progress


@dataclass(frozen=True)
class Found:
    """Vectors of n products, unnormalised if their norms are known."""

    vectors: NDArray[np.float32]  # (n, d), zeros for missing vectors
    present: NDArray[np.bool_]  # (n,)
    stored: bool  # read from disk, not computed


def set_name(encoder: str, tower: Literal["image", "text"]) -> str:
    """The name of the set that `embed` writes for an encoder."""
    return encoder if tower == "image" else f"{encoder}.text"


def vectors_of(
    products: Products,
    frame: pd.DataFrame,
    encoder: Encoder,
    tower: Literal["image", "text"],
    raw: bool = True,
    workers: int | None = None,
    progress: Progress = no_progress,
) -> Found:
    """The vectors of products: stored ones of the same weights, or else computed.

    Args:
        frame: n rows with row_id, image_id, name, description.
        raw: unnormalised; a stored set without norms is not used.
    """
    try:
        kept = open_set(products.info, set_name(encoder.spec.name, tower), encoder.weights)
    except EmbeddingError:
        kept = None
    if kept is not None and kept.description.tower == tower and (not raw or kept.lengths is not None):
        return stored(kept, frame.row_id.to_numpy(np.int64))
    if tower == "text":
        return _texts(frame, encoder, progress)
    return _pictures(products, frame, encoder, workers, progress)


def stored(kept: EmbeddingSet, rows: NDArray[np.int64]) -> Found:
    """Rows of a set, multiplied by their norms if these are stored."""
    vectors = np.asarray(kept.vectors[rows], np.float32)
    if kept.lengths is not None:
        vectors = vectors * np.asarray(kept.lengths[rows], np.float32)[:, None]
    return Found(vectors, np.asarray(kept.present[rows], np.bool_), True)


def _texts(frame: pd.DataFrame, encoder: Encoder, progress: Progress) -> Found:
    texts = [product_text(*pair) for pair in zip(frame.name, frame.description, strict=True)]
    found = []
    for at in range(0, len(texts), TEXTS):
        said = [encoder.spec.phrase(text) for text in texts[at : at + TEXTS]]
        found.append(encoder.encode_texts(said, raw=True))
        progress(min(at + TEXTS, len(texts)), len(texts), "Embedding texts")
    vectors = np.concatenate(found) if found else np.zeros((0, encoder.dimensions), np.float32)
    present = np.array([bool(text.strip()) for text in texts], np.bool_)
    return Found(np.where(present[:, None], vectors, 0).astype(np.float32), present, False)


def _pictures(
    products: Products, frame: pd.DataFrame, encoder: Encoder, workers: int | None, progress: Progress
) -> Found:
    vectors = np.zeros((len(frame), encoder.dimensions), np.float32)
    present = np.zeros(len(frame), np.bool_)
    shown = np.flatnonzero(frame.image_id.notna().to_numpy())
    work = picture_work(frame.image_id.iloc[shown].tolist(), shown)
    todo, done = list(range(work.chunks)), 0
    chunks = decoded_chunks(products.info, encoder.preprocessing, work, todo, workers)
    for number, pixels, opened in chunks:
        chunk = work.chunk(number)
        each = spread(encoder.encode_pixels(pixels, raw=True), opened, encoder.dimensions)
        vectors[chunk.rows], present[chunk.rows] = each[chunk.owner], opened[chunk.owner]
        done += len(chunk.keys)
        progress(done, len(work.keys), "Embedding pictures")
    return Found(vectors, present, False)
