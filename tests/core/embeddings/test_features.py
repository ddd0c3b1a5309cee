"""Features of a frozen text encoder: computed once, mapped, the same as computed at every step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.catalog.products import Products
from core.embeddings import features
from core.embeddings.features import key_of, open_features, text_features
from core.embeddings.store import sets
from core.errors import EmbeddingError, StorageError
from core.evaluation.evaluate import evaluate, split_data
from core.models.classifier import Classifier
from core.training.checkpoints import read_tensors
from tests.toy import TOY, import_toy, train_toy
from trainers.recipe import Recipe

FROZEN = replace(
    TOY,
    model=replace(TOY.model, text=replace(TOY.model.text, frozen=True), image=None),
    augment=False,
)


@pytest.fixture
def toy(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(features, "CHUNK", 16)
    import_toy(tmp_path)
    return home


def train(out: Path, *arguments: str, recipe: Recipe = FROZEN) -> dict[str, object]:
    return train_toy(out, "--steps", "6", *arguments, recipe=recipe)


def test_computed_once_it_trains_and_judges_as_computed_at_every_step(toy: Path) -> None:
    train(toy / "runs" / "mapped")
    folders = sorted((toy / "toy" / "features").glob("text-*"))
    assert len(folders) == 1 and not sets(Products.open("toy").info)  # nothing that can be searched
    mapped = evaluate("mapped")
    train(toy / "runs" / "anew", "--no-text-features")
    one, _ = read_tensors(toy / "runs" / "mapped" / "model.safetensors")
    two, _ = read_tensors(toy / "runs" / "anew" / "model.safetensors")
    for name in one:
        same = torch.equal if name.startswith("text.") else lambda a, b: torch.allclose(a, b, atol=2e-3)
        assert same(one[name], two[name]), name  # float16 of the features is all that differs
    assert evaluate("anew")["top1"] == pytest.approx(mapped["top1"], abs=0.05)

    classifier = Classifier.load(toy / "runs" / "mapped")
    data = split_data(classifier, "toy", "test")
    inputs = data.inputs(np.arange(8))
    assert inputs.text_vectors is not None and inputs.text_vectors.dtype == torch.float16
    with torch.inference_mode():
        by_map = classifier.network.features(inputs)[0]
        by_step = classifier.network.features(replace(inputs, text_vectors=None))[0]
    assert torch.allclose(by_map, by_step, atol=2e-3) and bool(by_step.abs().sum() > 0)


def test_killed_halfway_it_goes_on(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(toy / "runs" / "a", "--no-text-features")
    classifier = Classifier.load(toy / "runs" / "a")
    products, tokenizer = Products.open("toy"), classifier.input_config.tokenizer
    assert tokenizer is not None
    encoder, key = (
        classifier.network.text,
        key_of(classifier.network.text, toy / "runs" / "a" / "tokenizer.json"),
    )
    real, calls = features.encoded, [0]

    def dies(*given: object) -> np.ndarray:
        calls[0] += 1
        if calls[0] == 4:
            raise KeyboardInterrupt
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(features, "encoded", dies)
    with pytest.raises(KeyboardInterrupt):
        text_features(products, encoder, tokenizer, key)
    assert open_features(products, key) is None  # what is half-made is never read
    calls[0] = 100
    found = text_features(products, encoder, tokenizer, key)
    assert calls[0] == 103  # of six chunks three were there
    monkeypatch.setattr(features, "encoded", real)
    texts = features.texts_of(products, np.arange(len(products)))
    assert np.allclose(found, real(encoder, tokenizer, texts), atol=2e-3)
    assert not found[[row for row, text in enumerate(texts) if not text]].any()
    assert text_features(products, encoder, tokenizer, key) is not None
    assert calls[0] == 103


def test_other_weights_have_another_name(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(toy / "runs" / "a", "--no-text-features")
    classifier = Classifier.load(toy / "runs" / "a")
    encoder, file = classifier.network.text, toy / "runs" / "a" / "tokenizer.json"
    key = key_of(encoder, file)
    (tmp_path / "other.json").write_bytes(file.read_bytes() + b" ")
    assert key_of(encoder, tmp_path / "other.json") != key
    with torch.no_grad():
        encoder.encoder.embed_tokens.weight[0, 0] += 1
    assert key_of(encoder, file) != key
    tokenizer = classifier.input_config.tokenizer
    assert tokenizer is not None
    monkeypatch.setattr(features.shutil, "disk_usage", lambda path: type("Free", (), {"free": 10})())
    with pytest.raises(StorageError, match="--no-text-features"):
        text_features(Products.open("toy"), encoder, tokenizer, key)
    with torch.no_grad():
        encoder.encoder.embed_tokens.weight[:] = float("nan")
    with pytest.raises(EmbeddingError, match="float16"):
        features.encoded(encoder, tokenizer, ["taška"])


def test_resumed_equals_unbroken(toy: Path) -> None:
    from trainers import runner

    train(toy / "runs" / "whole")
    fit, asked = runner.fit, [0]

    def stopped(*given: object, **named: object) -> object:
        def stop() -> bool:
            asked[0] += 1
            return asked[0] == 3

        return fit(*given, **{**named, "stop": stop})  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "fit", stopped)
        train(toy / "runs" / "broken")
    train_toy(toy / "runs" / "broken", "--resume", recipe=FROZEN)
    whole, _ = read_tensors(toy / "runs" / "whole" / "model.safetensors")
    broken, _ = read_tensors(toy / "runs" / "broken" / "model.safetensors")
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    assert len(list((toy / "toy" / "features").glob("text-*"))) == 1
