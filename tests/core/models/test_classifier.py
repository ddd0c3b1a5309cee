"""A trained classifier: what it says, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import f1_score

import core.models.registry
from core.errors import ImageError, ModelError, UsageError, VitrineError
from core.evaluation import evaluate as evaluation
from core.evaluation.comparison import compare
from core.evaluation.evaluate import evaluate, split_data
from core.images.pictures import open_picture
from core.measures.intervals import wilson
from core.models.classifier import Classifier
from core.models.loading import classify, load, loaded
from core.models.registry import model, models
from core.training.checkpoints import read_tensors, write_tensors
from core.training.runs import WEIGHTS
from tests.toy import picture


@pytest.fixture
def run_dir(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained / "runs" / "toy-run", tmp_path / "copy"))


def test_a_finished_run_is_a_model(toy_home: Path) -> None:
    spec = models()[0]  # before the bundled ones
    assert (spec.name, spec.weights, spec.inputs) == ("toy-run", "run", ("text", "image"))
    assert spec.revision and spec.licence and "products of toy" in spec.trained_on
    assert load(model("toy-run")).config.classes == ["bags", "hats", "shoes"]
    with pytest.raises(ModelError, match="no model named 'other'"):
        model("other")


def test_every_bundled_model_answers_and_has_a_card(home: Path) -> None:
    assert [spec.name for spec in models()] == list(core.models.registry.BUNDLED)
    for spec in models():
        assert spec.weights == "bundled" and spec.revision and "MIT" in spec.licence
        assert "Limits" in (spec.folder / "README.md").read_text(encoding="utf-8")
        found = load(spec).classify(None, "Dámské džíny modré", "Barva: modrá")
        assert "Jeans" in found.labels[0][0]


def test_without_a_model_it_says_how_to_train_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.models.registry, "BUNDLED", ())
    with pytest.raises(ModelError, match=r"python -m trainers\.embracenet"):
        model("any")


@pytest.mark.parametrize(
    ("image", "name", "description"),
    [("bags", "taška", "kabelka"), ("bags", None, None), (None, "kabelka", None), (None, None, "taška")],
)
def test_either_input_may_be_missing(
    toy_home: Path, image: str | None, name: str | None, description: str | None
) -> None:
    found = classify("toy-run", picture(image) if image else None, name, description)
    assert found.labels[0][0] == "bags"
    assert len(found.labels) == 3  # there are no more classes
    assert sum(probability for _, probability in found.labels) == pytest.approx(1, abs=1e-5)
    assert [p for _, p in found.labels] == sorted((p for _, p in found.labels), reverse=True)
    assert found.notes == []


def test_contributions_add_up_to_the_logits(toy_home: Path) -> None:
    classifier = loaded("toy-run")
    inputs, _ = classifier.inputs_of(open_picture(picture("hats")), "taška")
    with torch.inference_mode():
        parts = classifier.network.contributions(inputs)
        logits = classifier.network.logits(
            classifier.network.features(inputs), classifier.network.availabilities(inputs)
        )
    assert torch.allclose(parts.sum(1) + classifier.network.head.bias, logits, atol=1e-4)


def test_nothing_to_classify(toy_home: Path) -> None:
    for name in (None, "", "  \n"):
        with pytest.raises(UsageError, match="nothing to classify"):
            classify("toy-run", None, name, None)


def test_what_is_no_picture(toy_home: Path, tmp_path: Path) -> None:
    for data in (b"", b"not a picture", picture("bags")[:200]):
        with pytest.raises(ImageError):
            classify("toy-run", data)
    with pytest.raises(ImageError, match="no picture at"):
        classify("toy-run", tmp_path / "absent.jpg")
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(60 * 2**20)
    with pytest.raises(ImageError, match="larger than 32 MB"):
        classify("toy-run", large)


def test_a_long_text_is_cut_and_that_is_said(toy_home: Path) -> None:
    found = classify("toy-run", None, "klobouk " * 12_500)
    assert found.labels[0][0] == "hats"
    assert found.notes[0].startswith("Only the first ") and "of 99,999 characters" in found.notes[0]


def test_strange_texts_are_read(toy_home: Path) -> None:
    for text in ("<script>alert(1)</script>", "\0\u202e", "😀" * 50, "连衣裙"):
        assert len(classify("toy-run", None, text).labels) == 3


def test_the_model_is_loaded_once_and_again_when_it_changed(toy_home: Path) -> None:
    first = loaded("toy-run")
    assert loaded("toy-run") is first
    (toy_home / "runs" / "toy-run" / "model.safetensors").touch()
    assert loaded("toy-run") is not first


def test_weights_that_cannot_be_used_are_refused(run_dir: Path) -> None:
    weights = run_dir / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-50])
    with pytest.raises(ModelError, match="truncated"):
        Classifier.load(run_dir)
    torch.save({"head.weight": torch.zeros(1)}, weights)
    with pytest.raises(ModelError, match="pickle"):
        Classifier.load(run_dir)
    weights.unlink()
    with pytest.raises(ModelError, match="not finished"):
        Classifier.load(run_dir)


def test_weights_of_other_classes_are_refused(run_dir: Path) -> None:
    weights = run_dir / "model.safetensors"
    tensors, _ = read_tensors(weights)
    write_tensors(weights, tensors, {"classes": ["a", "b"]})
    with pytest.raises(ModelError, match="2 other classes"):
        Classifier.load(run_dir)
    write_tensors(weights, {**tensors, "head.weight": torch.zeros(2, 32)}, {})
    with pytest.raises(ModelError, match=r"of another model: 1 tensors differ, first head\.weight"):
        Classifier.load(run_dir)


def test_a_configuration_that_makes_no_sense(run_dir: Path) -> None:
    config = json.loads((run_dir / "config.json").read_text())
    (run_dir / "config.json").write_text(json.dumps({**config, "architecture": "os.system"}))
    with pytest.raises(ModelError, match="cannot build"):
        Classifier.load(run_dir)
    (run_dir / "config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        Classifier.load(run_dir)


def test_evaluation(toy_home: Path) -> None:
    report = evaluate("toy-run", "test")
    assert set(report) >= {
        "top1", "top5", "per_geo", "per_label_source", "f1_macro", "f1_weighted", "ap_macro", "n",
    }  # fmt: skip
    assert report["n"] == 27 and report["top1"] > 0.9 and report["top5"] == 1
    assert set(report["per_geo"]) == {"cz", "sk"}
    text = evaluate("toy-run", "test", sees="text")
    assert (text["n"], text["unseen"]) == (23, 4)
    assert evaluate("toy-run", "test", inference="ensemble")["top1"] > 0.9
    human = evaluate("toy-run", "test", human_only=True)
    assert set(human["per_label_source"]) == {"admin"}
    with pytest.raises(UsageError, match="splits"):
        evaluate("toy-run", "dev")
    with pytest.raises(VitrineError, match="no run named 'x'"):
        evaluate("x")
    json.dumps(report)


def test_predictions_are_kept_by_product_and_compared(toy_home: Path, tmp_path: Path) -> None:
    both = evaluate("toy-run", save=tmp_path / "both.parquet")
    evaluate("toy-run", sees="text", save=tmp_path / "text.parquet")
    table = pd.read_parquet(tmp_path / "both.parquet")
    assert len(table) == 27 and table.correct.mean() == both["top1"]
    assert ((table["rank"] == 1) == table.correct).all() and table.item_id.is_unique
    low, high = both["top1_interval"]
    assert low <= both["top1"] <= high and 0 <= both["calibration_error"] <= 1
    assert sum(entry["n"] for entry in both["reliability"]) == 27
    found = compare(table, pd.read_parquet(tmp_path / "text.parquet"))
    assert found["n"] == 23 and 0 <= found["p"] <= 1
    with pytest.raises(UsageError, match="no products in common"):
        compare(table, table.iloc[:0])


def test_every_figure_of_sampled_passes_is_their_mean(
    toy_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three passes that differ, by hand: each pass's predictions to scikit-learn, and the mean of what it says."""
    classifier = loaded("toy-run")
    data = split_data(classifier, "toy", "test")
    passes = [np.random.default_rng(seed).dirichlet([1, 1, 1], 27).astype(np.float32) for seed in range(3)]
    monkeypatch.setattr(evaluation, "open_classifier", lambda *_: classifier)
    monkeypatch.setattr(classifier, "predict", lambda inputs, inference, seed: passes[seed])
    said = [each.argmax(axis=1) for each in passes]
    right = np.array([each == data.labels for each in said])  # (3, 27)
    report = evaluate("toy-run", "test", inference="sampled", passes=3, save=tmp_path / "p.parquet")
    assert report["top1"] == pytest.approx(right.mean())
    assert report["top1_deviation"] == pytest.approx(right.mean(axis=1).std(ddof=1))
    scores = [f1_score(data.labels, each, average="macro") for each in said]
    assert report["f1_macro"] == pytest.approx(np.mean(scores)) and len(set(scores)) > 1
    for geo, figures in report["per_geo"].items():
        assert figures["top1"] == pytest.approx(right[:, data.frame.geo == geo].mean())
    assert report["top1_interval"] == pytest.approx(wilson(right.mean() * 27, 27))
    mistakes = sum(pair["n"] for pair in report["confused_pairs"])
    assert mistakes == pytest.approx(27 * (1 - right.mean()))
    assert sum(entry["n"] for entry in report["reliability"]) == pytest.approx(27)
    for row, label in (
        (row, list(classifier.config.classes).index(row["label"])) for row in report["per_class"]
    ):
        assert row["predicted"] == pytest.approx(np.mean([(each == label).sum() for each in said]))
    table = pd.read_parquet(tmp_path / "p.parquet")
    assert table.hit.mean() == pytest.approx(report["top1"]) and set(table["pass"]) == {1}
    assert table.correct.tolist() == right[0].tolist()


