"""The generator's trainer: stopped and resumed equals unbroken, padding is white, the paper's preset runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.generation import model
from core.generation.network import PRESETS, narrowed
from core.training.checkpoints import read_tensors
from core.training.loop import TrainConfig
from trainers import generator
from trainers.generator_data import CAPTIONS, Prepared, padded

TINY = narrowed(PRESETS["tiny"], 16)


def data(n: int, size: int, width: int, tokens: int) -> Prepared:
    dice = np.random.default_rng(0)
    masks = dice.random((n * CAPTIONS, tokens)) < 0.7
    return Prepared(
        dice.integers(0, 256, (n, size, size, 3), np.uint8),
        dice.standard_normal((n * CAPTIONS, tokens, width)).astype(np.float16) * masks[..., None],
        masks,
    )


@pytest.mark.parametrize("stage", ["base", "upsampler"])
def test_stopped_and_resumed_equals_unbroken(stage: str, tmp_path: Path) -> None:
    made = data(12, 64, TINY.text_width, TINY.tokens)
    training = TrainConfig(steps=4, batch_size=4, schedule="constant", save_every=100)

    def train(folder: Path, stop_at: int) -> None:
        asked = [0]

        def stop() -> bool:
            asked[0] += 1
            return asked[0] == stop_at

        generator.train_stage(stage, TINY, made, training, folder, stop, True)

    train(tmp_path / "whole", 9)
    train(tmp_path / "parts", 2)
    train(tmp_path / "parts", 9)
    one, other = (
        read_tensors(tmp_path / name / "checkpoint-0000004.safetensors")[0] for name in ("whole", "parts")
    )
    assert one.keys() == other.keys() and any(".average." in name for name in one)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_average_follows_ema_pytorch() -> None:
    net = generator.build(TINY, "base", 0)
    net._after = 1
    start = net.stage.null_pooled.detach().clone()
    torch.nn.init.constant_(net.stage.null_pooled, 1.0)
    net.update(3)  # one update past `after`: decay 1 - 2^(-2/3)
    decay = 1 - 2 ** (-2 / 3)
    torch.testing.assert_close(net.average.null_pooled, decay * start + (1 - decay))


def test_a_picture_is_centred_on_white() -> None:
    found = np.asarray(padded(Image.new("RGB", (228, 298), "red"), 128))
    assert (found[:, :15] == 255).all() and (found[:, 112:] == 255).all()
    assert (found[:, 15:112] == (255, 0, 0)).all()  # 97 pixels wide, as published


def test_the_papers_preset_trains_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same code at a sixteenth of the width: the true width takes minutes on a processor."""
    monkeypatch.setattr(generator, "SHOWN_STEPS", 2)
    config = narrowed(PRESETS["glami-paper"], 8)
    made = data(1, 128, config.text_width, config.tokens)
    training = TrainConfig(steps=1, batch_size=1, optimizer="adam", schedule="constant")
    for name in model.STAGES:
        ended = generator.train_stage(
            name, config, made, training, tmp_path / name, lambda: False, True, samples_every=1
        )
        assert ended["step"] == 1
        size = config.stage(name).size
        assert Image.open(tmp_path / name / "samples" / "0000001.png").size == (size, 2 * size)
