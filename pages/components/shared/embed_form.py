"""Compute the vectors of a dataset from a page, as a process of its own: it slows no visitor and outlives the page."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.embeddings.clip import ENCODERS
from core.embeddings.store import in_progress
from pages import access
from pages.components.shared import background, preparing

PICTURES_PER_S = 150  # with the bundled encoder on two cores, approximately


def show(info: DatasetInfo, why: str) -> None:
    """Say that there are no vectors, with a button that computes them.

    Args:
        why: a sentence on what the page needs them for, or does without them.
    """
    if preparing.show(info, "vectors", "The vectors that this page needs are"):
        return
    arguments = ["embed", info.name, "--encoder", ENCODERS[0].name]
    arguments += [] if info.with_picture else ["--tower", "text"]
    command = " ".join(["vitrine", *arguments])
    if holder := in_progress(info):
        st.info(f"The vectors of {info.name} are being computed by {holder}. Come back when they are done.")
        st.button("Refresh")
        return
    minutes = info.with_picture / PICTURES_PER_S / 60
    about = "under a minute" if minutes < 1 else f"about {minutes:.0f} minutes"
    st.info(
        f"{info.name} has no vectors yet. Each picture is encoded once: {info.with_picture:,} pictures, {about} on "
        f"two processors. {why}"
        if info.with_picture
        else f"{info.name} has no vectors yet, and no pictures: its vectors are computed from texts. {why}"
    )
    if not access.may(access.COMPUTE):
        st.caption(f"Run this on the machine that serves Vitrine: {command}")
        return
    if st.button("Compute vectors", type="primary"):
        background.run(arguments, "pictures" if info.with_picture else "texts")
        st.rerun()
    st.caption(f"Or run in a terminal: {command}")
