"""Saved views on Home: open, share as a file, delete, and add those of a shared file."""

from __future__ import annotations

import html

import streamlit as st

from core.catalog import views
from core.catalog.cohort import Cohort
from core.catalog.views import View
from core.errors import VitrineError
from pages import access
from pages.components.shared.markdown import plain

SHOWN = 6  # rows at first


def show() -> None:
    """The list; nothing where it is empty and the visitor may not add to it."""
    try:
        there = views.views()
    except VitrineError as error:
        if access.may(access.SAVE):
            st.header("Saved views", anchor=False)
            st.error(plain(str(error)))
        return
    may = access.may(access.SAVE)
    if not there and not may:
        return
    st.header("Saved views", anchor=False)
    if not there:
        st.caption("None yet. Every page has a button “Save this view” at its end.")
    more = len(there) > SHOWN and st.toggle(f"Show all {len(there)}", key="views-all")
    for made in there if more else there[:SHOWN]:
        _row(made, may)
    with st.container(horizontal=True):
        if there:
            st.download_button(
                "Share all", views.shared(there), "vitrine-views.json", "application/json",
                on_click="ignore", help="A small file; Vitrine elsewhere adds its views to its own.",
            )  # fmt: skip
        if may and st.button("Add from a file"):
            _receive()


def _row(made: View, may: bool) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"view-{made.name}"):
        with st.container(gap="xxsmall"):
            st.html(
                f'<a class="vitrine-view" href="{html.escape(made.address)}">{html.escape(made.name)}</a>'
            )
            st.caption(plain(_facts(made)))
        with st.popover("Share"):
            st.download_button(
                "Download this view", views.shared([made]), "vitrine-view.json", "application/json",
                key=f"share-{made.name}", on_click="ignore",
            )  # fmt: skip
            st.code(made.address, language=None, wrap_lines=True)
            if may and st.button("Delete it", key=f"delete-{made.name}"):
                _delete(made.name)


def _facts(made: View) -> str:
    """Page, products and date in a line; what has changed since."""
    facts = [made.page.capitalize()]
    try:
        cohort = Cohort.from_query(dict(made.query))
        facts += [cohort.dataset, cohort.describe()]
    except VitrineError:  # of no dataset
        pass
    return " · ".join([*facts, made.saved[:10], *filter(None, [made.trouble()])])


def _delete(name: str) -> None:
    try:
        views.remove(name)
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    st.rerun()


@st.dialog("Add views from a file")
def _receive() -> None:
    file = st.file_uploader("A file that “Share” made", type="json", key="views-file")
    if file is None or not st.button("Add", type="primary"):
        return
    try:
        added = views.receive(file.getvalue())
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    st.toast(
        f"{len(added)} view{'' if len(added) == 1 else 's'} added."
        if added
        else "All of them are here already."
    )
    st.rerun()
