"""Run a command of Vitrine from a page: an own process, so that it slows nobody and outlives the page."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import psutil
import streamlit as st

from core.errors import VitrineError
from core.settings import PROJECT

NICE = 10  # visitors go first


def run(command: Sequence[str], counted: str = "") -> None:
    """Run `python -m core COMMAND...` with a progress bar; leaving the page does not stop it.

    Args:
        counted: what its progress counts, e.g. "pictures"; without it the bar says what the command says.

    Raises:
        VitrineError: it failed; the text is the command's own.
    """
    bar = st.progress(0.0, "Starting")
    process = subprocess.Popen(  # noqa: S603 - a fixed program; the arguments are never read by a shell
        [sys.executable, "-m", "core", *command, "--json", "--progress-lines"],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with suppress(psutil.Error):
        psutil.Process(process.pid).nice(NICE)
    assert process.stderr is not None
    last: deque[str] = deque(maxlen=3)
    started = time.monotonic()
    for line in process.stderr:
        try:
            step = json.loads(line)
            done, total, what = step["done"], step["total"], str(step["what"])
        except (ValueError, TypeError, KeyError):
            last.append(line.strip())
            continue
        if counted:
            left = (time.monotonic() - started) * (total - done) / max(1, done)
            what = f"{done:,} of {total:,} {counted}, about {left:,.0f} s left"
        bar.progress(min(1.0, done / total) if total else 0.0, what)
    bar.empty()
    if process.wait() != 0:
        raise VitrineError(" ".join(part for part in last if part) or f"{command[0]} failed.")
