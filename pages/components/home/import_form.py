"""Add a dataset by path. The import runs as its own process, so that it blocks no page and continues when this one is closed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.sources import SOURCES, source
from core.storage import being_built
from pages.components.home import import_preview
from pages.components.shared import background
from pages.components.shared.markdown import plain


def show() -> None:
    """The form, what would be read, and what is being imported at the moment."""
    for name in being_built():
        st.caption(f"Being imported: {name}. It appears here when it is whole.")
    if st.session_state.pop(
        "import-done", False
    ):  # the form is empty again: a running import needs no preview
        st.session_state["import-path"] = st.session_state["import-name"] = ""
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
        path = _place(st.text_input("Path or address on the machine that serves Vitrine", key="import-path"))
        name = st.text_input("Name", placeholder="letters, digits, - and _", key="import-name").strip()
        clean = st.checkbox("Clean the text as GLAMI does", key="import-clean")
        looked_at = st.container()
        asked = st.button("Import", type="primary", key="import-start")
        with looked_at:  # the button is there while the files are still being looked at
            options = ["--clean-text"] if clean else []
            options += import_preview.show(layout, path, options, read=not asked) if path else []
        if asked:
            if not path or not name:
                st.error("Give a path and a name.")
                return
            report = background.run(["import", "--name", name, *options, "--", layout, path])
            st.toast(plain(f"{report['name']}: {report['rows']:,} products."))
            st.session_state["import-done"] = True
            st.rerun()


def _place(typed: str) -> str:
    """A path as it was meant: without quotes around it, from the home folder where it begins with ~."""
    typed = typed.strip()
    if "://" in typed or not (bare := typed.strip("'\"")):
        return typed.strip("'\"")
    return str(Path(bare).expanduser())
