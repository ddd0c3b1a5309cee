"""The button that saves the address one is at under a name."""

from __future__ import annotations

import streamlit as st

from core.catalog import views
from core.catalog.cohort import Cohort
from core.errors import VitrineError
from pages import access
from pages.components.shared.markdown import plain


def offer(page: str) -> None:
    """The button, for who may save a view of this page; nothing on Home.

    Args:
        page: its part of the address.
    """
    if page and access.may(access.SAVE):
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Save this view", key="save-view", type="tertiary", icon=":material/bookmark_add:",
                         help="Give this address a name; it is found again on Home."):  # fmt: skip
                _dialog(page)


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


def _proposed(page: str, query: dict[str, list[str]]) -> str:
    """A name to begin with: the page and what it shows."""
    try:
        cohort = Cohort.from_query(query)
    except VitrineError:
        return page.capitalize()
    said = cohort.describe()
    words = f"{page.capitalize()}: {cohort.dataset}{'' if said == 'all products' else ', ' + said}"
    return words[: views.NAME_CHARACTERS]
