"""What a person can choose is what the trainers have."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainers import presets
from trainers.presets import MODULES, choices


def test_every_preset_can_be_chosen_under_a_title_and_a_size() -> None:
    found = choices()
    assert {(choice.trainer, choice.preset) for choice in found} == {
        (trainer, preset) for trainer, module in MODULES.items() for preset in module.PRESETS
    }
    labels = [(choice.title, choice.size) for choice in found]
    assert len(set(labels)) == len(labels), "two presets look alike"
    titles = {choice.title for choice in found}
    assert titles >= {
        "EmbraceNet", "Tensor fusion (TFN)", "Low-rank fusion (LMF)", "LSTM", "BiLSTM", "Residual network",
        "ResNeXt-50", "VGG-19", "Inception v3", "TF-IDF, logistic regression",
    }  # fmt: skip


def test_published_weights_come_with_the_command_that_fetches_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(presets, "_in_cache", lambda name: tmp_path if "resnext" in name else None)
    glami = next(choice for choice in choices() if choice.preset == "glami-paper")
    assert glami.size == "As published (GLAMI-1M)" and glami.inputs == ("text", "image")
    text, image = glami.weights
    assert (text.command, text.found) == ("hf download google/mt5-small", None)
    assert (image.modality, image.found) == ("image", tmp_path)
