"""A dataset of any size, made of invented words: only its shape is GLAMI-1M's, so that queries cost what they would."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.schema import LANGUAGE_OF_GEO, PICTURES, PRODUCTS
from core.settings import settings

CLASSES, WORDS, ROWS_AT_ONCE = 191, 8_000, 250_000
LETTERS = {"el": "αβγδεικλμνοπρστω", "bg": "абвгдеиклмнопрст"}
SOURCES = np.array(["custom-tag", "admin", "unknown", "combined-tag", "quality-check"])


def vocabulary(language: str, generator: np.random.Generator) -> pa.Array:
    letters = np.array(list(LETTERS.get(language, "aeioukmnprstlvčšžáé")))
    lengths = generator.integers(2, 11, WORDS)
    return pa.array(["".join(generator.choice(letters, length)) for length in lengths])


def texts(pools: list[pa.Array], geo: np.ndarray, words: int, seeds: np.ndarray) -> pa.Array:
    """(n,) texts of `words` words; equal seeds of one country give equal texts."""
    out = None
    both = pa.chunked_array(pools).combine_chunks()
    for place in range(words):
        # A hash of (seed, place) as the word's rank, skewed as words are.
        mixed = (
            seeds * np.uint64(0x9E3779B97F4A7C15) + np.uint64(place) * np.uint64(0xBF58476D1CE4E5B9)
        ) >> np.uint64(11)
        uniform = mixed.astype(np.float64) / 2**53
        word = both.take(pa.array((WORDS * uniform**3).astype(np.int64) + geo * WORDS))
        out = word if out is None else pc.binary_join_element_wise(out, word, " ")
    return out


def make(name: str, rows: int, seed: int = 0) -> None:
    """Write the dataset `name` under VITRINE_HOME."""
    generator = np.random.default_rng(seed)
    geos = list(LANGUAGE_OF_GEO)
    pools = [vocabulary(language, generator) for language in LANGUAGE_OF_GEO.values()]
    share = np.exp(-np.arange(CLASSES) / 30.0)
    share /= share.sum()
    classes = pa.array([f"category-{number:03d}" for number in range(CLASSES)])
    folder = settings().home / name
    folder.mkdir(parents=True)
    unique = np.uint64(0.7 * rows)
    with pq.ParquetWriter(
        folder / "products.parquet", PRODUCTS, compression="zstd", compression_level=1
    ) as writer:
        for first in range(0, rows, ROWS_AT_ONCE):
            n = min(ROWS_AT_ONCE, rows - first)
            row = np.arange(first, first + n)
            geo = generator.choice(13, n, p=np.arange(13, 0, -1) / 91)
            category = generator.choice(CLASSES, n, p=share)
            source = generator.choice(5, n, p=[0.42, 0.35, 0.2, 0.02, 0.01])
            named = texts(pools, geo, 6, generator.integers(0, unique, n, dtype=np.uint64))
            described = texts(pools, geo, 22, generator.integers(0, unique, n, dtype=np.uint64))
            described = pc.if_else(
                pa.array(generator.random(n) < 0.03), pa.scalar(None, pa.string()), described
            )
            leaf = classes.take(pa.array(category))
            image = pc.cast(pa.array(generator.integers(0, int(3.5 * rows), n)), pa.string())
            columns = {
                "row_id": pa.array(row),
                "item_id": pc.cast(pa.array(row * 3 + 500_000), pa.string()),
                "image_id": image,
                "split": pc.if_else(pa.array(row < 0.895 * rows), "train", "test"),
                "geo": pa.array(geos).take(pa.array(geo)),
                "language": pa.array(list(LANGUAGE_OF_GEO.values())).take(pa.array(geo)),
                "name": named,
                "description": described,
                "category": leaf,
                "category_path": pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32), leaf),
                "category_id": pc.cast(pa.array(category), pa.string()),
                "label_source": pa.array(SOURCES[source]),
                "label_kind": pc.if_else(pa.array((source == 2) | (source == 3)), "machine", "human"),
                "image": image,
                "name_length": pc.cast(pc.utf8_length(named), pa.int32()),
                "description_length": pc.cast(pc.utf8_length(described), pa.int32()),
                "extra": pa.nulls(n, pa.string()),
            }
            writer.write_table(pa.table(columns, schema=PRODUCTS), row_group_size=50_000)
    pq.write_table(PICTURES.empty_table(), folder / "pictures.parquet")
    described_as = {
        "format": 1, "source": "table", "licence": "invented", "created": datetime.now(UTC).isoformat(),
        "pictures": {"archives": [], "root": None}, "name": name, "rows": rows, "rejected": {}, "seconds": 0,
        "splits": {"train": int(np.ceil(0.895 * rows)), "test": rows - int(np.ceil(0.895 * rows))},
        "fingerprint": f"synthetic-{rows}-{seed}", "warnings": [], "categories": CLASSES, "geos": 13,
        "with_picture": rows, "picture_files": 0,
    }  # fmt: skip
    (folder / "dataset.json").write_text(json.dumps(described_as), encoding="utf-8")


if __name__ == "__main__":
    started = time.monotonic()
    make(sys.argv[1], int(sys.argv[2]))
    print(f"{sys.argv[2]} rows in {time.monotonic() - started:.0f} s")
