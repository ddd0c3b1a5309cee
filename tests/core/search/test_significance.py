"""Random pairs say what a cosine means: planted clusters are found, noise is nothing, and it is stored with the vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.catalog.products import Products
from core.embeddings.imported import import_vectors
from core.embeddings.store import open_set
from core.search.query import NOTHING_FOUND, Part, Searcher
from core.search.significance import (
    FILE,
    NOTHING,
    SHARES,
    RandomPairs,
    in_words,
    is_nothing,
    limits,
    own_pairs,
    random_pairs,
)


def test_shares_are_those_of_the_sample() -> None:
    cosines = np.random.default_rng(0).normal(0.3, 0.1, 200_000)
    pairs = RandomPairs("", "", limits(cosines))
    for cosine in (0.2, 0.3, 0.42, 0.55):
        assert pairs.share(cosine, "own") == pytest.approx(float((cosines >= cosine).mean()), rel=0.1)
    assert pairs.share(-1, "own") == 1 and pairs.share(1, "own") == pytest.approx(SHARES[-1])
    assert pairs.share(0.3, "texts") is None and in_words(None) == ""
    assert (
        in_words(pairs.share(0.4, "own")) == NOTHING and in_words(pairs.share(0.9, "own")) == "very similar"
    )
    assert is_nothing([0.05]) and not is_nothing([0.049, 0.9])


def planted(products: Products, folder: Path) -> None:
    """Noise of 64 numbers; rows 0 and 1 are the same thing, 2 is unlike all."""
    vectors = np.random.default_rng(0).standard_normal((60, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[1] = vectors[0] + 0.3 * vectors[1]
    lone = np.linalg.svd(np.delete(vectors, 2, axis=0))[2][-1]  # away from all others
    vectors[2] = lone
    np.save(folder / "v.npy", vectors)
    import_vectors(products, folder / "v.npy", "mine")


def test_a_search_says_nothing_like_it(products: Products, tmp_path: Path) -> None:
    planted(products, tmp_path)
    searcher = Searcher(products, "mine")
    found = searcher.search([Part("product", row=0)], 12)
    assert found.hits[0].row_id == 1 and found.hits[0].likeness == "very similar"
    assert not found.hits[0].nothing and NOTHING_FOUND not in found.notes
    alone = searcher.search([Part("product", row=2)], 12)
    assert all(hit.nothing and hit.likeness == NOTHING for hit in alone.hits[:10])
    assert NOTHING_FOUND in alone.notes
    both = searcher.search([Part("product", row=2), Part("product", row=0, weight=-1)], 12)
    assert all(hit.chances[1] is None for hit in both.hits)  # what is not wanted makes nothing alike


def test_they_lie_beside_the_vectors(products: Products, tmp_path: Path) -> None:
    planted(products, tmp_path)
    found = open_set(products.info, "mine")
    first = random_pairs(found, products)
    told = json.loads((found.folder / FILE).read_text())
    assert tuple(told["own"]) == first.own == own_pairs(found)
    (found.folder / FILE).write_text('{"weights": "", "own": [1, 2]}')  # damaged: drawn again
    assert random_pairs(found, products) == first
    (found.folder / FILE).write_text(
        json.dumps(told | {"created": "before"})
    )  # of vectors that were replaced
    assert random_pairs(found, products) == first


def test_names_and_pictures(products: Products, clip_folder: Path) -> None:
    from core.embeddings.clip import encoder
    from core.embeddings.embed import embed

    embed("shop", encoder(str(clip_folder)), workers=1, device="cpu")
    searcher = Searcher(products)
    hit = searcher.search([Part("text", "šaty")], 5).hits[0]
    pairs = searcher.random_pairs()
    assert pairs.texts is not None and pairs.own is not None
    assert hit.chances == (pairs.share(hit.score, "texts"),)
    by_words = searcher.search([Part("text", "zelena mikina")], 60, how="both")
    assert not any(hit.nothing for hit in by_words.hits if "words" in hit.by)
