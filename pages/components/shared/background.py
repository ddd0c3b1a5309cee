"""Run a command of Vitrine from a page, as a process of its own: it slows no visitor and outlives the page."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psutil
import streamlit as st

from core.errors import VitrineError
from core.settings import PROJECT
from pages import access
from pages.components.shared.markdown import plain

NICE = 10  # visitors go first
SHOWN_EVERY_S = 0.2


def offer(button: str, command: Sequence[str], shown: Sequence[str]) -> None:
    """A button that runs a command and then the page anew; for a visitor who may not, the command to run elsewhere.

    Args:
        command: as for `run`.
        shown: its words as a person types them after `vitrine`.
    """
    if access.may(access.COMPUTE):
        if st.button(button, type="primary"):
            try:
                run(command)
            except VitrineError as error:
                st.error(plain(str(error)))
                return
            st.rerun()
        st.caption("Or run in a terminal:")
    else:
        st.caption("Run this on the machine that serves Vitrine:")
    st.code(shlex.join(["vitrine", *shown]), language=None, wrap_lines=True)


def run(command: Sequence[str], counted: str = "", numbers: bool = False) -> Any:
    """Run `python -m core COMMAND...` with a progress bar. Leaving the page does not stop it.

    Args:
        counted: unit of the progress, e.g. "pictures"; without it the bar shows the command's own message.
        numbers: append the counts to the command's own message.

    Returns:
        What the command prints as JSON.

    Raises:
        VitrineError: it failed; the text is the command's own.
    """
    bar = st.progress(0.0, "Starting")
    name, *arguments = command
    with tempfile.TemporaryFile() as output:  # a pipe that is not read meanwhile would fill up
        process = subprocess.Popen(  # noqa: S603 - a fixed program; the arguments are never read by a shell
            [sys.executable, "-m", "core", name, "--json", "--progress-lines", *arguments],
            cwd=PROJECT,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )
        with suppress(psutil.Error):
            psutil.Process(process.pid).nice(NICE)
        assert process.stderr is not None
        last: deque[str] = deque(maxlen=3)
        started, shown = time.monotonic(), 0.0
        for line in process.stderr:
            try:
                step = json.loads(line)
                done, total, what = step["done"], step["total"], plain(str(step["what"]))
            except (ValueError, TypeError, KeyError):
                last.append(line.strip())
                continue
            if time.monotonic() - shown < SHOWN_EVERY_S:
                continue
            shown = time.monotonic()
            if counted:
                left = (shown - started) * (total - done) / max(1, done)
                what = f"{done:,} of {total:,} {counted}, about {left:,.0f} s left"
            elif numbers and total:
                what += f": {done:,} of {total:,}"
            bar.progress(min(1.0, done / total) if total else 0.0, what)
        bar.empty()
        if process.wait() < 0:  # ended from outside, or by a library that could not go on
            raise VitrineError(
                f"{name} was ended by the system (signal {-process.returncode}), perhaps for want of memory. "
                "Nothing was kept."
            )
        if process.returncode != 0:
            raise VitrineError(" ".join(part for part in last if part) or f"{name} failed.")
        output.seek(0)
        return json.load(output)
