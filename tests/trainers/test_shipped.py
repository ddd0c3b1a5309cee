"""What comes with Vitrine is of the weights that come with it, and nobody can change it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import TrainingError, UsageError
from core.evaluation import cache
from core.training import jobs
from core.training.checkpoints import weights_digest
from core.training.curves import METRICS, read_curve
from core.training.runs import WEIGHTS, RunConfig
from trainers.shipped import ship


def test_the_shipped_run_is_of_the_bundled_weights(home: Path) -> None:
    assert jobs.run_names() == list(jobs.shipped_runs()) != []
    for name, folder in jobs.shipped_runs().items():
        noted = json.loads((folder / jobs.SHIPPED).read_text())
        (evaluation,) = (folder / cache.FOLDER).glob("*.parquet")
        made = cache.read(evaluation)
        files = [evaluation, *folder.glob(METRICS), folder / jobs.SHIPPED]
        assert sum(file.stat().st_size for file in files) < 200_000
        assert made is not None and made.choice.dataset == "demo"
        assert noted["weights"] == made.weights == weights_digest(folder / WEIGHTS)
        run = jobs.read_run(name)
        assert run.shipped and run.state == "done" and not run.alive
        assert run.datasets == list(RunConfig.read(folder).trained_on())
        if noted["curves_of"]:  # of the same recipe, and as good on the test products
            curve = read_curve(folder)
            assert curve.step[-1] == RunConfig.read(folder).training["steps"] and curve.validations
            for sees, figures in noted["curves_of"].items():
                assert figures["top1"] == pytest.approx(noted["bundled"][sees]["top1"], abs=0.03)
        with pytest.raises(TrainingError, match="shipped with Vitrine"):
            jobs.delete(name)
        with pytest.raises(TrainingError, match="not running"):
            jobs.stop(name)


def test_a_run_of_another_recipe_is_not_shipped(toy_home: Path) -> None:
    (target,) = jobs.shipped_runs().values()
    with pytest.raises(UsageError, match="another recipe"):
        ship(target, "toy-run")
