"""Training jobs: start a run in its own process, stop, resume and delete it, and read its state.

The state is read only from the run's folder: it survives a restart of the server, and runs started from a terminal are
handled in the same way.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import psutil

from core.errors import DamagedRunError, ModelError, TrainingError
from core.settings import ASSETS, PROJECT
from core.storage import storage_errors
from core.training.curves import METRICS, last_line
from core.training.process import LOG, PROCESS, STOP_ASKED, Process, locked, spent
from core.training.runs import CONFIG, ENCODER_WEIGHTS, RUN_MODEL, RUN_NAME, WEIGHTS, RunConfig, runs_folder
from core.training.titles import title_of

State = Literal["running", "stopping", "done", "stopped", "failed", "interrupted"]
SHIPPED = "shipped.json"  # in the folder of bundled weights that are shown as a run
LOG_BYTES = 16_384  # of the end of a log that are shown
CONFIG_BYTES = 8 * 2**20  # largest configuration file
DYING_S = 2.0  # for a killed process to release its folder
NICE = 10  # lower priority than the server
TRAINERS = (
    "embracenet",
    "fusion",
    "single",
    "ngrams",
    "probe",
    "clip",
    "contrastive",
)  # architectures and their trainers' names


@dataclass(frozen=True)
class Run:
    """The state of a run, read from its folder."""

    name: str
    folder: Path
    state: State
    title: str  # of its network; empty if unknown
    trainer: str
    preset: str
    datasets: list[str]
    step: int
    steps: int  # 0 if unknown yet
    last: dict[str, Any]  # the last line of metrics.jsonl
    error: str  # why it failed, one line
    begun: float  # Unix time of the start of its last process; 0 if unknown
    seconds: float  # total time of its processes
    process: Process | None
    config: dict[str, Any] = field(default_factory=dict)
    saved: int = 0  # step of the last checkpoint; 0 if there is none
    measured: float = 0.0  # Unix time of the last metrics; 0 if there are none
    shipped: bool = False  # it came with Vitrine, and is only read

    @property
    def alive(self) -> bool:
        return self.state in ("running", "stopping")

    @property
    def preparing(self) -> bool:
        """Whether it is running but has not taken a step yet: metrics are those of an earlier process."""
        return self.alive and self.measured < self.begun

    @property
    def usable(self) -> bool:
        """Whether it can be used as a classifier."""
        return (self.folder / WEIGHTS).exists() and not self.alive

    @property
    def encodes(self) -> bool:
        """Is it done, and an encoder of pictures and texts?"""
        return (self.folder / RUN_MODEL / ENCODER_WEIGHTS).exists() and not self.alive

    @property
    def by_pairs(self) -> bool:
        """Was it trained on pairs of picture and text, and is measured by retrieval?"""
        return self.trainer == "contrastive"


def shipped_runs() -> dict[str, Path]:
    """Runs that came with Vitrine, by name: bundled weights with their figures (trainers/shipped.py)."""
    found = sorted(path.parent for path in (ASSETS / "models").glob(f"*/{SHIPPED}"))
    return {folder.name: folder for folder in found if (folder / CONFIG).exists()}


def run_names() -> list[str]:
    """All runs in VITRINE_HOME/runs, newest first, including those without a configuration yet. Then the shipped ones."""
    found: dict[str, float] = {}
    for file in (CONFIG, PROCESS):
        for path in runs_folder().glob(f"*/{file}"):
            if RUN_NAME.fullmatch(path.parent.name) and (changed := _changed(path)):
                found[path.parent.name] = max(changed, found.get(path.parent.name, 0.0))
    names = sorted(found, key=lambda name: (-found[name], name))
    return [*names, *(name for name in shipped_runs() if name not in found)]


def folder_of(name: str) -> Path:
    """
    Raises:
        ModelError: there is no run of that name.
    """
    folder = runs_folder() / name
    there = RUN_NAME.fullmatch(name) and any((folder / file).exists() for file in (CONFIG, PROCESS))
    if not there and (shipped := shipped_runs().get(name)):
        return shipped
    if not there:
        raise ModelError(f"There is no run named {name!r}. It may have been deleted.")
    return folder


def read_run(name: str) -> Run:
    """
    Raises:
        ModelError: there is no run of that name.
    """
    folder = folder_of(name)
    config, process, last = _config(folder), Process.read(folder), last_line(folder)
    training = config.get("training") if isinstance(config.get("training"), dict) else {}
    steps = training.get("steps") if isinstance(training, dict) else 0
    steps = steps if isinstance(steps, int) else 0
    step = int(last.get("step", 0))
    state = _state(folder, config, process, bool(steps) and step >= steps)
    damaged = ""
    if state not in ("running", "stopping"):
        try:
            RunConfig.read(folder)
        except DamagedRunError as error:
            state, damaged, config = "failed", str(error), {}
        except ModelError:  # another kind of trainer, or no configuration yet
            pass
    architecture = str(config.get("architecture") or ("clip" if "datasets" in config else ""))
    architecture = architecture or _trainer_of(process)
    model = config.get("model")
    known = isinstance(model, dict) or architecture in ("embracenet", "ngrams", "clip", "probe")
    saved = sorted(folder.glob("checkpoint-*.safetensors"))
    return Run(
        name=name,
        folder=folder,
        state=state,
        title=title_of(architecture, model if isinstance(model, dict) else {}) if known else "",
        trainer=_trainer_of(process) or architecture,
        preset=str(config.get("preset") or _option(process, "--preset")),
        datasets=_datasets(config) or list(filter(None, [_option(process, "--dataset")])),
        step=step,
        steps=steps,
        last=last,
        error=damaged or (_error(folder, process) if state == "failed" else ""),
        begun=process.begun if process else 0.0,
        seconds=_seconds(folder, config, process, state),
        process=process,
        config=config,
        saved=int(saved[-1].stem.split("-")[1]) if saved and saved[-1].stem[11:].isdigit() else 0,
        measured=_changed(folder / METRICS) if last else 0.0,
        shipped=folder.parent != runs_folder(),
    )


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # deleted concurrently
        return 0.0


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        if path.stat().st_size > CONFIG_BYTES:
            return {}
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _datasets(config: dict[str, Any]) -> list[str]:
    """The training datasets: one of a classifier, several of CLIP."""
    found = config.get("datasets") or config.get("dataset") or []
    return [
        str(name) for name in (found if isinstance(found, list | dict) else [found])
    ]  # of a dict its names


def _state(folder: Path, config: dict[str, Any], process: Process | None, at_end: bool) -> State:
    if process is None:  # trained by an old version, or copied from another machine
        finished = bool(config.get("result")) or (folder / WEIGHTS).exists() or at_end
        return "done" if finished else "interrupted"
    if process.alive():
        return "stopping" if (folder / STOP_ASKED).exists() else "running"
    if process.ended:
        ended: dict[str, State] = {"done": "done", "early": "done", "stopped": "stopped"}
        return ended.get(process.ended, "failed")
    if (folder / STOP_ASKED).exists():
        return "stopped"
    return "interrupted" if process.held else "failed"


def _error(folder: Path, process: Process | None) -> str:
    """The recorded error, or else the last line of the log."""
    if process is not None and process.error:
        return process.error
    said = [line.strip() for line in log_tail(folder).splitlines() if line.strip()]
    return said[-1][:500] if said else "The trainer ended before it started, without a message."


def _seconds(folder: Path, config: dict[str, Any], process: Process | None, state: State) -> float:
    if process is None:
        result = config.get("result")
        return float(result.get("seconds", 0.0)) if isinstance(result, dict) else 0.0
    if state in ("running", "stopping"):
        return process.spent_s + max(0.0, time.time() - process.begun)
    return spent(folder, process)


def log_tail(folder: Path) -> str:
    """The end of the trainer's log; empty if it was started from a terminal."""
    try:
        with (folder / LOG).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            text = os.pread(file.fileno(), LOG_BYTES, max(0, size - LOG_BYTES)).decode("utf-8", "replace")
    except OSError:
        return ""
    return text if size <= LOG_BYTES else text.partition("\n")[2]


