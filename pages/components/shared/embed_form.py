"""Make the vectors of a dataset from its page: an own process, so that it slows nobody and outlives the page."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.embeddings.clip import ENCODERS
from core.embeddings.store import under_way
from pages.components.shared import background
from pages.resources import visitor

PICTURES_PER_S = 150  # that two cores embed with the bundled encoder, about


def show(info: DatasetInfo, why: str) -> None:
    """Say that there are no vectors, and offer to make them.

    Args:
        why: what the page wants them for, or does without them, in a sentence.
    """
    arguments = ["embed", info.name, "--encoder", ENCODERS[0].name]
    arguments += [] if info.with_picture else ["--tower", "text"]
    command = " ".join(["vitrine", *arguments])
    if holder := under_way(info):
        st.info(f"The vectors of {info.name} are being made by {holder}. Come back when it is done.")
        st.button("Look again")
        return
    minutes = info.with_picture / PICTURES_PER_S / 60
    about = "under a minute" if minutes < 1 else f"about {minutes:.0f} minutes"
    st.info(
        f"{info.name} has no vectors yet. Each picture is looked at once: {info.with_picture:,} pictures, {about} on "
        f"two processors. {why}"
        if info.with_picture
        else f"{info.name} has no vectors yet, and no pictures: they are made of what is written of its products. {why}"
    )
    if not visitor.is_local():
        st.caption(f"They are made on the machine that serves Vitrine: {command}")
        return
    if st.button("Make them", type="primary"):
        background.run(arguments, "pictures" if info.with_picture else "texts")
        st.rerun()
    st.caption(f"Or in a terminal: {command}")
