"""Divide an embedding job into chunks, and decode pictures or encode texts of a chunk.

A chunk is CHUNK unique pictures or CHUNK texts.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.embeddings.clip import Encoder, Preprocessing
from core.errors import ImageError
from core.images.pictures import Pictures, decode

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 512  # pictures or texts; a kill loses at most one chunk
Decoded = Iterator[tuple[int, NDArray[np.uint8], NDArray[np.bool_]]]


@dataclass(frozen=True)
class Work:
    """The keys to encode, and the products that each vector belongs to.

    Keys are in the order of their first product; those of chunk c are keys[c * CHUNK : (c + 1) * CHUNK].
    """

    keys: NDArray[np.object_]  # (u,) image_ids, or row numbers of texts
    rows: NDArray[np.int64]  # row_ids sorted by key
    starts: NDArray[np.int64]  # (u + 1,) offset of each key's rows in `rows`

    @property
    def chunks(self) -> int:
        return -(-len(self.keys) // CHUNK)

    def chunk(self, number: int) -> Chunk:
        first, last = number * CHUNK, min((number + 1) * CHUNK, len(self.keys))
        bounds = self.starts[first : last + 1]
        owner = np.repeat(np.arange(last - first), np.diff(bounds))
        return Chunk(number, list(self.keys[first:last]), self.rows[bounds[0] : bounds[-1]], owner)


@dataclass(frozen=True)
class Chunk:
    """One chunk of the work."""

    number: int
    keys: list[Any]
    rows: NDArray[np.int64]  # (m,) products
    owner: NDArray[np.int64]  # (m,) index of each product's key


def plan_work(products: Products, tower: Literal["image", "text"]) -> Work:
    """The work of a dataset: each unique picture, or each text."""
    if tower == "text":
        numbers = products.frame("SELECT row_id FROM cohort ORDER BY row_id").row_id.to_numpy(np.int64)
        return Work(numbers.astype(object), numbers, np.arange(len(numbers) + 1, dtype=np.int64))
    frame = products.frame("SELECT row_id, image_id FROM cohort WHERE image IS NOT NULL ORDER BY row_id")
    return picture_work(frame.image_id.tolist(), frame.row_id.to_numpy(np.int64))


def picture_work(image_ids: Sequence[str], rows: NDArray[np.int64]) -> Work:
    """The work of some rows: each unique picture.

    Args:
        image_ids, rows: (m,) each.
    """
    import pandas as pd

    codes, keys = pd.factorize(np.asarray(image_ids, object))
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(keys) + 1))
    return Work(np.asarray(keys, object), rows[order], starts.astype(np.int64))


def spread(vectors: NDArray[np.float32], present: NDArray[np.bool_], dimensions: int) -> NDArray[np.float32]:
    """Scatter the vectors of present rows into an (n, d) array of zeros."""
    full = np.zeros((len(present), dimensions), np.float32)
    full[present] = vectors
    return full


def product_text(name: str | None, description: str | None) -> str:
    """The text of a product for an encoder: its name, then its description."""
    return " ".join(part for part in (name, description) if part)


def encode_texts(
    products: Products, encoder: Encoder, rows: list[Any]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Encode the texts of consecutive rows: (n, d) unnormalised vectors, and (n,) whether there is a text."""
    frame: pd.DataFrame = products.frame(
        "SELECT name, description FROM cohort WHERE row_id BETWEEN ? AND ? ORDER BY row_id",
        values=[int(rows[0]), int(rows[-1])],
    )
    pairs = zip(frame.name, frame.description, strict=True)
    texts = [product_text(*(part if isinstance(part, str) else None for part in pair)) for pair in pairs]
    said = [encoder.spec.phrase(text) for text in texts]
    return encoder.encode_texts(said, raw=True), np.array([bool(text.strip()) for text in texts])


def decoded_chunks(
    dataset: DatasetInfo, preprocessing: Preprocessing, work: Work, todo: list[int], workers: int | None
) -> Decoded:
    """Iterate over the pixels of chunks in order, decoded ahead by worker processes."""
    cores = len(os.sched_getaffinity(0))
    workers = min(workers or cores, len(todo))
    if workers > 1:
        import torch

        # Half of the cores encode, the others decode: if both used all cores, they would wait for each other at
        # every operation (five times slower on two cores).
        torch.set_num_threads(max(1, cores // 2))
    if workers <= 1:
        for number in todo:
            yield (number, *decode_chunk(dataset, preprocessing, work.chunk(number).keys))
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        waiting: deque[tuple[int, Future[Any]]] = deque()
        upcoming = iter(todo)
        while True:
            while len(waiting) < workers + 1 and (ahead := next(upcoming, None)) is not None:
                job = pool.submit(decode_chunk, dataset, preprocessing, work.chunk(ahead).keys)
                waiting.append((ahead, job))
            if not waiting:
                return
            number, job = waiting.popleft()
            yield (number, *job.result())


_PICTURES: dict[tuple[str, str], Pictures] = {}  # cache of a worker process


def decode_chunk(
    dataset: DatasetInfo, preprocessing: Preprocessing, image_ids: list[str]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Decode the pictures of a chunk.

    Returns:
        (p, height, width, 3) pixels of the p readable pictures, and (n,) whether each is readable.
    """
    key = (str(dataset.folder), dataset.fingerprint)
    pictures = _PICTURES.setdefault(key, Pictures(dataset))
    places = pictures.places(image_ids)
    present = np.zeros(len(image_ids), np.bool_)
    found = np.zeros((len(image_ids), preprocessing.height_px, preprocessing.width_px, 3), np.uint8)
    for position, image_id in enumerate(image_ids):
        try:
            image = decode(pictures.read_at(places[image_id]), preprocessing.decode_px)
            found[position] = preprocessing.pixels(image)
            present[position] = True
        except (ImageError, KeyError):
            continue
    return found[present], present
