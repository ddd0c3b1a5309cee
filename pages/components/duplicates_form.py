"""Look for duplicates from the page: an own process, so that it slows nobody and outlives the page."""

from __future__ import annotations

import streamlit as st

from core.catalog import DatasetInfo
from core.duplicates import hashing
from pages import resources
from pages.components import background
from pages.components.markdown import plain

PICTURES_PER_S = 200  # that two processors hash, about


def show(
    info: DatasetInfo, why: str, arguments: tuple[str, ...] = (), label: str = "Look for duplicates"
) -> None:
    """Say what is missing, and offer to make it.

    Args:
        why: what a visitor would see, in a sentence.
        arguments: of the command, beside the dataset's name.
    """
    command = " ".join(["python -m core duplicates", info.name, *arguments])
    if hashing.under_way(info):
        st.info(f"Duplicates of {plain(info.name)} are being looked for now. Come back when that is done.")
        st.button("Look again")
        return
    st.info(plain(why))
    if not resources.is_local_visitor():
        st.caption(f"It is started on the machine that serves Vitrine: {plain(command)}")
        return
    if st.button(label, type="primary"):
        background.run(["duplicates", info.name, *arguments], numbers=True)
        st.rerun()
    st.caption(f"Or in a terminal: {plain(command)}")


def pictures(info: DatasetInfo) -> str:
    """How many there are to read: fewer than products where several show the same."""
    return f"{hashing.pictures(info):,} pictures of {info.with_picture:,} products"


def minutes(info: DatasetInfo) -> str:
    """How long it takes, about."""
    took = hashing.pictures(info) / PICTURES_PER_S / 60
    return "under a minute" if took < 1 else f"about {took:.0f} minutes"
