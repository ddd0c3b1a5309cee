"""The progress of a dataset's preparation, for pages: imports no heavy library."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from core.catalog.info import DatasetInfo
from core.settings import PROJECT, settings

FILE = "preparing.json"  # in the dataset's folder; the process that prepares holds a lock on it
NICE = 10  # visitors go first

_starting: set[Path] = set()  # folders of datasets whose job this process starts or has started

State = Literal["done", "waiting", "running", "failed", "left out"]


@dataclass(frozen=True)
class Step:
    """One part of a job and how far it is."""

    key: str
    title: str
    state: State
    seconds: float  # about how long it takes; how long it took where it is done by this job
    why: str = ""  # it failed or was left out
    done: int = 0
    total: int = 0

    @property
    def share(self) -> float:
        """Done of this part, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


@dataclass(frozen=True)
class Job:
    """A job as its file describes it."""

    running: bool
    steps: tuple[Step, ...]

    @property
    def current(self) -> Step | None:
        """The part that is being made."""
        return next((step for step in self.steps if step.state == "running"), None) if self.running else None

    @property
    def complete(self) -> bool:
        """Did it end by itself, and did every part succeed that it did not leave out?"""
        return (
            not self.running and bool(self.steps) and all(s.state in ("done", "left out") for s in self.steps)
        )

    def step(self, key: str) -> Step | None:
        """The part of that key."""
        return next((step for step in self.steps if step.key == key), None)

    def comes(self, key: str) -> bool:
        """Will this job make that part, now or later? True where nobody knows yet: it is starting, or writes how far it is."""
        if not self.steps:
            return self.running
        step = self.step(key)
        return self.running and step is not None and step.state in ("running", "waiting")

    def seconds_left(self, key: str) -> float:
        """About how long it takes until that part is there."""
        left = 0.0
        for step in self.steps:
            if step.state == "running":
                left += step.seconds * (1 - step.share)
            elif step.state == "waiting":
                left += step.seconds
            if step.key == key:
                break
        return left


def job_of(info: DatasetInfo) -> Job | None:
    """The job that prepares a dataset now, or how the last one ended; None where there was none."""
    found = _read(info)
    if info.folder in _starting and not (found and found.running):
        return Job(True, ())
    return found


def expect(info: DatasetInfo) -> None:
    """A job will start: until `start` has done so, or `give_up` was called, it counts as running."""
    _starting.add(info.folder)


def give_up(info: DatasetInfo) -> None:
    """No job will start after all."""
    _starting.discard(info.folder)


def _read(info: DatasetInfo) -> Job | None:
    try:
        with (info.folder / FILE).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                running = False
            except BlockingIOError:
                running = True
            text = file.read()
    except OSError:
        return None
    try:
        return Job(running, tuple(Step(**entry) for entry in json.loads(text)))
    except (ValueError, TypeError):  # it is being written this moment, or was cut short
        return Job(running, ())


def start(info: DatasetInfo, wait_s: float = 20.0) -> None:
    """Prepare a dataset in a process of its own, at low priority; returns once it has begun, or has ended at once.
    It outlives the page that started it.

    Raises:
        OSError: the process cannot be started.
    """
    expect(info)
    try:
        process = _process(info)
    except OSError:
        give_up(info)
        raise
    threading.Thread(target=_until_over, args=(process, info), daemon=True).start()
    until = time.monotonic() + wait_s
    while time.monotonic() < until and process.poll() is None:
        if (job := _read(info)) and job.running:
            return
        time.sleep(0.05)


def _until_over(process: subprocess.Popen[bytes], info: DatasetInfo) -> None:
    """Its libraries may take long to load: it counts as running before it holds the lock."""
    process.wait()
    give_up(info)


def _process(info: DatasetInfo) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(  # noqa: S603 - our own command with a checked name, read by no shell
        [sys.executable, "-m", "core", "prepare", info.name, "--json"],
        cwd=PROJECT, env=os.environ | {"VITRINE_HOME": str(settings().home)},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with suppress(psutil.Error):
        psutil.Process(process.pid).nice(NICE)
    return process


def spoken(seconds: float) -> str:
    """
    >>> spoken(20), spoken(240), spoken(9_000)
    ('about 20 seconds', 'about 4 minutes', 'about 2.5 hours')
    """
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5):.0f} seconds"
    return f"about {seconds / 60:.0f} minutes" if seconds < 5_400 else f"about {seconds / 3_600:.1f} hours"
