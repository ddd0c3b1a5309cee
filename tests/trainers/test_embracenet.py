"""The trainer from its command line to its run folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.catalog.info import remove
from core.errors import TrainingError, VitrineError
from core.training.checkpoints import read_tensors
from core.training.loop import TrainConfig, checkpoints, read_metrics
from core.training.runs import RunConfig, runs_folder
from tests.toy import TOY, import_toy, train_toy, write_toy
from trainers import single
from trainers.embracenet import PRESETS
from trainers.runner import run

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def toy(home: Path, tmp_path: Path) -> Path:
    import_toy(tmp_path)
    return home


def test_a_run_folder_holds_all_that_is_needed(trained: Path) -> None:
    run_dir = trained / "runs" / "toy-run"
    names = {path.name for path in run_dir.iterdir()}
    assert {"config.json", "metrics.jsonl", "model.safetensors", "tokenizer.json"} <= names
    config = RunConfig.read(run_dir)
    assert config.classes == ["bags", "hats", "shoes"]
    assert config.dataset == "toy" and config.result["test"]["both"]["n"] == 27
    assert [line["step"] for line in read_metrics(run_dir)] == list(range(1, 31))
    assert not [name for name in names if name.endswith((".pt", ".pkl", ".bin"))]


def test_it_learns_from_either_modality(trained: Path) -> None:
    test = RunConfig.read(trained / "runs" / "toy-run").result["test"]
    assert min(test[sees]["top1"] for sees in ("both", "picture", "text")) > 0.9


def test_resumed_equals_unbroken(toy: Path) -> None:
    train_toy(toy / "runs" / "whole", "--steps", "12")
    config = RunConfig.read(toy / "runs" / "whole")

    class Killed(Exception):
        pass

    def killed_at(step: int, out: Path) -> None:
        import trainers.console as console

        stepped = console.Watcher.stepped

        def dies(watcher: object, progress: object) -> None:
            stepped(watcher, progress)  # type: ignore[arg-type]
            if progress.step == step:  # type: ignore[attr-defined]
                raise Killed

        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            patch.setattr(console.Watcher, "stepped", dies)
            train_toy(out, "--steps", "12")

    killed_at(8, toy / "runs" / "broken")
    assert not (toy / "runs" / "broken" / "model.safetensors").exists()
    assert checkpoints(toy / "runs" / "broken")
    train_toy(toy / "runs" / "broken", "--resume")
    whole, _ = read_tensors(toy / "runs" / "whole" / "model.safetensors")
    broken, _ = read_tensors(toy / "runs" / "broken" / "model.safetensors")
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    assert RunConfig.read(toy / "runs" / "broken").result["weights"] == config.result["weights"]


@pytest.mark.parametrize("modality", ["text", "image"])
def test_one_modality_alone_can_be_trained(toy: Path, modality: str) -> None:
    result = train_toy(toy / "runs" / "one", "--steps", "3", "--only", modality)
    assert set(result["test"]) == {"both", "picture" if modality == "image" else "text"}  # type: ignore[call-overload]
    with pytest.raises(TrainingError, match="for EmbraceNet"):
        run("single", single.PRESETS, ["--dataset", "toy", "--only", modality])


@pytest.mark.parametrize("dropout", ["none", "batch", "glami"])
def test_every_modality_dropout_trains(toy: Path, dropout: str) -> None:
    recipe = replace(TOY, model=replace(TOY.model, modality_dropout=dropout))
    train_toy(toy / "runs" / dropout, "--steps", "4", recipe=recipe)
    assert all(line["loss"] > 0 for line in read_metrics(toy / "runs" / dropout))


def test_human_labels_only(toy: Path) -> None:
    train_toy(toy / "runs" / "human", "--steps", "2", "--human-only")
    config = RunConfig.read(toy / "runs" / "human")
    assert config.human_only and sum(config.products.values()) < 63


def test_what_cannot_be_trained_is_said(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(VitrineError, match="no dataset named 'absent'"):
        run("embracenet", PRESETS, ["--dataset", "absent"])
    with pytest.raises(TrainingError, match="--dataset"):
        run("embracenet", PRESETS, [])
    with pytest.raises(TrainingError, match="no unfinished run"):
        run("embracenet", PRESETS, ["--resume", "--dataset", "toy"])
    train_toy(toy / "runs" / "a", "--steps", "1")
    with pytest.raises(TrainingError, match=r"a run in .* already"):
        train_toy(toy / "runs" / "a", "--steps", "1")


def test_a_dataset_that_changed_is_not_trained_on(toy: Path, tmp_path: Path) -> None:
    from core.catalog.build import import_dataset

    train_toy(toy / "runs" / "a", "--steps", "1")
    (toy / "runs" / "a" / "model.safetensors").unlink()
    remove("toy")
    import_dataset("glami", [str(write_toy(tmp_path / "other", n=60))], "toy")
    with pytest.raises(TrainingError, match="has changed since the run started"):
        train_toy(toy / "runs" / "a", "--resume")


def test_the_paper_kept_weights_by_its_last_epoch_ours_stops_early(toy: Path) -> None:
    recipe = replace(TOY, training=replace(TOY.training, patience=1), validations=10)
    train_toy(toy / "runs" / "early", recipe=recipe)
    config = RunConfig.read(toy / "runs" / "early")
    assert config.result["ended"] == "early"
    assert config.result["step"] < TrainConfig(**config.training).steps


def test_from_the_command_line_stopped_by_a_signal(toy: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "trainers.embracenet", "--dataset", "toy", "--cpu", "--steps", "2000"]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith(f"Run: {runs_folder()}")
    run_dir = Path(first.removeprefix("Run: ").strip())
    deadline = time.monotonic() + 40
    while not read_metrics(run_dir) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=40)
    assert process.returncode == 0, said
    assert f"--resume --out {run_dir}" in said
    assert checkpoints(run_dir)

    failed = subprocess.run(
        [*command[:3], "--dataset", "absent", "--json"], cwd=PROJECT, capture_output=True, text=True
    )
    assert failed.returncode == 1
    assert failed.stderr.strip().startswith("There is no dataset named 'absent'")
    assert len(failed.stderr.strip().splitlines()) == 1
    assert json.loads((run_dir / "config.json").read_text())["dataset"] == "toy"
