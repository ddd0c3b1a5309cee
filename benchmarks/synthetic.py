"""A dataset of any size, made of invented words: only its shape is GLAMI-1M's, so that queries cost what they would."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.catalog.build import import_dataset
from core.schema import FROM_SOURCE, LANGUAGE_OF_GEO, PRODUCTS, REJECTED
from core.sources.reading import Batch, Places, Reading, SourceSpec

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
            seeds * np.uint64(0x9E3779B97F4A7C15) + np.uint64(place * 0xBF58476D1CE4E5B9 % 2**64)
        ) >> np.uint64(11)
        uniform = mixed.astype(np.float64) / 2**53
        word = both.take(pa.array((WORDS * uniform**3).astype(np.int64) + geo * WORDS))
        out = word if out is None else pc.binary_join_element_wise(out, word, " ")
    return out


def batches(rows: int, seed: int) -> Iterator[Batch]:
    """Products of GLAMI-1M's shape: 13 countries, 191 classes, five label sources, two splits, some texts repeated."""
    generator = np.random.default_rng(seed)
    geos = list(LANGUAGE_OF_GEO)
    pools = [vocabulary(language, generator) for language in LANGUAGE_OF_GEO.values()]
    share = np.exp(-np.arange(CLASSES) / 30.0)
    share /= share.sum()
    classes = pa.array([f"category-{number:03d}" for number in range(CLASSES)])
    schema = pa.schema([PRODUCTS.field(name) for name in FROM_SOURCE])
    unique = np.uint64(0.7 * rows)
    for first in range(0, rows, ROWS_AT_ONCE):
        n = min(ROWS_AT_ONCE, rows - first)
        row = np.arange(first, first + n)
        geo = generator.choice(13, n, p=np.arange(13, 0, -1) / 91)
        category = generator.choice(CLASSES, n, p=share)
        source = generator.choice(5, n, p=[0.42, 0.35, 0.2, 0.02, 0.01])
        described = texts(pools, geo, 22, generator.integers(0, unique, n, dtype=np.uint64))
        leaf = classes.take(pa.array(category))
        image = pc.cast(pa.array(generator.integers(0, int(3.5 * rows), n)), pa.string())
        columns = {
            "item_id": pc.cast(pa.array(row * 3 + 500_000), pa.string()),
            "image_id": image,
            "split": pc.if_else(pa.array(row < 0.895 * rows), "train", "test"),
            "geo": pa.array(geos).take(pa.array(geo)),
            "language": pa.array(list(LANGUAGE_OF_GEO.values())).take(pa.array(geo)),
            "name": texts(pools, geo, 6, generator.integers(0, unique, n, dtype=np.uint64)),
            "description": pc.if_else(
                pa.array(generator.random(n) < 0.03), pa.scalar(None, pa.string()), described
            ),
            "category": leaf,
            "category_path": pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32), leaf),
            "category_id": pc.cast(pa.array(category), pa.string()),
            "label_source": pa.array(SOURCES[source]),
            "label_kind": pc.if_else(pa.array((source == 2) | (source == 3)), "machine", "human"),
            "image": image,
            "extra": pa.nulls(n, pa.string()),
        }
        yield Batch(pa.table(columns).select(FROM_SOURCE).cast(schema), REJECTED.empty_table())


def make(name: str, rows: int, seed: int = 0) -> None:
    """Build the dataset `name` under VITRINE_HOME as an import does."""
    reading = Reading(batches(rows, seed), Places(), "invented")
    spec = SourceSpec("table", "invented", "", "invented", "", lambda *_: reading)
    with patch("core.catalog.build.source", lambda _: spec):
        import_dataset("table", [], name)


if __name__ == "__main__":
    started = time.monotonic()
    make(sys.argv[1], int(sys.argv[2]))
    print(f"{sys.argv[2]} rows in {time.monotonic() - started:.0f} s")
