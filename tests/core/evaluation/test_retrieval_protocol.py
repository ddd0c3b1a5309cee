"""The protocols of retrieval against ranks counted by hand, and `evaluate --protocol pairs` on real files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.catalog.products import Products
from core.commands.app import app
from core.errors import UsageError, VitrineError
from core.evaluation.published_retrieval import AMAZON, CITED
from core.evaluation.retrieval import kept
from core.evaluation.retrieval_protocol import (
    Held,
    by_language,
    compare,
    draw_trials,
    gallery_figures,
    same_category,
    spread_figures,
    trial_ranks,
)
from core.measures.ranks import own_ranks, rank_figures, sign_flip
from tests.likeness import products

__all__ = ["products"]


def held(n: int, shared: int = 0) -> Held:
    """n products whose texts point at their own pictures; the last `shared` show the first one's picture."""
    rng = np.random.default_rng(1)
    images = rng.standard_normal((n, 8)).astype(np.float32)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    picture = np.arange(n)
    if shared:
        picture[-shared:], images[-shared:] = 0, images[0]
    language = np.array(["cs", None], object)[np.arange(n) % 2]
    return Held(np.arange(n), picture, np.arange(n) % 2, language, images.copy(), images)


def test_ranks_count_ties_against_the_own_item() -> None:
    similarity = np.array([[0.9, 0.1, 0.9], [0.2, 0.8, 0.1], [0.5, 0.6, 0.4]])
    ranks = own_ranks(similarity, np.arange(3))
    assert ranks.tolist() == [2, 1, 3]
    assert rank_figures(ranks) == {
        "rank1": 1 / 3,
        "rank5": 1.0,
        "rank10": 1.0,
        "map": pytest.approx((1 / 2 + 1 + 1 / 3) / 3),
    }
    assert own_ranks(np.ones((1, 4)), np.array([2])).tolist() == [4]  # all vectors equal: the collapse of 2a
    with pytest.raises(ValueError, match="not a number"):
        own_ranks(np.array([[np.nan]]), np.array([0]))


def test_trials_are_the_same_for_everyone_and_never_show_a_picture_twice() -> None:
    there = held(40, shared=10)
    trials = draw_trials(there.picture, items=30, trials=20, seed=5)
    assert np.array_equal(trials, draw_trials(there.picture, 30, 20, 5))
    assert all(len(set(there.picture[trial])) == 30 for trial in trials)
    assert (
        len({int(trial[there.picture[trial] == 0][0]) for trial in trials}) > 3
    )  # one of its products, drawn
    figures = spread_figures(trial_ranks(there, trials))
    assert figures["rank1"] == 1.0 and figures["deviation"]["map"] == 0.0
    assert gallery_figures(there) == {
        **dict.fromkeys(("recall1", "recall5", "recall10", "recall50", "map", "median"), 1.0),
        "pictures": 30,
    }
    with pytest.raises(UsageError, match=r"has 30\. Give fewer"):
        draw_trials(there.picture, items=31)


def test_the_same_category_is_harder_and_languages_share_the_pictures() -> None:
    there = held(60)
    rng = np.random.default_rng(2)
    hint = np.where(there.category[:, None] == 0, 3.0, -3.0) * np.eye(
        1, 8
    )  # texts that tell the category alone
    texts = (hint + 0.1 * rng.standard_normal((60, 8))).astype(np.float32)
    images = (hint + 0.1 * rng.standard_normal((60, 8))).astype(np.float32)
    told = Held(there.row_id, there.picture, there.category, there.language, texts, images)
    own = same_category(told, others=20)
    assert own is not None and (own["queries"], own["candidates"], own["full"]) == (60, 21.0, 60)
    trials = draw_trials(told.picture, 21, 50)
    ranks = trial_ranks(told, trials)
    assert own["map"] < spread_figures(ranks)["map"]
    assert same_category(told, others=100)["candidates"] == 30.0  # type: ignore[index] - all that there are
    alone = Held(told.row_id, told.picture, np.arange(60), told.language, texts, images)
    assert same_category(alone) is None
    spoken = by_language(told, trials, ranks)
    assert set(spoken) == {"cs", "unknown"} and sum(one["queries"] for one in spoken.values()) == 50 * 21


def test_pairs_of_encoders_are_told_from_chance() -> None:
    rng = np.random.default_rng(0)
    trials = draw_trials(np.arange(200), 50, 40)
    worse = rng.integers(1, 20, trials.shape)
    better = np.maximum(1, worse - 1)
    told = compare(trials, better, worse, 200)["map"]
    assert told["difference"] > 0 and told["better"] == 1.0
    assert told["p_trials"] == told["p_products"] == 1e-4 and told["interval"][0] > 0
    same = compare(trials, worse, worse, 200)["map"]
    assert (same["difference"], same["p_trials"], same["p_products"]) == (0.0, 1.0, 1.0)
    exact = sign_flip(np.array([1.0, 2.0, 3.0]))  # 2 of the 8 signs are as far from 0
    assert exact == pytest.approx(0.25, abs=0.02)


def test_evaluate_by_the_protocol_of_pairs(products: Products, clip_folder: Path) -> None:
    few = ("--items", "5", "--trials", "4", "--dataset", "shop")
    asked = ["evaluate", str(clip_folder), "--protocol", "pairs", "--against", "clip-tiny", *few]
    result = CliRunner().invoke(app, [*asked, "--keep", "--json"])
    assert result.exit_code == 0, (result.output, result.exception)
    report = json.loads(result.stdout)
    assert (report["n"], report["trials"], report["items"]) == (25, 4, 5)  # 30 of test, 5 without a picture
    assert report["left_out"] == {"no picture that can be opened": 5}
    assert set(report["hundred"]["deviation"]) == {"rank1", "rank5", "rank10", "map"}
    assert report["against"][0]["run"] == "clip-tiny" and 0 < report["against"][0]["map"]["p_products"] <= 1
    amazon = {row["variant"]: row["figures"] for row in report["cited"] if row["data"] == AMAZON}
    assert amazon["ours"] == {"rank1": 0.72, "rank5": 0.84, "rank10": 0.9, "map": 0.78}
    assert amazon[""] == {"rank1": 0.237, "rank5": 0.494, "rank10": 0.616} and len(CITED) == 18
    assert {one["encoder"] for one in kept(products.info)} == {"toy-clip", "clip-tiny"}
    text = CliRunner().invoke(app, asked).output
    assert "measured here" in text and "(7) EI-CLIP" in text
    for wrong, said in (
        (("--protocol", "magic"), "classes or pairs"),
        (("--protocol", "pairs", "--items", "40"), "Give fewer"),
        (("--protocol", "pairs", "--split", "validation"), "validation split"),
    ):
        failed = CliRunner().invoke(app, ["evaluate", str(clip_folder), "--dataset", "shop", *wrong])
        assert isinstance(failed.exception, VitrineError) and said in str(failed.exception)
