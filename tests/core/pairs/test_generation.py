"""Pairs of datasets: stored, outdated, and every input that cannot have any."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from core.catalog.info import info
from core.catalog.products import Products
from core.commands.app import app
from core.errors import EmbeddingError, PairsError, UsageError, VitrineError
from core.pairs import judging, table
from core.pairs.generation import generate, pairs
from core.pairs.table import COLUMNS, PairSettings
from tests.paired import SETTINGS, make, three, vectors_of


def test_pairs_of_a_dataset_are_stored_and_the_same_again(home: Path, tmp_path: Path):
    image, text = three(120)
    image[5] = text[7] = np.nan
    name = make(tmp_path, image, text, train=100)
    made = pairs(name, SETTINGS)
    counts = made.described.counts
    assert (counts.anchors, counts.left_out, counts.pairs, counts.dropped) == (98, 2, 98, 0)
    assert 5 not in made.row_id and 7 not in made.row_id and made.row_id.max() < 100
    assert set(made.partner) <= set(made.row_id)
    assert (made.image_cluster != made.partner_image_cluster).all()
    assert (made.text_cluster != made.partner_text_cluster).all()
    assert sum(made.described.image_sizes) == sum(made.described.text_sizes) == 98
    assert list(made.described.image_sizes) == sorted(made.described.image_sizes, reverse=True)
    for number, typical in enumerate(made.described.image_typical):
        assert (
            len(typical) == 12 and (made.image_cluster[np.searchsorted(made.row_id, typical)] == number).all()
        )
    np.testing.assert_allclose(made.weight_positive, (1 + made.similarity) / 2, rtol=1e-6)
    np.testing.assert_allclose(made.weight_positive + made.weight_negative, 1, rtol=1e-6)
    hubs = np.bincount(made.partner)
    assert (counts.partners, counts.most_used) == ((hubs > 0).sum(), hubs.max())
    stored = pq.read_table(table.folder_of(info(name), SETTINGS.name) / "pairs.parquet")
    assert stored.schema.equals(COLUMNS) and stored.num_rows == 98

    again = pairs(name, SETTINGS)
    assert again.described.created == made.described.created  # read from the disk
    anew = pairs(name, SETTINGS, again=True)
    assert anew.as_table().equals(made.as_table())
    other = pairs(name, PairSettings(**{**vars(SETTINGS), "seed": 1}))
    assert not other.as_table().equals(made.as_table())
    assert {one.name for one in table.listing(info(name))} == {SETTINGS.name, other.described.name}


def test_the_other_methods(home: Path, tmp_path: Path):
    image, text = three(60)
    name = make(tmp_path, image, text)
    for changed in (
        {"method": "random"},
        {"method": "below", "threshold": 0.2},
        {"replacement": False},
    ):
        made = generate(Products.open(name), PairSettings(**{**vars(SETTINGS), **changed}))
        assert made.described.counts.pairs + made.described.counts.dropped == 60
        assert (made.partner != made.row_id).all()
        if changed.get("threshold"):
            assert (made.similarity[~made.fallback] <= 0.2 + 1e-6).all() and (made.image_cluster == -1).all()


def test_one_picture_of_ten_texts(home: Path, tmp_path: Path):
    image, text = three(200)
    image = np.repeat(image[:20], 10, axis=0)
    name = make(tmp_path, image, text)
    made = pairs(name, SETTINGS)
    assert made.described.counts.same_picture == made.described.counts.same_text == 0
    drawn = pairs(name, PairSettings(**{**vars(SETTINGS), "method": "random"}))
    assert (
        drawn.described.counts.same_picture == (drawn.similarity > 0.9999).sum() > 0
    )  # which the paper allows


def test_outdated_and_broken_pairs_say_what_to_run(home: Path, tmp_path: Path):
    image, text = three(60)
    name = make(tmp_path, image, text)
    with pytest.raises(PairsError, match=r"none yet.*vitrine pairs shop"):
        table.load(info(name), SETTINGS.name)
    pairs(name, SETTINGS)
    folder = table.folder_of(info(name), SETTINGS.name)
    whole = (folder / "pairs.parquet").read_bytes()
    (folder / "pairs.parquet").write_bytes(whole[:200])
    with pytest.raises(PairsError, match="broken"):
        table.load(info(name), SETTINGS.name)
    (folder / "pairs.parquet").write_bytes(whole)
    vectors_of(tmp_path, "texts", text[::-1])
    with pytest.raises(PairsError, match=r"texts were computed again.*--clusters 3"):
        table.load(info(name), SETTINGS.name)
    assert table.listing(info(name)) == []
    pairs(name, SETTINGS)
    described = json.loads((folder / "pairs.json").read_text())
    (folder / "pairs.json").write_text(json.dumps({**described, "fingerprint": "another"}))
    with pytest.raises(PairsError, match="earlier version of the dataset"):
        table.load(info(name), SETTINGS.name)
    encoder = info(name).folder / "embeddings" / "pictures" / "encoder.json"
    encoder.write_text(json.dumps({**json.loads(encoder.read_text()), "fingerprint": "another"}))
    with pytest.raises(EmbeddingError, match="of an earlier version"):
        pairs(name, SETTINGS)
    for broken in ("", "[]", "{}", json.dumps({**described, "settings": {"clusters": "many"}})):
        (folder / "pairs.json").write_text(broken)
        with pytest.raises(PairsError, match="broken"):
            table.load(info(name), SETTINGS.name)


same = np.ones((30, 8))


@pytest.mark.parametrize(
    ("image", "text", "says"),
    [
        (three(9)[0], three(9)[1], "9 products with a picture and a text are fewer than 10 clusters"),
        (same, three(30)[1], "10 clusters of pictures .* only 1 different"),
        (three(30)[0], same, "10 clusters of texts .* only 1 different"),
        (
            three(30)[0],
            np.where(np.arange(30)[:, None] < 1, 1.0, np.nan),
            "30 have a vector of the picture, 1 of the text",
        ),
    ],
    ids=["fewer than clusters", "one picture", "one text", "texts missing"],
)
def test_datasets_without_pairs(home: Path, tmp_path: Path, image, text, says):
    name = make(tmp_path, image, text)
    with pytest.raises(PairsError, match=says):
        pairs(name, PairSettings(**{**vars(SETTINGS), "clusters": 10}))
    assert not (info(name).folder / "pairs" / SETTINGS.name).exists()


def test_no_candidate_at_all(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Two pictures and two texts: with clusters of both, each picture's texts are one cluster, and so are all."""
    image = np.repeat(np.eye(2, 8), 15, axis=0)
    name = make(tmp_path, image, np.roll(image, 1, axis=1))
    made = pairs(name, PairSettings(**{**vars(SETTINGS), "clusters": 2}))
    assert np.isclose(made.similarity, 0).all()  # the other picture has the other text

    from core.pairs import generation

    def one_text(vectors, rows, k, seed, what):
        return (np.zeros if what == "texts" else np.arange)(len(rows)).astype(np.int32) % 2, np.ones(
            (2, vectors.shape[1])
        )

    monkeypatch.setattr(generation, "cluster", one_text)
    with pytest.raises(PairsError, match="all texts are in one cluster"):
        pairs(name, SETTINGS)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"method": "nearest"}, "expected clusters, random, below"),
        ({"method": "below"}, "threshold is None"),
        ({"method": "below", "threshold": float("nan")}, "threshold is nan"),
        ({"threshold": 0.2}, "goes with method below"),
        ({"clusters": 1}, "clusters is 1"),
        ({"seed": -1}, "seed is -1"),
        ({"image_vectors": "../up"}, "cannot name a set"),
        ({"split": "tomorrow"}, "has no split 'tomorrow'"),
        ({"method": "random", "replacement": False}, "method clusters alone"),
        ({"image_vectors": "unknown"}, "has no vectors 'unknown'"),
    ],
)
def test_settings_that_cannot_be(home: Path, tmp_path: Path, changed, says):
    name = make(tmp_path, *three(12))
    with pytest.raises((UsageError, VitrineError), match=says):
        pairs(name, PairSettings(**{**vars(SETTINGS), **changed}))


