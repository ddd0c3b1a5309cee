"""The CLIP's trainer: stopped and resumed equals unbroken, and open_clip opens what it writes."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.catalog.products import Products
from core.demo.looks import KINDS, Look
from core.embeddings.clip import encoder
from core.embeddings.loading import load_encoder
from core.training.checkpoints import read_tensors
from tests.likeness import products
from trainers import clip
from trainers.captions import KINDS_OF_CATEGORY, LANGUAGES, Subject, caption, query

__all__ = ["products"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = clip.PRESETS["tiny"]
    training = replace(tiny.training, steps=4, batch_size=16, save_every=2, precision="no")
    preset = replace(
        tiny, image_px=32, stored_px=32, trunk="test_resnet", width=16, heads=2, layers=1, tokens=8,
        vocabulary=400, embedding=16, training=training,
    )  # fmt: skip
    monkeypatch.setitem(clip.PRESETS, "tiny", preset)
    monkeypatch.setattr(clip, "CORPUS", 200)


def train(out: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    arguments = ["clip", "--dataset", "shop", "--out", str(out), "--cpu", "--workers", "1", *more]
    monkeypatch.setattr(sys, "argv", arguments)
    clip.main()


def test_stopped_and_resumed_equals_unbroken(
    products: Products, small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path / "whole", monkeypatch)
    steps = [0]

    def fit_two(*given: object, **named: object) -> object:
        def stop() -> bool:
            steps[0] += 1
            return steps[0] == 2

        return real(*given, **{**named, "stop": stop})  # type: ignore[arg-type]

    real = clip.fit
    monkeypatch.setattr(clip, "fit", fit_two)
    train(tmp_path / "broken", monkeypatch)
    monkeypatch.setattr(clip, "fit", real)
    train(tmp_path / "broken", monkeypatch, "--resume")
    first, _ = read_tensors(tmp_path / "whole" / "model" / clip.WEIGHTS)
    second, _ = read_tensors(tmp_path / "broken" / "model" / clip.WEIGHTS)
    assert all(bool((first[name] == second[name]).all()) for name in first)
    loaded = load_encoder(encoder(str(tmp_path / "broken" / "model")), "cpu")
    assert loaded.encode_texts(["šaty"]).shape == (1, 16)
    with pytest.raises(SystemExit, match="--resume"):
        train(tmp_path / "whole", monkeypatch)


def test_captions_of_every_kind_in_every_language() -> None:
    rng = random.Random(0)
    for kind, options in KINDS.items():
        look = Look(kind, options.colours[0], options.patterns[-1], options.materials[0], 0)
        for language in LANGUAGES:
            assert query(look, language, rng).strip()
        assert all(caption(Subject("Jméno", None, look=look), rng) for _ in range(20))
    assert caption(Subject(None, None, "dress"), rng)
    assert {kind for kinds in KINDS_OF_CATEGORY.values() for kind in kinds} <= set(KINDS)


def test_unknown_options_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no dataset named"):
        train(tmp_path / "x", monkeypatch)
