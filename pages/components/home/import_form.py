"""Add a dataset by path. The import runs as its own process, so that it slows nobody and outlives the page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.sources import SOURCES, source
from core.storage import being_built
from pages.components.shared import background
from pages.components.shared.markdown import plain


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
        report = background.run(["import", *options, "--", layout, path])
        st.toast(plain(f"{report['name']}: {report['rows']:,} products."))
        st.rerun()
