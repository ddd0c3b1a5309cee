"""Make the vectors of a dataset from its page: an own process, so that it slows nobody and outlives the page."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import deque

import streamlit as st

from core.catalog import DatasetInfo
from core.embeddings.clip import ENCODERS
from core.embeddings.store import under_way
from core.errors import VitrineError
from core.settings import PROJECT
from pages import resources

PICTURES_PER_S = 150  # that two cores embed with the bundled encoder, about


def show(info: DatasetInfo) -> None:
    """Say that there are no vectors, and offer to make them."""
    command = f"python -m core embed {info.name} --encoder {ENCODERS[0].name}"
    if holder := under_way(info):
        st.info(f"The vectors of {info.name} are being made by {holder}. Come back when it is done.")
        st.button("Look again")
        return
    minutes = info.with_picture / PICTURES_PER_S / 60
    about = "under a minute" if minutes < 1 else f"about {minutes:.0f} minutes"
    st.info(
        f"{info.name} has no vectors to search with yet. Each picture is looked at once: {info.with_picture:,} "
        f"pictures, {about} on two processors. Searching by words needs none: choose Words."
    )
    if not resources.is_local_visitor():
        st.caption(f"They are made on the machine that serves Vitrine: {command}")
        return
    if st.button("Make them", type="primary"):
        _run(info)
    st.caption(f"Or in a terminal: {command}")


def _run(info: DatasetInfo) -> None:
    """Embed with a progress bar and the time left; leaving the page does not stop it."""
    bar = st.progress(0.0, "Starting")
    process = subprocess.Popen(  # noqa: S603 - a fixed program; the arguments are never read by a shell
        [
            *(sys.executable, "-m", "core", "embed", info.name),
            *("--encoder", ENCODERS[0].name, "--json", "--progress-lines"),
        ],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    last: deque[str] = deque(maxlen=3)
    started = time.monotonic()
    for line in process.stderr:
        try:
            step = json.loads(line)
        except ValueError:
            last.append(line.strip())
            continue
        done, total = step["done"], step["total"]
        left = (time.monotonic() - started) * (total - done) / max(1, done)
        bar.progress(
            done / total if total else 0.0, f"{done:,} of {total:,} pictures, about {left:,.0f} s left"
        )
    bar.empty()
    if process.wait() != 0:
        raise VitrineError(" ".join(part for part in last if part) or "The vectors could not be made.")
    st.rerun()