def test_the_command(home: Path, tmp_path: Path):
    name = make(tmp_path, *three(60))
    options = [
        "pairs",
        name,
        "--image-vectors",
        "pictures",
        "--text-vectors",
        "texts",
        "--clusters",
        "3",
        "--json",
    ]
    planned = json.loads(CliRunner().invoke(app, [*options, "--dry-run"]).output)
    assert (
        not planned["there"] and planned["missing_vectors"] == [] and planned["settings"]["split"] == "train"
    )
    assert not (info(name).folder / "pairs").exists()
    made = json.loads(CliRunner().invoke(app, options).output)
    assert made["name"] == planned["name"] == SETTINGS.name and made["counts"]["pairs"] == 60
    assert Path(made["file"]).is_file() and made["false_negatives"]["rate"] is None
    assert json.loads(CliRunner().invoke(app, [*options, "--dry-run"]).output)["there"]
    text = CliRunner().invoke(
        app, [*options[:-1], "--split", "all", "--method", "below", "--threshold", "0.2"]
    )
    assert "60 incorrect pairs (similarity at most 0.2, pictures, all splits, seed 0)" in text.output


def test_answers_of_people_give_the_rate_of_false_negatives(home: Path, tmp_path: Path):
    name = make(tmp_path, *three(60))
    made = pairs(name, SETTINGS)
    dataset, described = info(name), made.described
    assert judging.rate(made, {}).rate is None
    asked = []
    for answer in ("match", "mismatch", "mismatch", "unsure", "mismatch"):
        place = judging.next_pair(made, judging.judgements(dataset, described))
        asked.append(place)
        judging.judge(dataset, described, made.row_id[place], made.partner[place], answer, "Ana")
    assert asked == judging.order(made)[:5].tolist() and sorted(judging.order(made)) == list(range(60))
    found = judging.rate(made, judging.judgements(dataset, described))
    assert (found.judged, found.matches, found.unsure, found.rate) == (4, 1, 1, 0.25)
    assert (round(found.low, 2), round(found.high, 2)) == (0.05, 0.7)  # Wilson
    with pytest.raises(UsageError):
        judging.judge(dataset, described, 0, 60, "match", "Ana")
    vectors_of(tmp_path, "pictures", three(60, seed=1)[0])
    assert judging.judgements(dataset, pairs(name, SETTINGS).described) == {}  # other pairs: asked anew
