"""Searching by parts: sums equal brute force, negatives push away, fused lists hold both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.catalog.products import Products
from core.embeddings.clip import encoder
from core.embeddings.embed import embed
from core.embeddings.imported import import_vectors
from core.embeddings.loading import load_encoder
from core.errors import EmbeddingError, ImageError, UsageError
from core.search.query import Part, Searcher, fuse
from tests.likeness import picture

ABSENT = {0, 5, 10, 20, 40, 50}


@pytest.fixture
def searcher(products: Products, clip_folder: Path) -> Searcher:
    embed("shop", encoder(str(clip_folder)), workers=1, device="cpu")
    return Searcher(products)


def test_one_part_is_a_cosine(searcher: Searcher) -> None:
    answer = searcher.search([Part("image", image=picture("red"))], 60)
    assert len(answer.hits) == 54 and not {hit.row_id for hit in answer.hits} & ABSENT
    query = searcher.vectors([Part("image", image=picture("red"))])[0]
    scores = searcher.index.set.vectors.astype(np.float32) @ query
    rows = [hit.row_id for hit in answer.hits]
    np.testing.assert_allclose([hit.score for hit in answer.hits], scores[rows], atol=1e-5)
    assert answer.hits[0].similarities[0] == pytest.approx(answer.hits[0].score, abs=1e-3)


def test_weighted_parts_equal_brute_force(searcher: Searcher) -> None:
    parts = [
        Part("text", "červené šaty", weight=2),
        Part("image", image=picture("blue")),
        Part("text", "mikina", weight=-0.5),
    ]
    mask = np.arange(60) % 2 == 0
    answer = searcher.search(parts, 100, mask)
    similar = searcher.index.set.vectors.astype(np.float32) @ searcher.vectors(parts).T  # (n, 3)
    there = similar[searcher.index.set.present]
    weights = np.array([2, 1, -0.5])
    wanted = ((similar - there.mean(axis=0)) / there.std(axis=0) * weights).sum(axis=1) / 3.5
    rows = [row for row in np.argsort(-wanted, kind="stable") if mask[row] and row not in ABSENT]
    np.testing.assert_allclose([hit.score for hit in answer.hits], wanted[rows], atol=1e-3)


def test_a_product_finds_others(searcher: Searcher) -> None:
    answer = searcher.search([Part("product", row=30)], 5)
    assert 30 not in [hit.row_id for hit in answer.hits]
    assert answer.hits[0].row_id == 33  # the same picture


def test_taking_away_pushes_down(searcher: Searcher) -> None:
    liked, away = Part("image", image=picture("red")), Part("image", image=picture("blue"), weight=-2)
    before = [hit.row_id for hit in searcher.search([liked], 54).hits]
    after = [hit.row_id for hit in searcher.search([liked, away], 54).hits]
    nearest = searcher.search([Part("image", image=picture("blue"))], 10).hits
    assert np.mean([after.index(hit.row_id) for hit in nearest]) > np.mean(
        [before.index(hit.row_id) for hit in nearest]
    )


def test_both_holds_what_either_finds(searcher: Searcher) -> None:
    answer = searcher.search([Part("text", "červené šaty")], 60, how="both")
    by = {hit.row_id: hit.by for hit in answer.hits}
    assert by[0] == ("words",)  # it has no picture
    assert by[3] == ("likeness", "words") and by[1] == ("likeness",)
    assert next(iter(fuse([1, 2, 3], [3, 1])))[0] == 1


def test_words_alone_need_no_vectors(products: Products) -> None:
    hits = Searcher(products).search([Part("text", "zelena mikina")], 60, how="words").hits
    assert hits and all(hit.by == ("words",) for hit in hits)


def test_without_vectors_it_says_what_to_run(products: Products) -> None:
    with pytest.raises(EmbeddingError, match="vitrine embed shop --encoder clip-tiny"):
        Searcher(products).search([Part("text", "x")])


@pytest.mark.parametrize("parts", [[], [Part("text", "  ")], [Part("text", "x", weight=-1)]])
def test_nothing_to_look_for_is_said(searcher: Searcher, parts: list[Part]) -> None:
    with pytest.raises(UsageError, match="The query is empty"):
        searcher.search(parts)


def test_odd_queries(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("x" * 100_000, "ⵜⵉⴼⵉⵏⴰⵖ", "\ud800", "'; DROP TABLE"):
        assert searcher.search([Part("text", text)], 5, how="both").hits
    spec = replace(searcher.encoder().spec, scripts=("LATIN",))
    monkeypatch.setattr(searcher.encoder(), "spec", spec)
    assert "not trained on Tifinagh letters" in searcher.search([Part("text", "ⵜⵉⴼⵉⵏⴰⵖ")]).notes[0]
    assert not any("not trained" in note for note in searcher.search([Part("text", "šaty ⵜ 12, 👗")]).notes)
    with pytest.raises(ImageError):
        searcher.search([Part("image", image=b"no picture")])
    with pytest.raises(EmbeddingError, match="has no vector"):
        searcher.search([Part("product", row=5)])
    with pytest.raises(UsageError):
        searcher.search([Part("text", "x")] * 13)
    for weight in (0.0, float("nan"), 11.0):
        with pytest.raises(UsageError):
            Part("text", "x", weight=weight)


def test_a_filter_that_leaves_nothing_or_few(searcher: Searcher) -> None:
    none = searcher.search([Part("text", "x")], 5, np.zeros(60, bool), "both")
    assert none.hits == [] and none.allowed == 0
    assert len(searcher.search([Part("text", "x")], 5, np.arange(60) == 1).hits) == 1


def test_imported_vectors_take_products_only(products: Products, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32))
    import_vectors(products, tmp_path / "v.npy", "mine")
    searcher = Searcher(products)
    assert searcher.name == "mine" and len(searcher.search([Part("product", row=0)], 5).hits) == 5
    with pytest.raises(EmbeddingError, match="were imported"):
        searcher.search([Part("text", "x")])


def test_other_weights_are_noticed(searcher: Searcher, clip_folder: Path) -> None:
    from tests.likeness import write_clip

    other = write_clip(searcher.products.info.folder.parent.parent / "other" / "toy-clip", seed=1)
    changed = Searcher(searcher.products, load=lambda name: load_encoder(encoder(str(other)), "cpu"))
    with pytest.raises(EmbeddingError, match="other weights"):
        changed.search([Part("text", "x")])
