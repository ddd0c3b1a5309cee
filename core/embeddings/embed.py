"""Embedding a whole dataset: chunk by chunk, pictures decoded in worker processes, resumable.

A chunk is CHUNK pictures (each once, however many products show it) or CHUNK texts. One process encodes;
others decode ahead of it. The same chunks can be spread over a cluster by Ray Data (`engine="ray"`).
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.embeddings.clip import Encoder, EncoderSpec, Preprocessing
from core.embeddings.store import Description, Writer, open_set, unit, writing
from core.errors import EmbeddingError, ImageError, UsageError
from core.images.pictures import Pictures, decode
from core.progress import Progress, no_progress

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 512  # pictures or texts: what a kill may cost
Engine = Literal["local", "ray"]


@dataclass(frozen=True)
class EmbedReport:
    """What an embedding did."""

    name: str
    encoder: str
    tower: str
    rows: int
    present: int
    skipped: dict[str, int]
    computed: int  # chunks of this run; the others were there
    chunks: int
    seconds: float
    items_per_s: float  # pictures or texts of this run


@dataclass(frozen=True)
class Work:
    """What there is to encode, and which products each vector belongs to.

    Keys are in the order of their first product; those of chunk c are keys[c * CHUNK : (c + 1) * CHUNK].
    """

    keys: NDArray[np.object_]  # (u,) image_ids, or row numbers of texts
    rows: NDArray[np.int64]  # row_ids sorted by key
    starts: NDArray[np.int64]  # (u + 1,) where each key's rows begin in `rows`

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
    """A part of the work."""

    number: int
    keys: list[Any]
    rows: NDArray[np.int64]  # (m,) products
    owner: NDArray[np.int64]  # (m,) which key each product's vector is of


def plan_work(products: Products, tower: Literal["image", "text"]) -> Work:
    """Every picture of the dataset once, or every text."""
    if tower == "text":
        numbers = products.frame("SELECT row_id FROM cohort ORDER BY row_id").row_id.to_numpy(np.int64)
        return Work(numbers.astype(object), numbers, np.arange(len(numbers) + 1, dtype=np.int64))
    frame = products.frame("SELECT row_id, image_id FROM cohort WHERE image IS NOT NULL ORDER BY row_id")
    return picture_work(frame.image_id.tolist(), frame.row_id.to_numpy(np.int64))


def picture_work(image_ids: Sequence[str], rows: NDArray[np.int64]) -> Work:
    """Every picture once, however many of the rows show it.

    Args:
        image_ids, rows: (m,) each.
    """
    import pandas as pd

    codes, keys = pd.factorize(np.asarray(image_ids, object))
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(keys) + 1))
    return Work(np.asarray(keys, object), rows[order], starts.astype(np.int64))


def embed(
    dataset: str,
    spec: EncoderSpec,
    tower: Literal["image", "text"] = "image",
    engine: Engine = "local",
    workers: int | None = None,
    device: str | None = None,
    again: bool = False,
    progress: Progress = no_progress,
) -> EmbedReport:
    """Make the vectors of a dataset, or what is missing of them.

    Args:
        workers: processes that decode pictures (one a core otherwise), or Ray's actors.
        again: make them anew even where a set of the same weights is there.

    Raises:
        UnknownDatasetError: there is no such dataset.
        ModelError: the encoder's weights are missing or broken.
        UsageError: its texts are asked for, and the encoder knows pictures alone.
        EmbeddingError: another process makes vectors of it, or no picture of it can be opened.
        StorageError: the disk is full or cannot be written.
    """
    if engine not in ("local", "ray"):
        raise UsageError(f"There is no engine {engine!r}: it is local or ray.")
    if tower == "text" and not spec.takes_texts:
        raise UsageError(spec.wordless())
    started = time.monotonic()
    products = Products.open(dataset)
    encoder = spec.load(device)
    name = spec.name if tower == "image" else f"{spec.name}.text"
    work = plan_work(products, tower)
    if not work.chunks:
        raise EmbeddingError(
            f"{dataset} has no pictures to embed. What is written of its products can be: --tower text"
            if tower == "image"
            else f"{dataset} has no products to embed."
        )
    plan = Description(
        encoder=spec.name if spec.folder is None or spec.weights == "bundled" else str(spec.folder),
        tower=tower,
        dimensions=encoder.dimensions,
        fingerprint=products.info.fingerprint,
        rows=len(products),
        weights=encoder.weights,
        preprocessing=asdict(encoder.preprocessing) if tower == "image" else {},
        lengths=True,
    )
    computed = done = 0
    if again or not _is_there(products.info, name, plan):
        with writing(products.info, name, plan, work.chunks, anew=again) as writer:
            todo = writer.missing()
            if engine == "ray":
                from core.embeddings.cluster import encoded_by_ray

                results = encoded_by_ray(products, spec, tower, work, todo, workers or 2)
            else:
                results = _encoded(products, encoder, tower, work, todo, workers)
            total = sum(len(work.chunk(number).keys) for number in todo)
            for number, raw, present in results:
                chunk = work.chunk(number)
                vectors, lengths = unit(raw)[0], np.linalg.norm(raw.astype(np.float64), axis=1)
                writer.write(
                    number, chunk.rows, vectors[chunk.owner], present[chunk.owner], lengths[chunk.owner]
                )
                computed, done = computed + 1, done + len(chunk.keys)
                progress(done, total, f"Embedding {'pictures' if tower == 'image' else 'texts'}")
            writer.skipped = _skipped(products, tower, writer)
            if tower == "image" and not writer.present.any():
                raise EmbeddingError(
                    f"None of the {len(work.keys):,} pictures of {dataset} can be opened. "
                    "Were its files moved? Import it again from where they are."
                )
    described = open_set(products.info, name).description
    seconds = time.monotonic() - started
    return EmbedReport(
        name,
        spec.name,
        tower,
        described.rows,
        described.present,
        described.skipped,
        computed,
        work.chunks,
        round(seconds, 2),
        round(done / seconds, 1),
    )


def _is_there(dataset: DatasetInfo, name: str, plan: Description) -> bool:
    """Is the set that would be made whole already?"""
    try:
        have = open_set(dataset, name).description
    except EmbeddingError:
        return False
    return (have.weights, have.preprocessing) == (plan.weights, plan.preprocessing)


def _skipped(products: Products, tower: str, writer: Writer) -> dict[str, int]:
    """Why rows have no vector, counted from what is there: right after any number of interruptions."""
    absent = int(np.count_nonzero(~np.asarray(writer.present)))
    if tower == "text":
        found = {"no name and no description": absent}
    else:
        without = int(products.frame("SELECT count(*) AS n FROM cohort WHERE image IS NULL").n[0])
        found = {"no picture": without, "the picture cannot be opened": absent - without}
    return {reason: count for reason, count in found.items() if count}


Encoded = Iterator[tuple[int, NDArray[np.float32], NDArray[np.bool_]]]
Decoded = Iterator[tuple[int, NDArray[np.uint8], NDArray[np.bool_]]]


def _encoded(
    products: Products, encoder: Encoder, tower: str, work: Work, todo: list[int], workers: int | None
) -> Encoded:
    """Chunk numbers with the vectors of their keys, as the model gives them, and which could be made."""
    if tower == "text":
        for number in todo:
            yield (number, *encode_texts(products, encoder, work.chunk(number).keys))
        return
    for number, pixels, present in decoded_chunks(products.info, encoder.preprocessing, work, todo, workers):
        yield number, spread(encoder.encode_pixels(pixels, raw=True), present, encoder.dimensions), present


def spread(vectors: NDArray[np.float32], present: NDArray[np.bool_], dimensions: int) -> NDArray[np.float32]:
    """(n, d) with the vectors where they are present and zeros elsewhere."""
    full = np.zeros((len(present), dimensions), np.float32)
    full[present] = vectors
    return full


def product_text(name: str | None, description: str | None) -> str:
    """What is read of a product: its name, then its description."""
    return " ".join(part for part in (name, description) if part)


def encode_texts(
    products: Products, encoder: Encoder, rows: list[Any]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(n, d) vectors of these products' texts as the model gives them, and which have a text; the rows are
    consecutive."""
    frame: pd.DataFrame = products.frame(
        "SELECT name, description FROM cohort WHERE row_id BETWEEN ? AND ? ORDER BY row_id",
        values=[int(rows[0]), int(rows[-1])],
    )
    pairs = zip(frame.name, frame.description, strict=True)
    texts = [product_text(*(part if isinstance(part, str) else None for part in pair)) for pair in pairs]
    return encoder.encode_texts(texts, raw=True), np.array([bool(text.strip()) for text in texts])


def decoded_chunks(
    dataset: DatasetInfo, preprocessing: Preprocessing, work: Work, todo: list[int], workers: int | None
) -> Decoded:
    """Chunks' pixels in order, decoded ahead by other processes."""
    cores = len(os.sched_getaffinity(0))
    workers = min(workers or cores, len(todo))
    if workers > 1:
        import torch

        # Half of the processors encode and the others decode: where both want all of them, each waits for
        # the other at every operation (five times slower on two cores).
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


_PICTURES: dict[tuple[str, str], Pictures] = {}  # of a worker process: opened once


def decode_chunk(
    dataset: DatasetInfo, preprocessing: Preprocessing, image_ids: list[str]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Pixels of the pictures that can be opened, and which these are.

    Returns:
        (p, height, width, 3) and (n,), p of it true.
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
