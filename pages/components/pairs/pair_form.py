"""Generate pairs from the page, in a process of its own: it slows no visitor and outlives the page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.catalog.info import DatasetInfo
from core.embeddings.store import preferred, sets
from core.errors import VitrineError
from core.pairs import generation, table
from core.pairs.table import PairSettings
from core.preparation import state
from pages import access
from pages.components.shared import background, preparing
from pages.components.shared.markdown import plain

METHODS = {
    "Clusters: the least similar of another cluster": "clusters",
    "Random: any other product": "random",
    "At most a similarity": "below",
}
NEW = "pairs just generated"


def choose_new(there: Sequence[str]) -> None:
    """Choose the pairs that were just generated; before the widget, which then shows them."""
    name = st.session_state.pop(NEW, None)
    if name in there:
        st.session_state["pairs"] = name


def show(info: DatasetInfo, first: bool) -> None:
    """A form of the settings, with a button; while pairs are being generated, that.

    Args:
        first: there are none yet, so that the form stands open.
    """
    if preparing.show(info, "pairs", "Pairs are"):
        return
    if generation.in_progress(info):
        st.info(f"Pairs of {plain(info.name)} are being generated. Come back when they are done.")
        st.button("Refresh")
        return
    if not info.with_picture and not [name for name, one in sets(info) if one.tower != "text"]:
        st.info(f"{plain(info.name)} has no pictures, and so no pairs of a picture and a text.")
        return
    settings = generation.default_settings(info)
    possible = bool(info.with_picture) or not generation.missing_vectors(info, settings)
    if first:
        took = state.spoken(_seconds(info, settings))
        st.info(
            f"{plain(info.name)} has no pairs yet. Each picture gets the text of an unlike product"
            + (f": {took} on two processors." if possible else ".")
        )
        if possible:
            _start(info, settings, "Generate pairs", "primary")
    with st.expander("Other settings" if first else "Generate other pairs", expanded=first and not possible):
        _start(info, _settings(info), "Generate these pairs", "secondary")


def _settings(info: DatasetInfo) -> PairSettings:
    plan = generation.default_settings(info)
    found = preferred(sets(info))
    pictures = [name for name, described in found if described.tower != "text"] or [plan.image_vectors]
    texts = [name for name, described in found if described.tower != "image"] or [plan.text_vectors]
    left, right = st.columns(2, gap="medium")
    with left:
        method = METHODS[st.selectbox("Partner", list(METHODS), key="pairs-method")]
        threshold = (
            st.number_input("Similarity at most", -1.0, 1.0, 0.2, 0.05, key="pairs-threshold")
            if method == "below"
            else None
        )
        clusters = (
            st.number_input("Clusters", 2, table.MOST_CLUSTERS, plan.clusters, key="pairs-clusters")
            if method == "clusters"
            else plan.clusters
        )
        seed = st.number_input("Seed", 0, 2**31, 0, key="pairs-seed")
    with right:
        image = st.selectbox("Vectors of the pictures", pictures, key="pairs-pictures")
        other = next((place for place, name in enumerate(texts) if name != image), 0)
        text = st.selectbox("Vectors of the texts", texts, index=other, key="pairs-texts")
        splits = ["all products", *info.splits]
        split = st.selectbox(
            "Products", splits, index=splits.index(plan.split) if plan.split else 0, key="pairs-split"
        )
    return PairSettings(
        method,  # type: ignore[arg-type]
        None if threshold is None else round(float(threshold), 3),
        image or plan.image_vectors,
        text or plan.text_vectors,
        "" if split == splits[0] else str(split),
        int(clusters),
        True,
        int(seed),
    )


def _seconds(info: DatasetInfo, settings: PairSettings) -> float:
    rows = info.splits.get(settings.split, info.rows)
    return generation.seconds_for(rows, info.rows * len(generation.missing_vectors(info, settings)))


def _start(info: DatasetInfo, settings: PairSettings, label: str, kind: str) -> None:
    command = table.command(info, settings)
    if not access.may(access.COMPUTE):
        st.caption(f"Run this on the machine that serves Vitrine: {plain(command)}")
        return
    if st.button(label, type=kind, key=f"start-{label}"):  # type: ignore[arg-type]
        try:
            made = background.run(command.split()[1:], numbers=True)
        except VitrineError as error:
            st.error(plain(str(error)))
            return
        st.session_state[NEW] = str(made["name"])
        st.rerun()
    st.caption(f"Or run in a terminal: {plain(command)}")
