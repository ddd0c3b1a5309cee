"""One model of several datasets: their categories by name, each judged alone, resumed bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from core.catalog.build import import_dataset
from core.catalog.info import remove
from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.errors import TrainingError, UnknownDatasetError, UsageError
from core.evaluation.evaluate import evaluate, restricted
from core.models.classifier import Classifier
from core.models.concatenated import ConcatenatedData
from core.models.data import ProductData
from core.models.registry import of_run
from core.training.checkpoints import read_tensors, write_tensors
from core.training.runs import RunConfig
from tests.toy import TOY, import_toy, train_toy, write_toy
from trainers.runner import run


@pytest.fixture
def two(home: Path, tmp_path: Path) -> Path:
    """`toy`, and `other`: the same bags and hats, and scarves where toy has shoes."""
    import_toy(tmp_path)
    source = write_toy(tmp_path / "other-source", n=60)
    for table in source.glob("*.csv"):
        table.write_text(table.read_text().replace(",shoes,", ",scarves,").replace("boty", "šála"))
    import_dataset("glami", [str(source)], "other")
    return home


def train_two(out: Path, *arguments: str) -> dict[str, object]:
    return train_toy(out, "--dataset", "other", *arguments)


def test_categories_of_the_same_name_are_one(two: Path) -> None:
    result = train_two(two / "runs" / "both", "--steps", "60")
    config = RunConfig.read(two / "runs" / "both")
    assert config.classes == ["bags", "hats", "scarves", "shoes"]
    assert list(config.trained_on()) == ["toy", "other"]
    assert config.fingerprint == Products.open("toy").info.fingerprint
    assert "toy and other" in of_run(two / "runs" / "both").title
    assert sum(config.products.values()) == 63 + 42
    tests = result["tests"]
    assert tests["toy"]["both"]["n"] == 27 and tests["other"]["both"]["n"] == 18  # type: ignore[index]
    assert result["test"]["both"]["n"] == 45  # type: ignore[index]
    whole = sum(tests[name]["text"]["top1"] * tests[name]["text"]["n"] for name in tests) / 38  # type: ignore[index, attr-defined]
    assert result["test"]["text"]["top1"] == pytest.approx(whole, abs=1e-3)  # type: ignore[index]
    assert tests["other"]["text"]["top1"] > 0.8  # type: ignore[index]


def test_each_dataset_is_judged_alone_and_among_its_classes(two: Path, tmp_path: Path) -> None:
    train_two(two / "runs" / "both", "--steps", "10")
    first = evaluate("both")
    assert (first["dataset"], first["n"], first["classes"], first["among"]) == ("toy", 27, 4, "all")
    save = tmp_path / "among.parquet"
    among = evaluate("both", dataset="other", among="dataset", save=save)
    assert (among["n"], among["classes"]) == (18, 3)
    assert "shoes" not in set(pd.read_parquet(save).prediction)
    assert among["top1"] >= evaluate("both", dataset="other")["top1"]
    with pytest.raises(UsageError, match="sets of classes: all, dataset"):
        evaluate("both", among="some")


def test_a_dataset_with_none_of_the_classes(two: Path, tmp_path: Path) -> None:
    train_toy(two / "runs" / "toy", "--steps", "1")
    source = write_toy(tmp_path / "far-source", n=30)
    for table in source.glob("*.csv"):
        for name in ("bags", "hats", "shoes"):
            table.write_text(table.read_text().replace(f",{name},", f",far-{name},"))
    import_dataset("glami", [str(source)], "far")
    with pytest.raises(UsageError, match="none of the 3 categories of far"):
        evaluate("toy", dataset="far", among="dataset")
    report = evaluate("toy", dataset="far")
    assert (report["top1"], report["unknown_classes"]) == (0.0, report["n"])


def test_probabilities_among_some_classes() -> None:
    found = restricted(np.array([[0.6, 0.3, 0.1], [1.0, 0.0, 0.0]]), np.array([False, True, True]))
    assert np.allclose(found, [[0, 0.75, 0.25], [0, 0.5, 0.5]])


def test_resumed_equals_unbroken(two: Path) -> None:
    from trainers import runner

    train_two(two / "runs" / "whole", "--steps", "8")
    fit, asked = runner.fit, [0]

    def stopped(*given: object, **named: object) -> object:
        def stop() -> bool:
            asked[0] += 1
            return asked[0] == 3

        return fit(*given, **{**named, "stop": stop})  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "fit", stopped)
        assert train_two(two / "runs" / "broken", "--steps", "8")["ended"] == "stopped"
    run("embracenet", {"toy": TOY}, ["--resume", "--out", str(two / "runs" / "broken"), "--cpu", "--json"])
    whole, _ = read_tensors(two / "runs" / "whole" / "model.safetensors")
    broken, _ = read_tensors(two / "runs" / "broken" / "model.safetensors")
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


def test_joined_products_keep_their_order(two: Path) -> None:
    train_toy(two / "runs" / "toy", "--steps", "1")
    input_config = Classifier.load(two / "runs" / "toy").input_config
    parts = []
    for name in ("toy", "other"):
        products = Products.open(name)
        parts.append(ProductData(products, product_frame(products, ("train",)), input_config, workers=1))
    joined = ConcatenatedData(parts)
    assert len(joined) == 63 + 42 and len(joined.frame) == 105
    rows = np.array([70, 3, 104, 0, 63, 62])
    inputs = joined.inputs(rows)
    for at, row in enumerate(rows):
        alone = parts[0].inputs(np.array([row])) if row < 63 else parts[1].inputs(np.array([row - 63]))
        assert torch.equal(inputs.pixels[at], alone.pixels[0])
        assert torch.equal(inputs.numbers[at], alone.numbers[0])
    one = ConcatenatedData(parts[:1])
    assert torch.equal(one.inputs(rows[[1, 3]]).pixels, parts[0].inputs(rows[[1, 3]]).pixels)
    assert (one.held_out(0.1, 0) == joined.held_out(0.1, 0)[:63]).all()


def test_what_cannot_be_joined_is_said(two: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="a dataset twice: toy, toy"):
        train_toy(two / "runs" / "a", "--dataset", "toy")
    with pytest.raises(UnknownDatasetError):
        train_toy(two / "runs" / "a", "--dataset", "absent")
    train_two(two / "runs" / "a", "--steps", "1")
    (two / "runs" / "a" / "model.safetensors").unlink()
    remove("other")
    import_dataset("glami", [str(write_toy(tmp_path / "new", n=30))], "other")
    with pytest.raises(TrainingError, match="other has changed since the run started"):
        run("embracenet", {"toy": TOY}, ["--resume", "--out", str(two / "runs" / "a"), "--cpu"])


def test_weights_in_half_precision_load(toy_home: Path, tmp_path: Path) -> None:
    folder = toy_home / "runs" / "toy-run"
    whole = evaluate("toy-run", inference="expected")
    half = tmp_path / "half"
    half.mkdir()
    tensors, notes = read_tensors(folder / "model.safetensors")
    write_tensors(half / "model.safetensors", {name: x.half() for name, x in tensors.items()}, notes)
    for name in ("config.json", "tokenizer.json"):
        (half / name).write_bytes((folder / name).read_bytes())
    assert (half / "model.safetensors").stat().st_size < 0.6 * (folder / "model.safetensors").stat().st_size
    assert Classifier.load(half).network.head.weight.dtype == torch.float32
    assert evaluate(half)["top1"] == pytest.approx(whole["top1"], abs=0.04)
    json.dumps(evaluate(half))
