"""The buttons that save the address one is at: under a name, or as a view of a tour."""

from __future__ import annotations

import streamlit as st

from core.catalog import info as catalog
from core.catalog import views
from core.catalog.cohort import Cohort
from core.errors import VitrineError
from core.stage import tours
from pages import access
from pages.components.shared.markdown import plain
from pages.resources import datasets


def offer(page: str) -> None:
    """The button, for who may save a view of this page; nothing on Home.

    Args:
        page: its part of the address.
    """
    if page and page not in tours.NOT_SHOWN and access.may(access.SAVE):
        there = datasets.available()
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Save this view", key="save-view", type="tertiary", icon=":material/bookmark_add:",
                         help="Give this address a name; it is found again on Home."):  # fmt: skip
                _dialog(page)
            if there and st.button("Add to a tour", key="add-to-tour", type="tertiary", icon=":material/playlist_add:",
                                   help="Put this view at the end of a tour, which Present shows full screen."):  # fmt: skip
                _tour_dialog(page)


@st.dialog("Save this view")
def _dialog(page: str) -> None:
    query = {key: st.query_params.get_all(key) for key in st.query_params}
    with st.form("view", border=False):
        name = st.text_input("Name", max_chars=views.NAME_CHARACTERS, value=_proposed(page, query))
        st.caption(
            "It holds the page with its dataset, filters and choices. Everybody who opens this server sees it on Home."
        )
        saved = st.form_submit_button("Save", type="primary")
    if not saved:
        return
    try:
        views.save(views.view(name, page, query))
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    st.toast("Saved. It is on Home.")
    st.rerun()


@st.dialog("Add to a tour")
def _tour_dialog(page: str) -> None:
    query = {key: st.query_params.get_all(key) for key in st.query_params}
    names = [info.name for info in datasets.available()]
    shown = (query.get("dataset") or names[:1])[0]
    own = st.selectbox("Tours of", names, names.index(shown) if shown in names else 0,
                       help="A tour is a file in the folder of its dataset.")  # fmt: skip
    known = {each.title: each for each in tours.tours(catalog.info(own))}
    with st.form("tour", border=False):
        title = st.selectbox("Tour", list(known) or ["Tour"], accept_new_options=True,
                             help="Choose one, or write the title of a new one.")  # fmt: skip
        line = st.text_input("Line that the audience reads", max_chars=tours.LINE_CHARACTERS)
        notes = st.text_area("Notes for the speaker", max_chars=tours.NOTES_CHARACTERS, height=110)
        added = st.form_submit_button("Add", type="primary")
    if not added:
        return
    try:
        chosen = known[title].name if title in known else _free(tours.slug(title or ""), {each.name for each in known.values()})  # fmt: skip
        grown = tours.add(own, chosen, title or "Tour", tours.stop(line, page, query, own, notes))
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    st.toast(f"Added as view {len(grown.stops)}. Tours are on the page Present.")
    st.rerun()


def _free(name: str, taken: set[str]) -> str:
    """A tour's name that is not taken yet."""
    number, found = 1, name
    while found in taken:
        number, found = number + 1, f"{name[:36]}-{number + 1}"
    return found


def _proposed(page: str, query: dict[str, list[str]]) -> str:
    """A name to begin with: the page and what it shows."""
    try:
        cohort = Cohort.from_query(query)
    except VitrineError:
        return page.capitalize()
    said = cohort.describe()
    words = f"{page.capitalize()}: {cohort.dataset}{'' if said == 'all products' else ', ' + said}"
    return words[: views.NAME_CHARACTERS]
