"""Encoders: what open_clip would have given, and refusals that say why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.embeddings.clip import CONFIG, ENCODERS, WEIGHTS, Preprocessing, encoder
from core.embeddings.loading import load_encoder
from core.errors import ModelError


@pytest.mark.parametrize("mode", ["squash", "shortest", "longest"])
@pytest.mark.parametrize("kind", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(60, 80), (80, 60), (31, 97)])
def test_pixels_are_those_of_open_clip(mode: str, kind: str, size: tuple[int, int]) -> None:
    from open_clip.transform import PreprocessCfg, image_transform_v2

    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))
    transform = image_transform_v2(
        PreprocessCfg(size=32, mean=(0, 0, 0), std=(1, 1, 1), interpolation=kind, resize_mode=mode), False
    )
    theirs = np.asarray(transform(image)).transpose(1, 2, 0) * 255
    ours = Preprocessing(32, 32, mode, kind).pixels(image).astype(np.float32)  # type: ignore[arg-type]
    if mode == "squash":
        np.testing.assert_allclose(ours, theirs, atol=0.6)
    else:  # a pixel more or less at the edge where the ratio is not whole
        assert np.abs(ours - theirs).mean() < 25


def test_vectors_have_length_one_and_texts_of_any_kind_are_read(clip_folder: Path) -> None:
    loaded = load_encoder(encoder(str(clip_folder)), "cpu")
    texts = ["červené šaty", "", "ⵜⵉⴼⵉⵏⴰⵖ 👗", "x" * 100_000, "half a character \ud800", "a\0b", "  \n "]
    vectors = loaded.encode_texts(texts)
    assert vectors.shape == (len(texts), loaded.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    images = [Image.new("RGB", (50, 70), colour) for colour in ("red", "blue")]
    assert loaded.encode_pictures(images).shape == (2, loaded.dimensions)
    assert loaded.encode_pictures([]).shape == (0, loaded.dimensions)
    assert loaded.weights == load_encoder(encoder(str(clip_folder)), "cpu").weights


def test_case_and_diacritics_make_no_difference(clip_folder: Path) -> None:
    loaded = load_encoder(encoder(str(clip_folder)), "cpu")
    first, second = loaded.encode_texts(["ČERVENÉ Šaty", "cervene saty"])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_the_list_is_complete() -> None:
    names = [spec.name for spec in ENCODERS]
    assert len(set(names)) == len(names) and names[0] == "clip-tiny"
    for spec in ENCODERS:
        assert spec.licence and spec.languages and spec.trained_on and spec.size_mb and spec.dimensions


def test_hub_names_are_open_clips() -> None:
    import open_clip

    known = {tuple(pair) for pair in open_clip.list_pretrained()}
    for spec in ENCODERS:
        assert spec.weights != "hub" or (spec.model, spec.tag) in known


def test_an_unknown_encoder_says_what_there_is() -> None:
    with pytest.raises(ModelError, match="Encoders: clip-tiny"):
        encoder("nobody")
    assert encoder("ViT-B-16/openai").name == "ViT-B-16.openai"


def test_weights_that_are_not_here_say_how_to_fetch_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"vitrine weights fetch ViT-B-32 \(licence MIT, 605 MB\)"):
        load_encoder(encoder("ViT-B-32"))


@pytest.mark.parametrize("damage", ["no weights", "cut", "pickle", "config", "other"])
def test_a_broken_folder_is_refused(clip_folder: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(clip_folder, folder)
    if damage == "no weights":
        (folder / WEIGHTS).unlink()
    elif damage == "cut":
        (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:1000])
    elif damage == "pickle":
        (folder / "model.pt").write_bytes(b"\x80\x04")
    elif damage == "config":
        (folder / CONFIG).write_text("{}")
    else:
        described = json.loads((folder / CONFIG).read_text())
        described["model_cfg"]["embed_dim"] = 32
        (folder / CONFIG).write_text(json.dumps(described))
    with pytest.raises(ModelError) as caught:
        load_encoder(encoder(str(folder)), "cpu")
    assert len(str(caught.value)) < 1_000
