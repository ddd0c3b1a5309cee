"""How well an encoder retrieves on a dataset's test split, per language: python -m benchmarks.retrieval demo glami-mini

Prints Markdown. Text to picture: the query is a product's name and description, the gallery every picture of
the test split; own picture counts, and beside it any picture of the same category. Picture to picture: the
gallery is every other picture of the test split, and one of the same category counts. Nouns: the lexicon's usual
word for each drawn kind is the query, in each language; share of the ten nearest that are of that kind.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.embeddings.chunks import product_text
from core.embeddings.clip import Encoder, encoder
from core.embeddings.embed import embed
from core.embeddings.loading import load_encoder
from core.embeddings.store import open_set
from core.settings import go_offline

KS = (1, 5, 10)


def recalls(similarity: NDArray[np.float32], right: NDArray[np.bool_]) -> list[float]:
    """Share of queries with a right answer among their 1, 5 and 10 nearest; ties are broken against it.

    Args:
        similarity, right: (Q, N).
    """
    best = np.where(right, similarity, -np.inf).max(axis=1)
    rank = ((similarity >= best[:, None]) & ~right).sum(axis=1) + 1
    has = right.any(axis=1)
    return [float((has & (rank <= k)).mean()) for k in KS]


def line(*cells: Any) -> str:
    shown = [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells]
    return f"| {' | '.join(shown)} |"


def measure(name: str, coder: Encoder) -> None:
    """One dataset's tables."""
    products = Products.open(name)
    vectors = open_set(products.info, coder.spec.name, coder.weights)
    columns = "row_id, image_id, language, name, description, category"
    frame = products.frame(
        f"SELECT {columns} FROM cohort WHERE image IS NOT NULL ORDER BY row_id", Cohort(name, split=("test",))
    )
    frame = frame[vectors.present[frame.row_id.to_numpy()]].reset_index(drop=True)
    gallery = frame.drop_duplicates("image_id").reset_index(drop=True)
    pictures = np.asarray(vectors.vectors[gallery.row_id.to_numpy()], np.float32)
    texts = [
        product_text(*(part if isinstance(part, str) else None for part in pair))
        for pair in zip(frame.name, frame.description, strict=True)
    ]
    similarity = coder.encode_texts(texts) @ pictures.T
    own = frame.image_id.to_numpy()[:, None] == gallery.image_id.to_numpy()[None]
    kind = frame.category.to_numpy()[:, None] == gallery.category.to_numpy()[None]
    print(f"\n### {name}: {len(frame):,} test products, {len(gallery):,} pictures\n")
    print(line("language", "queries", "R@1", "R@5", "R@10", "kind@1", "kind@5", "kind@10"))
    print(line(*["---"] * 8))
    languages = frame.language.to_numpy()
    for language in [*sorted(set(languages)), "all"]:
        at = np.flatnonzero((languages == language) | (language == "all"))
        print(line(language, len(at), *recalls(similarity[at], own[at]), *recalls(similarity[at], kind[at])))
    chance = kind.mean(axis=1)
    print(
        line(
            "chance",
            "",
            *(k / len(gallery) for k in KS),
            *(float((1 - (1 - chance) ** k).mean()) for k in KS),
        )
    )
    same = gallery.category.to_numpy()[:, None] == gallery.category.to_numpy()[None]
    others = pictures @ pictures.T
    np.fill_diagonal(same, False)
    np.fill_diagonal(others, -np.inf)
    several = same.any(axis=1)
    found = recalls(others[several], same[several])
    print(
        f"\nPicture to picture, same category: R@1 {found[0]:.3f}, R@5 {found[1]:.3f}, R@10 {found[2]:.3f} ({several.sum():,} queries)"
    )


def nouns(name: str, coder: Encoder) -> None:
    """The usual word for each kind as a query, in each language of the lexicon and in Chinese."""
    from core.demo import words
    from trainers.captions import CHINESE, LANGUAGES, _chinese

    products = Products.open(name)
    vectors = open_set(products.info, coder.spec.name, coder.weights)
    frame = products.frame(
        "SELECT row_id, category FROM cohort WHERE split = 'test' AND image IS NOT NULL ORDER BY row_id"
    )
    pictures = np.asarray(vectors.vectors[frame.row_id.to_numpy()], np.float32)
    counts = frame.category.value_counts()
    kinds = [kind for kind in words.lexicon()["en"]["kinds"] if counts.get(kind, 0) >= 5]
    print(f"\n### {name}: the usual word of {len(kinds)} kinds as the query\n")
    print(line("language", "first is right", "share right of the nearest 5"))
    print(line("---", "---", "---"))
    for language in LANGUAGES:
        table = _chinese()["kinds"] if language == CHINESE else words.lexicon()[language]["kinds"]
        queries = [table[kind]["nouns"][0] if language == CHINESE else table[kind][0] for kind in kinds]
        nearest = np.argsort(-(coder.encode_texts(queries) @ pictures.T), axis=1, kind="stable")[:, :5]
        right = frame.category.to_numpy()[nearest] == np.array(kinds)[:, None]
        print(line(language, float(right[:, 0].mean()), float(right.mean())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--encoder", default="clip-tiny")
    arguments = parser.parse_args()
    go_offline()
    coder = load_encoder(encoder(arguments.encoder))
    for name in arguments.datasets:
        embed(name, coder.spec)
        measure(name, coder)
        if (Products.open(name).info.folder / "truth.parquet").exists():
            nouns(name, coder)


if __name__ == "__main__":
    main()
