"""A real trainer as somebody watches it: killed, out of numbers, its folder gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.training import jobs
from core.training.process import Process
from core.training.runs import runs_folder
from tests.toy import import_toy

NAME = "lstm"
OPTIONS = ["--dataset", "toy", "--preset", "lstm-tiny", "--cpu"]


@pytest.fixture
def toy(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    import_toy(tmp_path)
    yield home
    process = Process.read(runs_folder() / NAME)
    if process and (found := process.find()):
        found.kill()


def begin(*options: str) -> None:
    jobs.start(NAME, jobs.command("single", NAME, [*OPTIONS, *options]))


def ended() -> jobs.Run:
    for _ in range(1_200):  # a machine that does other things as well
        if not jobs.read_run(NAME).alive:
            break
        time.sleep(0.25)
    return jobs.read_run(NAME)


def test_killed_and_resumed_it_ends_as_if_nothing_had_been(toy: Path) -> None:
    """kill -9 of the real trainer."""
    begin("--steps", "60")
    while not jobs.read_run(NAME).saved:
        assert jobs.read_run(NAME).alive, jobs.log_tail(runs_folder() / NAME)
        time.sleep(0.05)
    found = Process.read(runs_folder() / NAME)
    assert found and found.find()
    found.find().kill()  # type: ignore[union-attr]
    run = ended()
    assert run.state == "interrupted"
    jobs.start(NAME, jobs.resuming(run))
    run = ended()
    assert (run.state, run.step) == ("done", 60), jobs.log_tail(run.folder)
    assert run.usable and run.config["result"]["test"]["text"]["n"] == 23  # of 27, those with a text


def test_an_absurd_learning_rate_ends_in_one_clear_line(toy: Path) -> None:
    begin("--steps", "200", "--learning-rate", "1e30")
    run = ended()
    assert run.state == "failed"
    assert "is not a number" in run.error and "Use a lower learning rate." in run.error


def test_what_cannot_begin_says_why(toy: Path) -> None:
    jobs.start(NAME, jobs.command("single", NAME, ["--dataset", "absent"]))
    run = ended()
    assert run.state == "failed"
    assert run.error.startswith("There is no dataset named 'absent'")
