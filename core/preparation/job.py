"""The job that prepares a dataset: one process at a time, resumable, its progress readable by everybody.

`preparing.json` in the dataset's folder says how far the job is; its process holds a lock on it, which the
system releases however the process ends.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import IO

from core.catalog.info import DatasetInfo
from core.errors import PreparationError, VitrineError
from core.preparation.parts import PARTS, Part, part
from core.preparation.state import FILE, Step, spoken
from core.progress import Progress, no_progress
from core.storage import storage_errors

LONG_S = 1_800.0  # a part that takes longer is left out unless it is asked for
WRITTEN_EVERY_S = 0.3
LOCK_TRIES = 20


def plan(info: DatasetInfo, only: Sequence[str] = (), everything: bool = False) -> tuple[Step, ...]:
    """What a job would do.

    Args:
        only: keys of parts, instead of all; a part that is named is made however long it takes.
        everything: also make what takes longer than LONG_S.

    Raises:
        UsageError: there is no such part.
    """
    chosen = [part(key) for key in only] or list(PARTS)
    return tuple(_planned(each, info, everything or bool(only)) for each in PARTS if each in chosen)


def _planned(each: Part, info: DatasetInfo, long: bool) -> Step:
    if why := each.absent(info):
        return Step(each.key, each.title, "left out", 0.0, why)
    if each.done(info):
        return Step(each.key, each.title, "done", 0.0)
    seconds = each.seconds(info)
    if seconds > LONG_S and not long:
        why = f"it takes {spoken(seconds)}: vitrine prepare {info.name} --only {each.key}"
        return Step(each.key, each.title, "left out", seconds, why)
    return Step(each.key, each.title, "waiting", seconds)


def prepare(
    info: DatasetInfo,
    only: Sequence[str] = (),
    everything: bool = False,
    progress: Progress = no_progress,
) -> tuple[Step, ...]:
    """Make what is missing for the pages. A part that fails does not stop the others; a killed job goes on where
    it stopped when it is started again.

    Args:
        only, everything: see `plan`.

    Raises:
        PreparationError: another process prepares this dataset.
        UsageError: there is no such part.
        StorageError: the folder cannot be written.
    """
    with storage_errors(info.folder):
        file = (info.folder / FILE).open("a+", encoding="utf-8")
    with file:
        _lock(info, file)
        steps = list(plan(info, only, everything))
        for number, step in enumerate(steps):
            if step.state == "waiting":
                steps[number] = _made(info, steps, number, file, progress)
        _write(file, steps)
    return tuple(steps)


def _lock(info: DatasetInfo, file: IO[str]) -> None:
    """Take the lock, which a reader of the file may hold for a moment."""
    for _ in range(LOCK_TRIES):
        with suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(0.05)
    raise PreparationError(f"{info.name} is being prepared already. Wait until that is done.")


def _made(info: DatasetInfo, steps: list[Step], number: int, file: IO[str], progress: Progress) -> Step:
    """Make one part; what became of it."""
    written = 0.0
    step = replace(steps[number], state="running")

    def tell(done: int, total: int, what: str) -> None:
        nonlocal written, step
        if time.monotonic() - written > WRITTEN_EVERY_S:
            written = time.monotonic()
            step = replace(step, done=done, total=total)
            _write(file, [*steps[:number], step, *steps[number + 1 :]])
        progress(done, total, f"{number + 1} of {len(steps)}: {what}")

    started = time.monotonic()
    tell(0, 0, step.title)
    each = part(step.key)
    if why := each.absent(info):  # an earlier part failed
        return replace(step, state="left out", why=why)
    try:
        each.run(info, tell)
    except VitrineError as error:
        return replace(step, state="failed", why=str(error))
    return replace(step, state="done", seconds=round(time.monotonic() - started, 1))


def _write(file: IO[str], steps: Sequence[Step]) -> None:
    with suppress(OSError):  # a full disk stops the part that fills it, with its own words
        file.seek(0)
        file.truncate()
        file.write(json.dumps([asdict(step) for step in steps]))
        file.flush()