def test_fair_ties_have_their_own_interval(toy_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything ties: fair top-1 is 1/3 of 27 products, all with one hit of 1/3; by GLAMI's rule the last class wins."""
    classifier = loaded("toy-run")
    monkeypatch.setattr(evaluation, "open_classifier", lambda *_: classifier)
    monkeypatch.setattr(
        classifier, "predict", lambda inputs, **_: np.full((len(inputs), 3), 1 / 3, np.float32)
    )
    fair, glami = (evaluate("toy-run", ties=ties) for ties in ("fair", "glami"))  # type: ignore[arg-type]
    assert fair["top1"] == pytest.approx(1 / 3)
    assert fair["top1_interval"] == pytest.approx(wilson(9, 27)) and fair["top1_bootstrap"] == pytest.approx(
        [1 / 3] * 2
    )
    share = float((split_data(classifier, "toy", "test").labels == 2).mean())
    assert glami["top1"] == pytest.approx(share) and glami["top1_interval"] == pytest.approx(
        wilson(27 * share, 27)
    )


def test_the_same_seed_gives_the_same_sampled_answer(toy_home: Path) -> None:
    classifier = loaded("toy-run")
    inputs, _ = classifier.inputs_of(None, "taška")
    both = [classifier.predict(inputs, inference="sampled", seed=4) for _ in range(2)]
    assert np.array_equal(both[0], both[1])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_said(run_dir: Path, value: float) -> None:
    tensors, notes = read_tensors(run_dir / WEIGHTS)
    for tensor in tensors.values():
        if tensor.is_floating_point():
            tensor.fill_(value)
    write_tensors(run_dir / WEIGHTS, tensors, notes)
    classifier = Classifier.load(run_dir)
    with pytest.raises(ModelError, match="its weights are damaged"):
        classifier.classify(picture("bags"), "taška")
