"""The linear probe: fitted to stored vectors, judged on them, asked about new products."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from core.catalog.products import Products
from core.embeddings.clip import ENCODERS, Encoder
from core.embeddings.imported import import_vectors
from core.embeddings.store import Description, writing
from core.errors import EmbeddingError, ModelError, TrainingError, UsageError
from core.evaluation.evaluate import evaluate
from core.models.classifier import Classifier
from core.models.loading import classify
from core.models.probe import ProbeConfig, ProbeNetwork
from core.models.registry import model
from core.models.vectors import vector_inputs
from core.training.runs import RunConfig
from tests.likeness import picture, products
from trainers.probe import run

__all__ = ["products"]
COLOURS = ("red", "green", "blue")


class StubEncoder:
    """Stands for clip-tiny: a picture's vector is its mean colour, a text's is its first letter's."""

    weights, dimensions, spec = "digest", 3, ENCODERS[0]

    class preprocessing:
        @staticmethod
        def pixels(image: object) -> np.ndarray:
            return np.asarray(image)

    def encode_pixels(self, pixels: np.ndarray, raw: bool = False) -> np.ndarray:
        return pixels.reshape(len(pixels), -1, 3).mean(axis=1).astype(np.float32)

    def encode_texts(self, texts: list[str], raw: bool = False) -> np.ndarray:
        return np.array([[text[:1] == letter for letter in "ČZС"] for text in texts], np.float32)

    def reads(self, text: str) -> int:
        return min(len(text), 40)


@pytest.fixture
def shop(products: Products) -> Products:
    """The shop with vectors of a clip-tiny of three components, for pictures and for texts."""
    rng = np.random.default_rng(0)
    frame = products.frame("SELECT row_id, category, name FROM cohort ORDER BY row_id")
    truth = np.array([COLOURS.index(category) for category in frame.category])
    for name, tower, noise in (("clip-tiny", "image", 0.2), ("clip-tiny.text", "text", 0.4)):
        vectors = np.eye(3)[truth] + rng.normal(0, noise, (60, 3))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        present = np.arange(60) % 10 != 0 if tower == "image" else np.arange(60) != 7
        plan = Description("clip-tiny", tower, 3, products.info.fingerprint, 60, weights="digest")  # type: ignore[arg-type]
        with writing(products.info, name, plan, 1) as writer:
            writer.write(0, np.arange(60), vectors, present)
    return products


def fit(home: Path, reads: str, *more: str) -> dict[str, object]:
    return run(["--dataset", "shop", "--reads", reads, "--out", str(home / "runs" / reads), "--json", *more])


def test_each_reading_is_fitted_judged_and_listed(shop: Products, home: Path) -> None:
    for reads, inputs in (("image", ("image",)), ("text", ("text",)), ("both", ("text", "image"))):
        result = fit(home, reads)
        assert max(figures["top1"] for figures in result["test"].values()) > 0.8, reads  # type: ignore[attr-defined]
        spec = model(reads)
        assert spec.inputs == inputs and spec.title == "Linear probe (clip-tiny) on shop"
        config = RunConfig.read(home / "runs" / reads)
        assert str(config.model["strength"]) in config.training["validation_top1"]
        best = max(config.training["validation_top1"].values())
        assert config.training["validation_top1"][str(config.model["strength"])] == best
        names = {path.name for path in (home / "runs" / reads).iterdir()}
        assert names == {"config.json", "counts.json", "model.safetensors", "process.json"}
        json.dumps(evaluate(reads, "train"))
    assert evaluate("both", sees="picture")["n"] < evaluate("both")["n"]


def test_features_by_hand() -> None:
    network = ProbeNetwork(ProbeConfig("t", "i", 2, 2), 2)
    with torch.no_grad():
        network.head.weight.copy_(torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 0]]))
        network.head.bias.zero_()
    inputs = vector_inputs(
        torch.tensor([[True, True, False], [True, False, False]]),
        torch.tensor([[3.0, 4.0], [0.0, 2.0]]),
        torch.tensor([[0.0, 9.0], [5.0, 5.0]]),
    )
    assert network.features(inputs)[0].tolist() == pytest.approx([0.6, 0.8, 0, 1])
    assert network.features(inputs)[1].tolist() == pytest.approx([0, 1, 0, 0])
    first, second = network(inputs)[0].exp().tolist()  # logits 1.6 and 0.8
    assert first / second == pytest.approx(np.exp(0.8))


def test_new_products_are_encoded(shop: Products, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(home, "image")
    monkeypatch.setattr("core.models.zero_shot.loaded_encoder", lambda name: StubEncoder())
    found = classify("image", picture("green"), "Zelená")
    assert found.labels[0][0] == "Clothes > green"
    assert found.notes == ["This model reads no text: only the picture was used."]
    with pytest.raises(UsageError, match="reads a picture"):
        classify("image", None, "Zelená")
    monkeypatch.setattr(StubEncoder, "weights", "others")
    with pytest.raises(UsageError, match="other weights of clip-tiny"):
        classify("image", picture("green"))


def test_vectors_that_are_not_there_name_the_command(shop: Products, home: Path, tmp_path: Path) -> None:
    import shutil

    fit(home, "both")
    shutil.rmtree(shop.info.folder / "embeddings" / "clip-tiny.text")
    with pytest.raises(EmbeddingError, match="embed shop --encoder clip-tiny --tower text"):
        evaluate("both")
    with pytest.raises(EmbeddingError, match="embed shop --encoder clip-tiny --tower text"):
        fit(home, "text")
    with pytest.raises(EmbeddingError, match="no vectors 'absent'"):
        fit(home, "image", "--vectors", "absent")
    with pytest.raises(TrainingError, match="--dataset"):
        run([])


def test_vectors_from_elsewhere_judge_but_do_not_read(shop: Products, home: Path, tmp_path: Path) -> None:
    frame = shop.frame("SELECT category FROM cohort ORDER BY row_id")
    vectors = np.eye(3)[[COLOURS.index(category) for category in frame.category]]
    np.save(tmp_path / "mine.npy", vectors.astype(np.float32))
    import_vectors(shop, tmp_path / "mine.npy", "mine", "row_id")
    result = fit(home, "image", "--vectors", "mine")
    assert result["test"]["picture"]["top1"] == 1.0  # type: ignore[index]
    with pytest.raises(UsageError, match="reads imported vectors"):
        classify("image", picture("red"))


def test_human_labels_only_and_a_class_that_is_not_in_train(shop: Products, home: Path) -> None:
    with pytest.raises(TrainingError, match="0 categories"):
        fit(home, "image", "--human-only")  # this table has no labels by people
    fit(home, "image")
    folder = home / "runs" / "image"
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "classes": ["a", *config["classes"]]}))
    with pytest.raises(ModelError, match="other classes"):
        Classifier.load(folder)


def test_the_stub_is_an_encoder_in_what_is_asked_of_it() -> None:
    for name in ("encode_pixels", "encode_texts"):
        assert hasattr(Encoder, name) and hasattr(StubEncoder, name)
