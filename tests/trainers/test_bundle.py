from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import UsageError
from core.models.classifier import Classifier
from core.training.checkpoints import read_tensors
from core.training.runs import WEIGHTS, RunConfig
from trainers.bundle import bundle


def test_a_bundled_run_says_the_same_in_half_precision(toy_home: Path, tmp_path: Path) -> None:
    run, bundled = toy_home / "runs" / "toy-run", tmp_path / "bundled"
    result = bundle("toy-run", bundled).result
    kept, _ = read_tensors(bundled / WEIGHTS)
    assert {x.dtype for x in kept.values() if x.is_floating_point()} == {torch.float16}
    trained = RunConfig.read(run).result
    assert result["test"]["both"]["n"] == trained["test"]["both"]["n"]
    assert result["weights"] != trained["weights"]
    full, half = (dict(Classifier.load(folder).classify(name="taška").labels) for folder in (run, bundled))
    assert np.allclose([full[label] for label in half], list(half.values()), atol=0.01)


def test_an_unfinished_run_is_not_bundled(toy_home: Path, tmp_path: Path) -> None:
    replace(RunConfig.read(toy_home / "runs" / "toy-run"), result={}).write(tmp_path / "begun")
    with pytest.raises(UsageError, match="not finished"):
        bundle(str(tmp_path / "begun"), tmp_path / "bundled")
