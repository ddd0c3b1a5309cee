"""Runs as processes: every state that a run can be in, from its folder alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from core.errors import ModelError, TrainingError
from core.training import jobs
from core.training.process import LOG, PROCESS, Process, hold, locked, recorded
from core.training.runs import runs_folder

PROJECT = Path(__file__).resolve().parents[3]

# A trainer without a model: holds its folder, says that it does, and waits to be told to end.
TRAINER = """
import sys, time
from pathlib import Path
from core.errors import TrainingError
from core.training.process import hold, recorded

@recorded
def run():
    hold(Path(sys.argv[2]))
    print("holding", flush=True)
    what = sys.argv[1]
    if what == "fail":
        raise TrainingError("The loss at step 7 is not a number.")
    if what == "bug":
        raise KeyError("weight")
    if what == "memory":
        raise type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory. Tried to allocate")
    time.sleep(0 if what == "done" else 60)
    return {"ended": "done"}

print("beginning", flush=True)
time.sleep(60 if sys.argv[1] == "early" else 0)
try:
    run()
except TrainingError as error:
    sys.exit(str(error))
"""


def begin(name: str, what: str) -> jobs.Run:
    jobs.start(name, ["-c", TRAINER, what, str(runs_folder() / name)])
    return jobs.read_run(name)


def until(name: str, *states: str, says: str = "") -> jobs.Run:
    """Wait until the run is in one of the states, and has said something."""
    for _ in range(300):
        run = jobs.read_run(name)
        if run.state in states and says in jobs.log_tail(run.folder):
            return run
        time.sleep(0.05)
    raise AssertionError(f"{run.state}: {jobs.log_tail(run.folder)}")


@pytest.fixture(autouse=True)
def clean(home: Path) -> object:
    """No trainer of a test lives on."""
    yield
    for name in jobs.run_names():
        process = Process.read(runs_folder() / name)
        if process and process.pid != os.getpid() and (found := process.find()):
            found.kill()


def test_a_run_that_ends_well(home: Path) -> None:
    assert begin("a", "done").state == "running"
    run = until("a", "done")
    assert jobs.run_names() == ["a", *jobs.shipped_runs()] and "holding" in jobs.log_tail(run.folder)
    assert run.process and run.process.held and run.process.ended == "done" and 0 < run.seconds < 30
    jobs.delete("a")
    assert jobs.run_names() == list(jobs.shipped_runs()) and not list(runs_folder().iterdir())


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("fail", "The loss at step 7 is not a number."),
        ("bug", "KeyError: 'weight'. This is a bug in Vitrine; see the log."),
        ("memory", "The GPU's memory is exhausted. Use a smaller batch"),
    ],
)
def test_a_run_that_fails_says_why(home: Path, what: str, says: str) -> None:
    begin("a", what)
    run = until("a", "failed")
    assert run.error.startswith(says) and "\n" not in run.error


def test_a_run_that_fails_before_it_begins_says_its_last_words(home: Path) -> None:
    jobs.start("a", ["-m", "trainers.nothing"])
    assert "No module named trainers.nothing" in until("a", "failed").error
    (runs_folder() / "a" / LOG).unlink()
    assert "without a message" in jobs.read_run("a").error


def test_stopped_while_it_prepares_and_resumed(home: Path) -> None:
    begin("a", "wait")
    until("a", "running", says="holding")
    jobs.stop("a")
    run = until("a", "stopped")
    arguments = jobs.resuming(
        replace(
            run,
            trainer="single",
            config={},
            process=replace(run.process, command=["python", "-m", "trainers.single", "--dataset", "x"]),
        )
    )  # type: ignore[type-var]
    assert arguments == ["-m", "trainers.single", "--dataset", "x"]
    begin("a", "done")
    assert until("a", "done").seconds >= run.seconds
    with pytest.raises(TrainingError, match="not running"):
        jobs.stop("a")


def test_stopped_before_the_trainer_was_ready(home: Path) -> None:
    begin("a", "early")
    until("a", "running", says="beginning")
    jobs.stop("a")
    assert until("a", "stopped").process.held is False  # type: ignore[union-attr]


def test_killed_is_interrupted(home: Path) -> None:
    begin("a", "wait")
    run = until("a", "running", says="holding")
    run.process.find().kill()  # type: ignore[union-attr]
    assert until("a", "interrupted").error == ""


def test_a_number_that_is_used_again_is_not_the_run(home: Path) -> None:
    begin("a", "wait")
    run = until("a", "running", says="holding")
    assert run.process and run.process.alive()
    own = replace(run.process, pid=os.getpid())  # alive, and began at another time
    assert not own.alive()
    assert replace(own, created=psutil.Process().create_time()).alive()
    own.write(run.folder)
    assert jobs.read_run("a").state == "interrupted"
    run.process.write(run.folder)


def test_two_never_train_in_one_folder(home: Path) -> None:
    begin("a", "wait")
    run = until("a", "running", says="holding")
    with pytest.raises(TrainingError, match=r"already being trained by process \d+"):
        begin("a", "done")
    from_a_terminal = subprocess.run(
        [sys.executable, "-c", TRAINER.replace("hold(Path", "hold.__globals__.update(LOCK_WAIT_S=0.1); hold(Path"), "done", str(run.folder)],
        cwd=PROJECT, capture_output=True, text=True,
    )  # fmt: skip
    assert from_a_terminal.returncode == 1
    assert "is already being trained by process" in from_a_terminal.stderr
    with pytest.raises(TrainingError, match="is running"):
        jobs.delete("a")
    assert jobs.read_run("a").state == "running"


def test_a_deleted_folder_stays_deleted(home: Path) -> None:
    folder = runs_folder() / "a"

    @recorded
    def train() -> dict[str, object]:
        hold(folder)
        (folder / PROCESS).unlink()
        folder.rmdir()
        return {}

    assert train() == {} and not folder.exists()
    with pytest.raises(ModelError, match="no run named 'a'"):
        jobs.read_run("a")


def test_the_handler_and_the_lock_are_given_back(home: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)

    @recorded
    def train(fails: bool) -> dict[str, object]:
        hold(runs_folder() / "a")
        if fails:
            raise TrainingError("no")
        return {"ended": "early"}

    with pytest.raises(TrainingError, match="no"):
        train(True)
    assert jobs.read_run("a").state == "failed"
    train(False)
    assert jobs.read_run("a").state == "done"
    assert signal.getsignal(signal.SIGTERM) is before
    with locked(runs_folder() / "a"):
        pass


def write_config(name: str, **config: object) -> Path:
    folder = runs_folder() / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_runs_from_before_processes_were_noted(home: Path) -> None:
    model = {"fusion": "lmf"}
    folder = write_config(
        "old", architecture="fusion", model=model, preset="lmf-tiny", dataset="toy", training={"steps": 5}
    )
    run = jobs.read_run("old")
    assert (run.state, run.title, run.preset, run.datasets, run.steps) == (
        "interrupted", "Low-rank fusion (LMF)", "lmf-tiny", ["toy"], 5,
    )  # fmt: skip
    assert jobs.resuming(run)[:3] == ["-m", "trainers.fusion", "--resume"]
    (folder / "model.safetensors").touch()
    assert jobs.read_run("old").state == "done"


def test_clip_is_a_run_too(home: Path) -> None:
    write_config("clip-tiny", preset="tiny", datasets=["a", "b"], training={"steps": 9, "seed": 1})
    run = jobs.read_run("clip-tiny")
    assert (run.title, run.datasets, run.steps, run.state) == ("CLIP", ["a", "b"], 9, "interrupted")
    assert jobs.resuming(run)[4:] == [
        *("--out", str(run.folder))[1:], "--preset", "tiny", "--dataset", "a", "--dataset", "b", "--steps", "9", "--seed", "1",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "{", '{"training": 3, "model": [], "dataset": {}}', "\x00"])
def test_a_broken_configuration_breaks_nothing(home: Path, text: str) -> None:
    folder = write_config("a")
    (folder / "config.json").write_text(text)
    (folder / PROCESS).write_text(text)
    assert jobs.read_run("a").state in ("interrupted", "failed")  # failed: it is said to be damaged
    with pytest.raises(TrainingError):
        jobs.resuming(jobs.read_run("a"))


@pytest.mark.parametrize("name", ["../a", "", ".hidden", "a/b", "x" * 200])
def test_a_name_cannot_leave_the_folder(home: Path, name: str) -> None:
    write_config("a")
    with pytest.raises(ModelError):
        jobs.read_run(name)
    with pytest.raises(TrainingError):
        jobs.command("single", name, [])


def test_the_command_can_be_copied(home: Path) -> None:
    write_config("a-b")
    name = jobs.free_name("a-b")
    arguments = jobs.command("single", name, ["--dataset", "it's"])
    assert jobs.shown(arguments) == (
        f"VITRINE_HOME={home} python -m trainers.single --dataset 'it'\"'\"'s' --out {home}/runs/a-b-2"
    )
