"""The bundled CLIP's trainer: names and texts point where they should, and the regression is one."""

from __future__ import annotations

import csv
import gzip
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.demo.looks import COLOURS, KINDS
from tests.likeness import products
from trainers import clip_lite, lite_space, vocabulary
from trainers.lite_texts import Texts, pointed
from trainers.ridge import RIDGE, ridge
from trainers.vocabulary import Concept

__all__ = ["products"]

NAMES = {"en": "Bananas", "cs": "Banány", "zh-CN": "香蕉"}


def taxonomy(folder: Path) -> Path:
    path = folder / "names.csv.gz"
    rows = [
        {"id": "1", **{key: f"Food > {name}" for key, name in NAMES.items()}},
        {"id": "2", **{key: f"Services > {name} x" for key, name in NAMES.items()}},
        {"id": "3", **dict.fromkeys(NAMES, "Food > Xylophagous")},
    ]
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def taught(texts: list[str], kept: Path | None = None) -> np.ndarray:
    """Stands for the teacher: texts that begin with the same five letters mean the same."""
    made = [np.random.default_rng(list(text[:5].lower().encode())).standard_normal(24) for text in texts]
    return vocabulary.unit(np.array(made))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the packages that training alone needs."""
    weight = torch.randn(1_000, 1_280, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(lite_space, "published", lambda head: {"classifier.weight": weight})
    monkeypatch.setattr(vocabulary, "teach", taught)
    tiny = clip_lite.PRESETS["tiny"]
    config = replace(tiny.config, vocabulary=600, width=16)
    monkeypatch.setitem(clip_lite.PRESETS, "tiny", replace(tiny, config=config, texts=600, iterations=8))
    monkeypatch.setattr(clip_lite, "CORPUS", 200)


def test_anchors_are_of_the_lexicon_and_of_imagenet() -> None:
    known = vocabulary.anchors()
    assert set(known["kinds"]) == set(KINDS) and set(known["english"]) <= set(KINDS)
    numbers = [int(key) for mixture in known["kinds"].values() for key in mixture if key != "photo"]
    numbers += [int(key) for other in known["other"] for key in other["classes"]]
    assert all(0 <= number < vocabulary.CLASSES for number in numbers)
    assert vocabulary.imagenet_names()[610][0] == "jersey"  # what the numbers of anchors.toml count from


def test_names_in_every_language_point_where_the_english_one_does(quick: None, tmp_path: Path) -> None:
    paths = vocabulary.read_taxonomy(taxonomy(tmp_path))
    assert [path["en"] for path in paths] == ["Food > Bananas", "Food > Xylophagous"]
    classes = vocabulary.unit(np.random.default_rng(0).standard_normal((1_000, 8)))
    found = vocabulary.concepts(paths, classes, {"dress": classes[0]}, {})
    leaves = [concept for concept in found if concept.paths]
    assert [concept.names["cs"] for concept in leaves] == [["Banány"]]  # what nothing is near to is left out
    np.testing.assert_allclose(leaves[0].target, classes[954], atol=1e-3)  # ImageNet's banana


def test_texts_point_at_what_they_say() -> None:
    axes = np.eye(3, dtype=np.float32)
    coloured = {name: row for name, row in zip(COLOURS, np.eye(47, dtype=np.float32), strict=False)}
    coloured |= {name: np.eye(47, dtype=np.float32)[40] for name in lite_space.MORE_COLOURS}
    dresses = Concept(vocabulary.nouns("womens-dresses"), axes[0])
    texts = Texts({"womens-dresses": dresses}, [], [], [], coloured, {"stripes": axes[1]})
    rng = random.Random(0)
    found = [texts._worn(rng) for _ in range(400)]
    assert all(each.meaning is dresses.target for each in found)
    assert any(each.colour is not None for each in found) and any(each.extra is not None for each in found)
    plainly = ("red", "black", "white", "yellow", "green", "purple")  # no longer name of a colour begins so
    named = [(word, each) for each in found if (word := each.text.split()[0]) in plainly]
    assert named and all(each.colour is coloured[word] for word, each in named)
    targets = pointed(found, 0.8, 0.25)
    plain = next(row for row, each in enumerate(found) if each.colour is None and each.extra is None)
    assert targets[plain].argmax() == 0 and not targets[plain, 3:].any()


def test_a_regression_finds_what_pieces_mean() -> None:
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(0)
    counts = csr_matrix((rng.random((400, 30)) < 0.2).astype(np.float32))
    meant = rng.standard_normal((30, 5)).astype(np.float32)
    solved = ridge(counts, counts @ meant, 40)
    exact = np.linalg.solve((counts.T @ counts).toarray() + RIDGE * np.eye(30), (counts.T @ (counts @ meant)))
    np.testing.assert_allclose(solved, exact, atol=2e-3)


def test_stretching_keeps_what_is_near_to_a_word() -> None:
    rng = np.random.default_rng(0)
    axes, kinds = np.eye(6, dtype=np.float32), vocabulary.unit(rng.standard_normal((2, 6)))
    space = lite_space.Space(np.zeros(6, np.float32), axes, np.zeros(47, np.float32), kinds)
    longer, turn = lite_space.stretched(space, kinds)
    roots = rng.standard_normal((50, 6)).astype(np.float32)
    word = vocabulary.unit(rng.standard_normal(6))
    before, after = roots @ axes.T @ word, roots @ longer.axes.T @ (word @ turn)
    np.testing.assert_allclose(before, after, atol=1e-4)
    along = np.linalg.norm(kinds @ longer.axes.T, axis=1)
    np.testing.assert_allclose(along, 1 + lite_space.GAIN, atol=1e-4)
