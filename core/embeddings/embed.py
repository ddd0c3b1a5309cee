"""Embed a whole dataset: chunk by chunk, resumable.

One process encodes; worker processes decode pictures ahead of it. Ray Data can distribute the same chunks over a
cluster (`engine="ray"`).
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
from core.embeddings.store import Description, Tower, Writer, open_set, unit, writing
from core.errors import EmbeddingError, UsageError
from core.progress import Progress, no_progress

Engine = Literal["local", "ray"]
# Chunk number, the vectors of its keys as the model gives them, and which keys could be encoded.
Encoded = Iterator[tuple[int, NDArray[np.float32], NDArray[np.bool_]]]


@dataclass(frozen=True)
class EmbedReport:
    """The result of embedding a dataset."""

    name: str
    encoder: str
    tower: str
    rows: int
    present: int
    skipped: dict[str, int]
    computed: int  # chunks of this run; the others existed
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
    """Compute the vectors of a dataset that are missing.

    Args:
        workers: processes that decode pictures (default: one a core), or Ray's actors.
        again: recompute all vectors, even if a complete set of the same weights exists.

    Raises:
        UnknownDatasetError: there is no such dataset.
        ModelError: the encoder's weights are missing or broken.
        UsageError: unknown engine, or the text tower of an encoder without one.
        EmbeddingError: another process embeds it, or none of its pictures can be opened.
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
    plan = _description(products, spec, encoder, tower)
    computed = done = 0
    if again or not _is_complete(products.info, name, plan):
        with writing(products.info, name, plan, work.chunks, restart=again) as writer:
            missing = writer.missing()
            if engine == "ray":
                results = encoded_by_ray(products, spec, tower, work, missing, workers or 2)
            else:
                results = _encoded(products, encoder, tower, work, missing, workers)
            computed, done = _write(results, writer, work, missing, tower, progress)
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


def _description(products: Products, spec: EncoderSpec, encoder: Encoder, tower: Tower) -> Description:
    """The metadata of the set of vectors to compute."""
    return Description(
        encoder=str(spec.folder) if spec.weights == "folder" else spec.name,
        tower=tower,
        dimensions=encoder.dimensions,
        fingerprint=products.info.fingerprint,
        rows=len(products),
        weights=encoder.weights,
        preprocessing=asdict(encoder.preprocessing) if tower == "image" else {},
        lengths=True,
    )


def _write(
    results: Encoded, writer: Writer, work: Work, missing: list[int], tower: str, progress: Progress
) -> tuple[int, int]:
    """Write the chunks as they are encoded; the numbers of chunks and of pictures or texts."""
    chunks = keys = 0
    total = sum(len(work.chunk(number).keys) for number in missing)
    for number, raw, present in results:
        chunk = work.chunk(number)
        vectors, lengths = unit(raw)[0], np.linalg.norm(raw.astype(np.float64), axis=1)
        writer.write(number, chunk.rows, vectors[chunk.owner], present[chunk.owner], lengths[chunk.owner])
        chunks, keys = chunks + 1, keys + len(chunk.keys)
        progress(keys, total, f"Embedding {'pictures' if tower == 'image' else 'texts'}")
    return chunks, keys


def _is_complete(dataset: DatasetInfo, name: str, plan: Description) -> bool:
    """Whether a complete set of the planned weights and preprocessing exists."""
    try:
        existing = open_set(dataset, name).description
    except EmbeddingError:
        return False
    return (existing.weights, existing.preprocessing) == (plan.weights, plan.preprocessing)


def _skipped(products: Products, tower: str, writer: Writer) -> dict[str, int]:
    """Rows without a vector by reason, counted from the stored set: correct after any number of interruptions."""
    absent = int(np.count_nonzero(~np.asarray(writer.present)))
    if tower == "text":
        found = {"no name and no description": absent}
    else:
        without = int(products.frame("SELECT count(*) AS n FROM cohort WHERE image IS NULL").n[0])
        found = {"no picture": without, "the picture cannot be opened": absent - without}
    return {reason: count for reason, count in found.items() if count}


def _encoded(
    products: Products, encoder: Encoder, tower: str, work: Work, todo: list[int], workers: int | None
) -> Encoded:
    """Encode chunks in this process; pictures are decoded by workers."""
    if tower == "text":
        for number in todo:
            yield (number, *encode_texts(products, encoder, work.chunk(number).keys))
        return
    for number, pixels, present in decoded_chunks(products.info, encoder.preprocessing, work, todo, workers):
        yield number, spread(encoder.encode_pixels(pixels, raw=True), present, encoder.dimensions), present