# -- actions of the owner


def free_name(wanted: str) -> str:
    """`wanted`, with a number appended if the folder exists."""
    name, number = wanted[:90], 1
    while (runs_folder() / name).exists():
        number += 1
        name = f"{wanted[:90]}-{number}"
    return name


def command(trainer: str, name: str, options: Sequence[str]) -> list[str]:
    """The arguments of `start` for a new run.

    Raises:
        TrainingError: the name is not valid as a folder name.
    """
    if not RUN_NAME.fullmatch(name):
        raise TrainingError(
            f"{name!r} cannot be a run's name. Use letters, digits, '-', '_' and '.', 100 at most, "
            "starting with a letter or digit."
        )
    return ["-m", f"trainers.{trainer}", *options, "--out", str(runs_folder() / name)]


def shown(arguments: Sequence[str]) -> str:
    """The command as typed in Vitrine's folder."""
    home = os.environ.get("VITRINE_HOME")
    return (f"VITRINE_HOME={shlex.quote(home)} " if home else "") + shlex.join(["python", *arguments])


def start(name: str, arguments: Sequence[str]) -> Process:
    """Start a trainer in its own process, which outlives the server.

    Args:
        arguments: from `command` or `resuming`.

    Raises:
        TrainingError: the run is being trained already.
        StorageError: its folder cannot be created, or the disk is full.
    """
    folder = runs_folder() / name
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, DYING_S):  # until its pid is recorded; the trainer waits for the lock
        before = Process.read(folder)
        if before is not None and before.alive():
            raise TrainingError(f"{name} is already being trained by process {before.pid}.")
        with storage_errors(folder):
            (folder / STOP_ASKED).unlink(missing_ok=True)
            with (folder / LOG).open("ab") as log:
                trainer = subprocess.Popen(  # noqa: S603 - our own program; no shell reads the arguments
                    [sys.executable, *arguments],
                    cwd=PROJECT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        threading.Thread(target=trainer.wait, daemon=True).start()  # reaps the zombie
        now = time.time()
        try:
            found = psutil.Process(trainer.pid)
            found.nice(NICE)
            created = found.create_time()
        except psutil.Error:  # already ended
            created = now
        process = Process(trainer.pid, created, [sys.executable, *arguments], now)
        if before is not None:
            process = replace(process, spent_s=spent(folder, before))
        process.write(folder)
    return process


def resuming(run: Run) -> list[str]:
    """The arguments of `start` to resume a run.

    Raises:
        TrainingError: its command is not recorded.
    """
    if run.trainer not in TRAINERS:
        raise TrainingError(f"{run.name} does not record its trainer and cannot be resumed here.")
    given = list(run.process.command) if run.process else []
    if not run.config:  # it was stopped before writing its configuration: start again
        if "-m" in given:
            return given[given.index("-m") :]
        raise TrainingError(f"{run.name} has no configuration and no recorded command.")
    kept = [word for word in ("--cpu",) if word in given]
    for word in ("--workers", "--threads"):
        if value := _option(run.process, word):
            kept += [word, value]
    if run.trainer == "clip":  # takes its configuration from the command line
        kept += ["--preset", run.preset]
        for dataset in run.datasets:
            kept += ["--dataset", dataset]
        training = run.config.get("training", {})
        for word in ("steps", "batch_size", "learning_rate", "seed"):
            if word in training:
                kept += [f"--{word.replace('_', '-')}", str(training[word])]
    return ["-m", f"trainers.{run.trainer}", "--resume", "--out", str(run.folder), *kept]


def stop(name: str, at_once: bool = False) -> None:
    """Ask a run's process to save and exit; `at_once` kills it without saving.

    Raises:
        ModelError: there is no such run.
        TrainingError: it is not running, or belongs to another user.
    """
    folder = folder_of(name)
    process = Process.read(folder)
    found = process.find() if process and not process.ended else None
    if found is None:
        raise TrainingError(f"{name} is not running.")
    with storage_errors(folder):
        (folder / STOP_ASKED).touch()
    try:
        found.kill() if at_once else found.terminate()  # psutil checks again that it is the same process
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        (folder / STOP_ASKED).unlink(missing_ok=True)
        raise TrainingError(
            f"{name} was started by another user of this machine; only that user can stop it."
        ) from error


def delete(name: str) -> None:
    """Delete a run that is not running, atomically.

    Raises:
        ModelError: there is no such run.
        TrainingError: it is running, or came with Vitrine.
        StorageError: the folder cannot be written.
    """
    folder = folder_of(name)
    if folder.parent != runs_folder():
        raise TrainingError(f"{name} is shipped with Vitrine and cannot be deleted.")
    process = Process.read(folder)
    if process is not None and process.alive():
        raise TrainingError(f"{name} is running. Stop it first.")
    leaving = folder.with_name(f".removed-{name}-{uuid.uuid4().hex[:12]}")
    with locked(folder), storage_errors(folder.parent):
        folder.rename(leaving)
    shutil.rmtree(leaving, ignore_errors=True)


def _trainer_of(process: Process | None) -> str:
    for word in process.command if process else ():
        if word.startswith("trainers."):
            return word.removeprefix("trainers.")
    return ""


def _option(process: Process | None, word: str) -> str:
    """The value of an option in a recorded command."""
    given = process.command if process else []
    return given[given.index(word) + 1] if word in given[:-1] else ""
