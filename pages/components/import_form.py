"""Add a dataset by path. The import runs as its own process, so that it slows nobody and outlives the page."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from core.errors import VitrineError
from core.settings import PROJECT
from core.sources import SOURCES, source
from core.storage import being_built


def show() -> None:
    """The form, and what is being imported at the moment."""
    for name in being_built():
        st.caption(f"Being imported: {name}. It appears here when it is whole.")
    with st.expander("Add a dataset"):
        titles = {spec.name: spec.title for spec in SOURCES}
        layout = st.segmented_control(
            "Layout",
            list(titles),
            default="glami",
            format_func=titles.__getitem__,
            key="import-layout",
            required=True,
        )
        st.caption(f"Path: {source(layout).accepts}.")
        with st.form("import", border=False):
            path = st.text_input("Path or address on the machine that serves Vitrine")
            name = st.text_input("Name", placeholder="letters, digits, - and _")
            columns = st.text_input(
                "Columns", placeholder="name=title, image=photo", help="Ours = yours, for tables"
            )
            clean = st.checkbox("Clean the text as GLAMI does")
            asked = st.form_submit_button("Import", type="primary")
    if asked:
        path, name = (
            str(Path(path.strip().strip("'\"")).expanduser()) if "://" not in path else path.strip(),
            name.strip(),
        )
        if not path or path == "." or not name:
            st.error("Give a path and a name.")
            return
        options = ["--name", name, *(["--clean-text"] if clean else [])]
        for pair in filter(None, (pair.strip() for pair in columns.split(","))):
            options += ["--map", "=".join(side.strip() for side in pair.split("=", 1))]
        _run([*options, "--", layout, path])


def _run(arguments: list[str]) -> None:
    """Import with a progress bar; the error or the counts at the end."""
    bar = st.progress(0.0, "Starting")
    process = subprocess.Popen(  # noqa: S603 - a fixed program; the arguments are never read by a shell
        [sys.executable, "-m", "core", "import", "--json", "--progress-lines", *arguments],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    last: deque[str] = deque(maxlen=3)
    shown = 0.0
    for line in _lines(process.stderr):
        try:
            step = json.loads(line)
        except ValueError:
            last.append(line.strip())
            continue
        if time.monotonic() - shown > 0.2:
            shown = time.monotonic()
            bar.progress(step["done"] / step["total"] if step["total"] else 0.0, step["what"])
    output = process.stdout.read()
    bar.empty()
    if process.wait() != 0:
        raise VitrineError(" ".join(last) or "The import failed.")
    report = json.loads(output)
    st.toast(f"{report['name']}: {report['rows']:,} products.")
    st.rerun()


def _lines(stream: Iterator[str]) -> Iterator[str]:
    for line in stream:
        if line.strip():
            yield line
