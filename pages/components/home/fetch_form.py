"""Download a published dataset. The command runs as its own process; leaving the page does not stop it."""

from __future__ import annotations

import shutil

import streamlit as st

from core.settings import settings
from core.sources.publications import BY_HAND, PUBLICATIONS
from pages.components.shared import background
from pages.components.shared.markdown import plain


def show() -> None:
    """What can be fetched, with its size, before anything is asked of the network."""
    sets = {each.name: each for each in PUBLICATIONS if each.layout}
    with st.expander("Download a dataset"):
        chosen = st.radio(
            "Dataset",
            list(sets),
            format_func=lambda name: f"{sets[name].title}, {sets[name].about_gb:,.0f} GB",
            captions=[f"{each.citation} {each.licence}." for each in sets.values()],
            key="fetch-what",
        )
        found = sets[chosen]
        free = shutil.disk_usage(settings().home if settings().home.exists() else ".").free / 1e9
        part = settings().home / "downloads" / found.name
        begun = part.is_dir() and any(part.glob("*.part"))
        st.caption(
            f"It needs {found.about_gb:,.0f} GB of {free:,.0f} GB that are free, in downloads/ beside the datasets, and the "
            f"network. {'It was begun, and goes on where it stopped.' if begun else 'It can be stopped and goes on later.'} "
            f"In a terminal: `vitrine fetch {found.name}`."
        )
        for text in BY_HAND.values():
            st.caption(text)
        name = st.text_input("Name of the downloaded dataset", value=found.name, key="fetch-name").strip()
        word = "Continue" if begun else "Download"
        if st.button(
            f"{word} {found.about_gb:,.0f} GB",
            key="fetch-start",
            disabled=free < found.about_gb and not begun,
        ):
            report = background.run(["fetch", found.name, "--name", name or found.name])
            st.toast(plain(f"{report['name']}: {report['rows']:,} products."))
            st.rerun()
