"""The head of a page: its title and, in the same line, what it is for."""

from __future__ import annotations

import html

import streamlit as st

from pages.resources import datasets


def show(title: str, lead: str, needs_dataset: bool = True) -> None:
    """Draw the head; end the page with a note where it needs a dataset and there is none.

    Args:
        lead: one sentence, plain text.
    """
    st.html(
        f'<header class="vitrine-head"><h1>{html.escape(title)}</h1>'
        f'<p class="vitrine-lead">{html.escape(lead)}</p></header>'
    )
    if needs_dataset and not datasets.available():
        st.info("There is no dataset yet. Add one on the Home page.")
        st.page_link("home.py", label="Go to Home")
        st.stop()
