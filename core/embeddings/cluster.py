"""Embed over a cluster: Ray Data distributes the chunks, this process writes the results."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalog.products import Products
from core.embeddings.chunks import Work, decode_chunk, encode_texts, spread
from core.embeddings.clip import EncoderSpec
from core.embeddings.loading import load_encoder
from core.errors import EmbeddingError
from core.settings import PROJECT, go_offline, settings


class _EncodeChunks:
    """A Ray actor. It opens the dataset and the encoder once; both must have the same paths on every machine."""

    def __init__(self, dataset: str, spec: EncoderSpec, tower: str) -> None:
        go_offline()
        self.products = Products.open(dataset)
        self.encoder = load_encoder(spec)
        self.tower = tower

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Encode one chunk, given its number and its keys as strings or row numbers."""
        keys = list(batch["keys"][0])
        if self.tower == "text":
            vectors, present = encode_texts(self.products, self.encoder, [int(key) for key in keys])
        else:
            pixels, present = decode_chunk(self.products.info, self.encoder.preprocessing, keys)
            vectors = spread(self.encoder.encode_pixels(pixels, raw=True), present, self.encoder.dimensions)
        return {
            "number": batch["number"],
            "vectors": [vectors.tobytes()],
            "present": [present.tobytes()],
        }


def encoded_by_ray(
    products: Products, spec: EncoderSpec, tower: str, work: Work, todo: list[int], workers: int
) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.bool_]]]:
    """Like `core.embeddings.embed._encoded`, in order of completion.

    Uses the cluster at RAY_ADDRESS, or else starts and stops a local one.

    Raises:
        EmbeddingError: Ray is not installed, or the cluster fails.
    """
    if not todo:
        return
    try:
        import pyarrow as pa
        import ray
    except ImportError as error:
        raise EmbeddingError("Ray is not installed: pip install -r requirements.txt") from error
    environment = {
        "PYTHONPATH": str(PROJECT),
        "VITRINE_HOME": str(settings().home),
        "OMP_NUM_THREADS": str(max(1, len(os.sched_getaffinity(0)) // workers)),
    }
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    mine = not ray.is_initialized()
    if mine:
        ray.init(
            num_cpus=None if "RAY_ADDRESS" in os.environ else workers + 1,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": environment},
        )
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        # One table per chunk: splitting a table is a task, for which the actors leave no core.
        tables = [
            pa.table({"number": [chunk.number], "keys": [[str(key) for key in chunk.keys]]})
            for chunk in map(work.chunk, todo)
        ]
        rows = (
            ray.data.from_arrow(tables)
            .map_batches(
                _EncodeChunks,
                batch_size=1,
                compute=ray.data.ActorPoolStrategy(size=workers),
                fn_constructor_args=(products.info.name, spec, tower),
                num_cpus=1,
            )
            .iter_rows()
        )
        for row in rows:
            present = np.frombuffer(row["present"], np.bool_)
            vectors = np.frombuffer(row["vectors"], np.float32).reshape(len(present), -1)
            yield int(row["number"]), vectors, present
    except ray.exceptions.RayError as error:
        raise EmbeddingError(f"The cluster stopped: {str(error).splitlines()[0]}") from error
    finally:
        if mine:
            ray.shutdown()
