"""Embedding a whole dataset: chunk by chunk, pictures decoded in worker processes, resumable.

One process encodes; others decode ahead of it. The same chunks can be spread over a cluster by Ray Data
(`engine="ray"`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.embeddings.chunks import Work, decoded_chunks, encode_texts, plan_work, spread
from core.embeddings.clip import Encoder, EncoderSpec
from core.embeddings.cluster import encoded_by_ray
from core.embeddings.loading import load_encoder
from core.embeddings.store import Description, Writer, open_set, unit, writing
from core.errors import EmbeddingError, UsageError
from core.progress import Progress, no_progress

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
        raise UsageError(f"There is no engine {engine!r}: expected local or ray.")
    if tower == "text" and not spec.takes_texts:
        raise UsageError(spec.wordless())
    started = time.monotonic()
    products = Products.open(dataset)
    encoder = load_encoder(spec, device)
    name = spec.name if tower == "image" else f"{spec.name}.text"
    work = plan_work(products, tower)
    if not work.chunks:
        raise EmbeddingError(
            f"{dataset} has no pictures to embed. Embed its texts: --tower text"
            if tower == "image"
            else f"{dataset} has no products to embed."
        )
    plan = Description(
        encoder=str(spec.folder) if spec.weights == "folder" else spec.name,
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
                    "If its files were moved, import it again."
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
