"""Two processes train what one does, up to the order of summation."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import torch

from core.training.checkpoints import read_tensors
from core.training.loop import checkpoints, fit, read_metrics

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("two_processes.py")


# accelerate's own launcher starts one process on a CPU, whatever --num_processes says; torch's starts
# as many as it is told, and `--standalone` takes a port that nobody has.
LAUNCH = "-m torch.distributed.run --standalone --nproc_per_node 2"


def launch(*arguments: str) -> None:
    command = [sys.executable, *LAUNCH.split(), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3_000:]


def test_two_processes_equal_one(tmp_path: Path) -> None:
    script = runpy.run_path(str(SCRIPT))
    config = script["CONFIG"]
    fit(script["network"](), script["loss_fn"], script["batch_at"], config, tmp_path / "one", cpu=True)
    launch(str(SCRIPT), str(tmp_path / "two"))
    assert {path.name for path in (tmp_path / "two").glob("process-*")} == {
        "process-0-of-2",
        "process-1-of-2",
    }
    one, notes = read_tensors(checkpoints(tmp_path / "one")[-1])
    two, same = read_tensors(checkpoints(tmp_path / "two")[-1])
    assert notes["step"] == same["step"] == 12
    weights = [name for name in one if name.startswith("model.")]
    assert weights
    for name in weights:
        assert torch.allclose(one[name], two[name], atol=2e-5), name
    assert [line["step"] for line in read_metrics(tmp_path / "two")] == list(range(1, 13))
