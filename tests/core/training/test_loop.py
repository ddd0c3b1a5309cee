"""The loop: stopped and resumed equals unbroken; what goes wrong is said and loses nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from core.errors import ModelError, StorageError, TrainingError
from core.training.checkpoints import read_tensors, write_tensors
from core.training.loop import Part, Progress, TrainConfig, checkpoints, fit, learning_rate_at, read_metrics

PROJECT = Path(__file__).resolve().parents[3]
CONFIG = TrainConfig(steps=12, batch_size=8, learning_rate=0.05, save_every=4, seed=3)


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(144, 3)
    )


def batch_at(step: int, part: Part) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(8, 1, 8, 8, generator=generator)
    return x[part.slice(8)], torch.randint(3, (8,), generator=generator)[part.slice(8)]


def loss_fn(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_stopped_and_resumed_equals_unbroken_bit_for_bit(tmp_path: Path, optimizer: str) -> None:
    config = replace(CONFIG, optimizer=optimizer)
    unbroken = network()
    fit(unbroken, loss_fn, batch_at, config, tmp_path / "unbroken", cpu=True)

    seen: list[int] = []
    first = network()
    outcome = fit(
        first,
        loss_fn,
        batch_at,
        config,
        tmp_path / "broken",
        on_step=lambda progress: seen.append(progress.step),
        stop=lambda: len(seen) == 7 - 1,
        cpu=True,
    )
    assert (outcome.step, outcome.reason) == (7, "stopped")
    torch.rand(5)  # whatever happened between the two
    second = network()
    outcome = fit(second, loss_fn, batch_at, config, tmp_path / "broken", cpu=True)
    assert (outcome.step, outcome.reason) == (12, "done")

    for name, tensor in weights(unbroken).items():
        assert torch.equal(tensor, weights(second)[name]), name
    steps = [line["step"] for line in read_metrics(tmp_path / "broken")]
    assert steps == list(range(1, 13))
    losses = [[line["loss"] for line in read_metrics(tmp_path / run)] for run in ("unbroken", "broken")]
    assert losses[0] == losses[1]


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    unbroken = network()
    fit(unbroken, loss_fn, batch_at, CONFIG, tmp_path / "unbroken", cpu=True)

    def die(progress: Progress) -> None:
        if progress.step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(network(), loss_fn, batch_at, CONFIG, tmp_path / "run", on_step=die, cpu=True)
    assert checkpoints(tmp_path / "run")[-1].name == "checkpoint-0000004.safetensors"
    with (tmp_path / "run" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 6, "loss": 9}\n{"step": 7, "lo')
    again = network()
    fit(again, loss_fn, batch_at, CONFIG, tmp_path / "run", cpu=True)
    for name, tensor in weights(unbroken).items():
        assert torch.equal(tensor, weights(again)[name]), name
    assert [line["step"] for line in read_metrics(tmp_path / "run")] == list(range(1, 13))


def test_parts_of_a_batch_together_equal_the_whole(tmp_path: Path) -> None:
    def plain() -> nn.Module:
        torch.manual_seed(1)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))

    whole, parts = plain(), plain()
    fit(whole, loss_fn, batch_at, CONFIG, tmp_path / "whole", cpu=True)
    fit(parts, loss_fn, batch_at, replace(CONFIG, accumulate=2), tmp_path / "parts", cpu=True)
    for name, tensor in weights(whole).items():
        assert torch.allclose(tensor, weights(parts)[name], atol=1e-5), name


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    def breaks(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        breaks.calls += 1  # type: ignore[attr-defined]
        loss = loss_fn(model, batch)
        return loss * float("nan") if breaks.calls > 6 else loss  # type: ignore[attr-defined]

    breaks.calls = 0  # type: ignore[attr-defined]
    with pytest.raises(TrainingError, match=r"step 7 is not a number. The checkpoint of step 4 is saved"):
        fit(network(), breaks, batch_at, CONFIG, tmp_path, cpu=True)
    tensors, notes = read_tensors(checkpoints(tmp_path)[-1])
    assert notes["step"] == 4
    assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())


def test_a_gradient_that_is_no_number_never_reaches_the_weights(tmp_path: Path) -> None:
    def root(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return (model(batch[0]) * 0).sum().sqrt()  # 0, with an infinite slope

    with pytest.raises(TrainingError, match="gradient at step 1"):
        fit(network(), root, batch_at, CONFIG, tmp_path, cpu=True)


def test_it_stops_early_and_keeps_the_best(tmp_path: Path) -> None:
    scores = iter([0.5, 0.7, 0.6, 0.6, 0.9])
    config = replace(CONFIG, validate_every=2, patience=2)
    outcome = fit(
        network(),
        loss_fn,
        batch_at,
        config,
        tmp_path,
        validate=lambda model: {"score": next(scores)},
        cpu=True,
    )
    assert (outcome.step, outcome.reason, outcome.best) == (8, "early", {"score": 0.7, "step": 4.0})
    assert read_tensors(tmp_path / "best.safetensors")[1]["score"] == 0.7
    assert [line["validation"]["score"] for line in read_metrics(tmp_path) if "validation" in line] == [
        0.5,
        0.7,
        0.6,
        0.6,
    ]


def test_progress_says_how_long_it_takes(tmp_path: Path) -> None:
    seen: list[Progress] = []
    fit(network(), loss_fn, batch_at, CONFIG, tmp_path, on_step=seen.append, cpu=True)
    assert [progress.step for progress in seen] == list(range(1, 13))
    assert seen[-1].remaining_s == 0
    assert seen[0].items_per_s > 0 and seen[0].remaining_s > 0


def test_learning_rates() -> None:
    config = replace(CONFIG, steps=100, learning_rate=1.0)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0), 1.0, total_steps=100, pct_start=0.15
    )
    for step in range(100):
        assert learning_rate_at(config, step) == pytest.approx(reference.get_last_lr()[0], abs=1e-6)
        if step < 99:
            reference.optimizer.step()
            reference.step()
    halved = replace(config, schedule="halve", halve_every=10)
    assert [learning_rate_at(halved, step) for step in (0, 9, 10, 25)] == [1, 1, 0.5, 0.25]
    assert learning_rate_at(replace(config, schedule="constant"), 99) == 1


def test_a_checkpoint_of_another_model_or_cut_short_is_said(tmp_path: Path) -> None:
    fit(network(), loss_fn, batch_at, CONFIG, tmp_path, cpu=True)
    with pytest.raises(ModelError, match="another model"):
        fit(nn.Linear(3, 3), loss_fn, batch_at, CONFIG, tmp_path, cpu=True)
    newest = checkpoints(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    checkpoints(tmp_path)[0].unlink()
    with pytest.raises(ModelError, match="truncated"):
        fit(network(), loss_fn, batch_at, CONFIG, tmp_path, cpu=True)


def test_a_checkpoint_cut_short_is_passed_over_for_the_one_before_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unbroken = network()
    fit(unbroken, loss_fn, batch_at, CONFIG, tmp_path, cpu=True)
    newest = checkpoints(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    again = network()
    assert fit(again, loss_fn, batch_at, CONFIG, tmp_path, cpu=True).reason == "done"
    assert "Continuing from the previous checkpoint" in capsys.readouterr().err
    for name, tensor in weights(unbroken).items():
        assert torch.equal(tensor, weights(again)[name]), name
    assert [line["step"] for line in read_metrics(tmp_path)] == list(range(1, 13))


def test_a_folder_deleted_meanwhile_stays_deleted(tmp_path: Path) -> None:
    def delete(progress: Progress) -> None:
        if progress.step == 5:
            shutil.rmtree(tmp_path / "run")

    with pytest.raises(TrainingError, match="was deleted during training"):
        fit(network(), loss_fn, batch_at, CONFIG, tmp_path / "run", on_step=delete, cpu=True)
    assert not (tmp_path / "run").exists()


def test_a_disk_that_fills_up_keeps_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = safetensors.torch.save_file

    def fills_up(tensors: object, path: Path, metadata: dict[str, str]) -> None:
        if "0000008" in path.name:
            raise OSError(28, "No space left on device")
        save(tensors, path, metadata=metadata)  # type: ignore[arg-type]

    monkeypatch.setattr("safetensors.torch.save_file", fills_up)
    with pytest.raises(StorageError, match=r"is full. The checkpoint of step 4 is saved"):
        fit(network(), loss_fn, batch_at, CONFIG, tmp_path, cpu=True)
    monkeypatch.undo()
    assert fit(network(), loss_fn, batch_at, CONFIG, tmp_path, cpu=True).reason == "done"


def test_a_disk_that_is_full_is_said(tmp_path: Path) -> None:
    """In a process of its own, whose files may not grow beyond 4 KB: the system then says what a full disk says."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "import sys, torch; from pathlib import Path; from core.training.checkpoints import write_tensors\n"
        "write_tensors(Path(sys.argv[1]) / 'a.safetensors', {'a': torch.zeros(9999)}, {})"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT, capture_output=True, text=True
    )
    assert f"StorageError: The disk of {tmp_path} is full" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="pickle"):
        read_tensors(tmp_path / "model.safetensors")
    (tmp_path / "text").write_text("these are no weights at all")
    with pytest.raises(ModelError, match="not a safetensors"):
        read_tensors(tmp_path / "text")
    with pytest.raises(ModelError, match="no weights at"):
        read_tensors(tmp_path / "absent")


@pytest.mark.parametrize("length", [0x0280, 0x0480])
def test_a_header_as_long_as_a_pickle_begins_is_none(tmp_path: Path, length: int) -> None:
    path, tensors = tmp_path / "a.safetensors", {"a": torch.ones(2)}
    write_tensors(path, tensors, {"note": ""})
    missing = length - int.from_bytes(path.read_bytes()[:8], "little")
    write_tensors(path, tensors, {"note": "x" * missing})
    assert path.read_bytes()[:2] == length.to_bytes(2, "little")
    assert torch.equal(read_tensors(path)[0]["a"], torch.ones(2))


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.safetensors"
    write_tensors(path, {"a": torch.ones(3)}, {"step": 1})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(Exception, match="full"):
        write_tensors(path, {"a": torch.zeros(3)}, {"step": 2})
    assert read_tensors(path)[1] == {"step": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["weights.safetensors"]
