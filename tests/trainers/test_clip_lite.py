"""The trainer of the bundled CLIP: few steps on few pictures, and what it stands on."""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.catalog.products import Products
from core.embeddings.clip import encoder
from core.embeddings.loading import load_encoder
from core.embeddings.pixels import PixelCache
from tests.likeness import products
from trainers import clip_lite, vocabulary
from trainers.clip_lite import lab, targets

__all__ = ["products"]


def taxonomy(folder: Path, names: int = 40) -> Path:
    path = folder / "taxonomy.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("id,en,cs\n" + "".join(f"{n},All > Thing {n},Vše > Věc {n}\n" for n in range(names)))
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network's last layer and the teacher are made up: their packages are no part of Vitrine."""
    generator = torch.Generator().manual_seed(0)
    last = {
        "classifier.weight": torch.randn(1_000, 1_280, generator=generator) / 30,
        "classifier.bias": torch.zeros(1_000),
    }
    monkeypatch.setattr(vocabulary, "published", lambda head: last)
    monkeypatch.setattr(
        vocabulary,
        "teach",
        lambda texts, kept: np.random.default_rng(0).normal(size=(len(texts), 8)).astype(np.float32),
    )
    tiny = clip_lite.PRESETS["tiny"]
    training = replace(tiny.training, steps=4, batch_size=16, save_every=2, validate_every=0, precision="no")
    preset = replace(
        tiny, width=16, heads=2, tokens=8, vocabulary=400, embedding=16, views=2, imagined=4, named=8, training=training
    )  # fmt: skip
    monkeypatch.setattr(clip_lite, "CAPTIONS", 400)
    monkeypatch.setitem(clip_lite.PRESETS, "tiny", preset)


def test_it_trains_what_the_app_can_open(
    products: Products,
    small: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    arguments = [
        "--photos",
        "shop",
        "--taxonomy",
        str(taxonomy(tmp_path)),
        "--out",
        str(out),
        "--cpu",
        "--workers",
        "1",
    ]
    monkeypatch.setattr(sys, "argv", ["clip_lite", *arguments])
    clip_lite.main()
    assert json.loads(capsys.readouterr().out)["step"] == 4
    loaded = load_encoder(encoder(str(out / "model")), "cpu")
    assert loaded.encode_texts(["šaty", "Věc 3"]).shape == (2, 16)
    assert "tench" in loaded.spec.seen().classes  # type: ignore[union-attr]
    with pytest.raises(SystemExit, match="--resume"):
        clip_lite.main()
    # the network itself was not trained, and a colour is read off the middle of a picture
    from trainers.imagenet import bundled

    trunk = {f"visual.trunk.{name}": tensor for name, tensor in bundled().items()}
    from core.training.checkpoints import read_tensors

    written, _ = read_tensors(out / "model" / "open_clip_model.safetensors")
    assert all(bool((written[name].float() == tensor).all()) for name, tensor in trunk.items())
    pixels = PixelCache(products.info, 176, 176)
    rows = {clip_lite.colour_of(pixels, row) for row in np.flatnonzero(pixels.state == 1).tolist()}
    assert rows <= {*clip_lite.COLOURS, ""} and "red" in rows


def test_colours_are_cielabs() -> None:
    found = lab(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0]], np.float32))
    np.testing.assert_allclose(found, [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.2]], atol=0.1)


def test_a_caption_pulls_its_own_picture_most_and_its_kind_a_little() -> None:
    pull, compared = targets(["dress", "dress", "womens-dresses", "unknown 3"])
    np.testing.assert_allclose(pull.sum(1), 1, atol=1e-6)
    assert pull[0, 0] > pull[0, 1] > 0 and pull[0, 2] == pull[0, 3] == 0
    assert compared[0, 1] and not compared[0, 2] and compared[0, 3]  # a drawn dress may be called a dress


def test_a_taxonomy_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.csv.gz"
    path.write_bytes(b"not gzip")
    with pytest.raises(vocabulary.TrainingError, match="no table of category paths"):
        vocabulary.read_taxonomy(path)
    assert vocabulary.read_taxonomy(taxonomy(tmp_path))[3] == ["Thing 3", "Věc 3"]
