"""The tours of all datasets: show, order, edit, send around."""

from __future__ import annotations

import html
from dataclasses import replace

import streamlit as st

from core.catalog.info import DatasetInfo
from core.errors import VitrineError
from core.stage import tours
from core.stage.tours import Stop, Tour
from pages import access
from pages.components.shared.markdown import plain
from pages.resources import datasets


def show() -> None:
    """The list, and for who may save, the buttons that change it."""
    there = tours.every()
    st.header("Tours", anchor=False)
    if not there:
        st.info("No tour yet. Every page has a button “Add to a tour” at its end; the built-in dataset has one of eight views.")  # fmt: skip
    for dataset, tour in there:
        _row(dataset, tour)
    if access.may(access.SAVE) and datasets.available() and st.button("Add a tour from a file"):
        _receive()


def _row(dataset: DatasetInfo, tour: Tour) -> None:
    key = f"{dataset.name}-{tour.name}"
    with (
        st.container(border=True, key=f"tour-{key}"),
        st.container(horizontal=True, vertical_alignment="center"),
    ):
        with st.container(gap="xxsmall"):
            st.html(f'<a class="vitrine-view" href="{html.escape(tours.place(dataset.name, tour.name))}">{html.escape(tour.title)}</a>')  # fmt: skip
            views = f"{len(tour.stops)} view{'' if len(tour.stops) == 1 else 's'}"
            broken = sum(bool(stop.trouble(dataset.name)) for stop in tour.stops)
            st.caption(plain(f"{dataset.name} · {views}" + (f" · {broken} cannot be shown: their dataset is gone" if broken else "")))  # fmt: skip
        st.link_button("Show", tours.place(dataset.name, tour.name), type="primary")
        if access.may(access.PRESENT):
            st.link_button("Notes", f"{tours.place(dataset.name, tour.name)}/notes")
        st.download_button("Share", tour.bytes(), f"{tour.name}.json", "application/json", key=f"share-{key}", on_click="ignore")  # fmt: skip
        if access.may(access.SAVE) and st.button("Edit", key=f"edit-{key}"):
            _edit(dataset.name, tour.name)


@st.dialog("Edit a tour", width="large")
def _edit(dataset: str, name: str) -> None:
    try:
        tour = tours.tour(dataset, name)
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    title = st.text_input("Title", tour.title, max_chars=tours.LINE_CHARACTERS)
    written: list[Stop | None] = []
    for number, stop in enumerate(tour.stops):
        written.append(_stop(dataset, tour, number, stop))
    with st.container(horizontal=True):
        if st.button("Save", type="primary"):
            kept = tuple(each for each in written if each is not None)
            if _saved(dataset, replace(tour, title=title.strip() or tour.title, stops=kept)):
                st.rerun()
        if st.button("Delete the tour"):
            try:
                tours.remove(dataset, name)
                st.rerun()
            except VitrineError as error:
                st.error(plain(str(error)))


def _stop(dataset: str, tour: Tour, number: int, stop: Stop) -> Stop | None:
    """The fields of one view; None where it is to go or what is written cannot be."""
    key = f"{tour.name}-{number}"
    with st.container(border=True):
        st.caption(plain(f"{number + 1}. {stop.address(dataset)}"[:160]))
        line = st.text_input("Line", stop.line, max_chars=tours.LINE_CHARACTERS, key=f"line-{key}", label_visibility="collapsed")  # fmt: skip
        notes = st.text_area("Notes", stop.notes, max_chars=tours.NOTES_CHARACTERS, key=f"notes-{key}", height=80, placeholder="Notes for the speaker", label_visibility="collapsed")  # fmt: skip
        with st.container(horizontal=True):
            if st.button("Earlier", key=f"up-{key}", disabled=number == 0) and _saved(
                dataset, tour.moved(number, -1)
            ):
                st.rerun(scope="fragment")
            if st.button("Later", key=f"down-{key}", disabled=number == len(tour.stops) - 1) and _saved(dataset, tour.moved(number, 1)):  # fmt: skip
                st.rerun(scope="fragment")
            if st.button("Remove", key=f"remove-{key}") and _saved(dataset, tour.without(number)):
                st.rerun(scope="fragment")
    try:
        return replace(stop, line=line.strip() or stop.line, notes=notes)
    except VitrineError as error:
        st.error(plain(str(error)))
        return stop


def _saved(dataset: str, tour: Tour) -> bool:
    try:
        tours.save(dataset, tour)
        return True
    except VitrineError as error:
        st.error(plain(str(error)))
        return False


@st.dialog("Add a tour from a file")
def _receive() -> None:
    names = [info.name for info in datasets.available()]
    own = st.selectbox("For the dataset", names)
    file = st.file_uploader("A file that “Share” made", type="json", key="tour-file")
    if file is None or not st.button("Add", type="primary"):
        return
    try:
        added = tours.receive(own, file.getvalue())
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    st.toast(f"{added.title}: {len(added.stops)} views added.")
    st.rerun()
