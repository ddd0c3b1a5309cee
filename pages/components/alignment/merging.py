"""Alignment: decisions as a file, and the merged dataset."""

from __future__ import annotations

import json

import streamlit as st

from core.errors import VitrineError
from core.labels import decisions, merge
from core.labels.alignment import Alignment
from pages import access
from pages.components.shared.markdown import plain

FILE_MB = 16


def show(found: Alignment) -> None:
    """What the merge would change, and buttons for it."""
    decided = decisions.decisions(found)
    try:
        made = merge.tree(found, decided)
    except VitrineError as error:
        st.error(plain(str(error)))
        made = None
    if made is not None:
        with st.container(horizontal=True):
            st.metric("Sub-classes now", f"{len(found.classes):,}")
            st.metric("After the merge", f"{made.classes:,}")
            st.metric("Decided", f"{len(decided):,}")
        st.caption(
            "Sub-classes of equal names count as one unless somebody said “not the same”. The sources stay as they are: the merge "
            "is a new dataset, where each product keeps its old label in `extra`."
        )
        if access.may(access.MANAGE):
            _apply(found, decided)
        else:
            st.info(f"Only {access.who(access.MANAGE)} can write the merged dataset.")
    st.subheader("Decisions as a file", anchor=False)
    if decided:
        st.download_button(
            "Download the decisions",
            json.dumps(decisions.exported(found), ensure_ascii=False, indent=1),
            f"alignment-{'-'.join(found.datasets)}.json",
            "application/json",
        )
    if access.may(access.MANAGE):
        _take(found)


def _apply(found: Alignment, decided: dict[int, decisions.Decided]) -> None:
    with st.form("merge", border=False):
        name = st.text_input("Name of the merged dataset", f"{'-'.join(found.datasets)}-aligned"[:60])
        pressed = st.form_submit_button("Write the merged dataset", type="primary")
    if pressed:
        with st.spinner("Writing products"):
            report = merge.apply(found, decided, name.strip())
        st.success(
            f"{plain(report.name)}: {report.rows:,} products. Open it with the choice of datasets above."
        )


def _take(found: Alignment) -> None:
    with st.form("take", border=False, clear_on_submit=True):
        file = st.file_uploader("Take decisions from a file", type="json", max_upload_size=FILE_MB)
        pressed = st.form_submit_button("Take them")
    if pressed and file is not None:
        try:
            said = json.loads(file.getvalue().decode("utf-8"))
        except (ValueError, RecursionError):
            st.error("The file is not JSON.")
            return
        taken, missing = decisions.take(found, said, "The file")
        told = f"; {missing:,} are on sub-classes that are not here" if missing else ""
        st.success(f"{taken:,} decisions taken{told}.")
