"""Start the duplicates command from the page, as a process of its own: it slows no visitor and outlives the page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.catalog.info import DatasetInfo
from core.duplicates import hashing
from core.duplicates.detectors import COPIES
from pages import access
from pages.components.shared import background, preparing
from pages.components.shared.markdown import plain

HASHED_PER_S = 200  # pictures, by two processors, about
LAID_PER_S = 80  # pictures that are laid over their likes


def show(
    info: DatasetInfo, why: str, arguments: tuple[str, ...] = (), label: str = "Find duplicates"
) -> None:
    """Say what is missing, with a button that computes it.

    Args:
        why: a sentence on what is missing and how long it takes.
        arguments: further arguments of the command.
    """
    if preparing.show(info, "duplicates", "The list of duplicates is") or preparing.show(
        info, "copies", "The list of cropped and recoloured copies is"
    ):
        return
    command = " ".join(["vitrine duplicates", info.name, *arguments])
    if hashing.in_progress(info):
        st.info(f"Duplicates of {plain(info.name)} are being computed. Come back when they are done.")
        st.button("Refresh")
        return
    st.info(plain(why))
    if not access.may(access.COMPUTE):
        st.caption(f"Run this on the machine that serves Vitrine: {plain(command)}")
        return
    if st.button(label, type="primary"):
        background.run(["duplicates", info.name, *arguments], numbers=True)
        st.rerun()
    st.caption(f"Or run in a terminal: {plain(command)}")


def pictures(info: DatasetInfo) -> str:
    """How many there are to read: fewer than products where several show the same."""
    return f"{hashing.pictures(info):,} pictures of {info.with_picture:,} products"


def minutes(info: DatasetInfo, detectors: Sequence[str] = ()) -> str:
    """How long it takes to read the pictures and to ask the detectors, about."""
    took = hashing.pictures(info) / HASHED_PER_S / 60
    if any(key in COPIES for key in detectors):
        took += hashing.pictures(info) / LAID_PER_S / 60
    return "under a minute" if took < 1 else f"about {took:.0f} minutes"
