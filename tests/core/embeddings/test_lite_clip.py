"""The bundled encoder's parts: colours as they are seen, both towers' shapes, and files that are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.demo.looks import COLOURS
from core.embeddings import colours
from core.embeddings.clip import LITE, encoder
from core.embeddings.lite_clip import TOKENIZER, WEIGHTS, LiteClip, LiteConfig, write_config
from core.embeddings.loading import load_encoder
from core.errors import ModelError
from core.training.checkpoints import write_tensors


def thing(colour: tuple[int, int, int], behind: tuple[int, int, int] = (250, 250, 250)) -> torch.Tensor:
    """(1, 3, 64, 64): a square of one colour before an even background."""
    image = np.full((64, 64, 3), behind, np.uint8)
    image[16:48, 16:48] = colour
    return torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255


def test_lab_is_that_of_the_standard() -> None:
    red, white, grey = colours.lab(torch.tensor([[1.0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5]])).numpy()
    np.testing.assert_allclose(red, [53.24, 80.09, 67.2], atol=0.1)
    np.testing.assert_allclose(white, [100, 0, 0], atol=0.05)
    np.testing.assert_allclose(grey, [53.39, 0, 0], atol=0.05)


def test_a_things_colour_is_its_own_and_not_the_backgrounds() -> None:
    for name in ("red", "blue", "green", "black", "yellow"):
        on_white, on_grey = (
            colours.histogram(thing(COLOURS[name], behind)) for behind in ((250, 250, 250), (120, 125, 130))
        )
        wanted = colours.shares(colours.lab(torch.tensor([COLOURS[name]]) / 255))
        for found in (on_white, on_grey):
            assert float(found.sum()) == pytest.approx(1, abs=1e-4)
            assert int(found.argmax()) == int(wanted.argmax())
            assert float((found - wanted).abs().sum()) < 0.35
    white = colours.histogram(thing((250, 250, 250)))  # nothing stands out: it is white
    assert int(white.argmax()) == int(colours.shares(colours.lab(torch.ones(1, 3))).argmax())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of random weights."""
    from trainers.clip import train_tokenizer

    made = tmp_path_factory.mktemp("lite") / "mine"
    made.mkdir()
    train_tokenizer(["red dress", "červené šaty", "синя рокля"] * 9, 300, 12, made)
    config = LiteConfig(size=32, vocabulary=300, width=12, tokens=12)
    write_config(made, config)
    torch.manual_seed(0)
    write_tensors(made / WEIGHTS, LiteClip(config).state_dict(), {})
    return made


def test_both_towers_meet_in_one_space(folder: Path) -> None:
    loaded = load_encoder(encoder(str(folder)), "cpu")
    texts = ["červené šaty", "", "ⵜⵉⴼⵉⵏⴰⵖ 👗", "x" * 100_000, "half \ud800", "a\0b"]
    vectors = loaded.encode_texts(texts)
    assert vectors.shape == (len(texts), loaded.dimensions) and np.isfinite(vectors).all()
    np.testing.assert_allclose(loaded.encode_texts(["ČERVENÉ Šaty"])[0], vectors[0], atol=1e-6)
    pictures = loaded.encode_pictures([Image.new("RGB", (50, 70), each) for each in ("red", "blue")])
    assert pictures.shape == (2, loaded.dimensions)
    np.testing.assert_allclose(np.linalg.norm(pictures, axis=1), 1, atol=1e-5)
    alone = loaded.encode_texts(["a longer text beside it pads the other", "red"])[1]
    np.testing.assert_allclose(alone, loaded.encode_texts(["red"])[0], atol=1e-6)
    assert loaded.reads("red dress") == 9
    long = "dress " * 40
    cut = loaded.reads(long)
    np.testing.assert_allclose(*loaded.encode_texts([long, long[:cut]]), atol=1e-6)
    assert cut < len(long) and loaded.weights == load_encoder(encoder(str(folder)), "cpu").weights


def test_broken_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / LITE).write_text('{"tokens": 12, "unknown": 1}')
    with pytest.raises(ModelError, match="describes no encoder"):
        load_encoder(encoder(str(tmp_path)), "cpu")
    (tmp_path / LITE).write_bytes((folder / LITE).read_bytes())
    (tmp_path / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-8])
    with pytest.raises(ModelError):
        load_encoder(encoder(str(tmp_path)), "cpu")
    (tmp_path / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes())
    with pytest.raises(ModelError, match="tokenizer"):
        load_encoder(encoder(str(tmp_path)), "cpu")
    (tmp_path / TOKENIZER).write_text("{}")
    with pytest.raises(ModelError, match="no tokenizer"):
        load_encoder(encoder(str(tmp_path)), "cpu")
