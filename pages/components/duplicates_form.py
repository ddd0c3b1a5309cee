"""Look for duplicates from the page: an own process, so that it slows nobody and outlives the page."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import deque

import streamlit as st

from core.catalog import DatasetInfo
from core.duplicates import hashing
from core.errors import VitrineError
from core.settings import PROJECT
from pages import resources
from pages.components.markdown import plain

PICTURES_PER_S = 200  # that two processors hash, about


def show(
    info: DatasetInfo, why: str, arguments: tuple[str, ...] = (), label: str = "Look for duplicates"
) -> None:
    """Say what is missing, and offer to make it.

    Args:
        why: what a visitor would see, in a sentence.
        arguments: of the command, beside the dataset's name.
    """
    command = " ".join(["python -m core duplicates", info.name, *arguments])
    if hashing.under_way(info):
        st.info(f"Duplicates of {plain(info.name)} are being looked for now. Come back when that is done.")
        st.button("Look again")
        return
    st.info(plain(why))
    if not resources.is_local_visitor():
        st.caption(f"It is started on the machine that serves Vitrine: {plain(command)}")
        return
    if st.button(label, type="primary"):
        run(info, arguments)
    st.caption(f"Or in a terminal: {plain(command)}")


def run(info: DatasetInfo, arguments: tuple[str, ...]) -> None:
    """Look with a progress bar; leaving the page does not stop it."""
    bar = st.progress(0.0, "Starting")
    process = subprocess.Popen(  # noqa: S603 - a fixed program; the arguments are never read by a shell
        [*(sys.executable, "-m", "core", "duplicates", info.name, *arguments), "--json", "--progress-lines"],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    last: deque[str] = deque(maxlen=3)
    for line in process.stderr:
        try:
            step = json.loads(line)
        except ValueError:
            last.append(line.strip())
            continue
        done, total = step["done"], step["total"]
        count = f": {done:,} of {total:,}" if total else ""
        bar.progress(min(1.0, done / total) if total else 0.0, plain(f"{step['what']}{count}"))
    bar.empty()
    if process.wait() != 0:
        raise VitrineError(" ".join(part for part in last if part) or "Duplicates could not be looked for.")
    st.rerun()


def pictures(info: DatasetInfo) -> str:
    """How many there are to read: fewer than products where several show the same."""
    return f"{hashing.pictures(info):,} pictures of {info.with_picture:,} products"


def minutes(info: DatasetInfo) -> str:
    """How long it takes, about."""
    took = hashing.pictures(info) / PICTURES_PER_S / 60
    return "under a minute" if took < 1 else f"about {took:.0f} minutes"
