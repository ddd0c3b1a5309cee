"""How far the preparation of a dataset is, on the pages that wait for it."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.preparation import state
from pages.components.shared.markdown import plain

LOOK_EVERY_S = 2.0


def show(info: DatasetInfo, key: str, what: str) -> bool:
    """Say that a part of the dataset is being made, where it is; the page shows it by itself when it is there.

    Args:
        key: of the part that the page waits for; see core.preparation.parts.PARTS.
        what: that part as the page calls it, with its verb: "The map is".

    Returns:
        Is it being made, so that the page has nothing else to say?
    """
    found = state.job_of(info)
    if found is None or not found.comes(key):
        return False
    _watch(info, key, what)
    return True


@st.fragment(run_every=LOOK_EVERY_S)
def _watch(info: DatasetInfo, key: str, what: str) -> None:
    found = state.job_of(info)
    if found is None or not found.comes(key):
        st.rerun()
    step = found.step(key)
    left = state.spoken(found.seconds_left(key))
    now = found.current
    if step is None:
        st.info(
            plain(f"{what} made soon: the preparation starts. The page updates by itself."),
            icon=":material/hourglass:",
        )
    elif step.state == "running":
        st.progress(step.share, plain(f"{what} being made, {left} left. The page updates by itself."))
    else:
        before = f"{now.title}, {now.share:.0%}, comes first. " if now else ""
        st.info(
            plain(f"{what} made next, {left} from now. {before}The page updates by itself."),
            icon=":material/hourglass:",
        )


def line(info: DatasetInfo) -> None:
    """One line of a dataset's card while it is being prepared; nothing otherwise."""
    found = state.job_of(info)
    if found is not None and found.current is not None:
        _line(info)


@st.fragment(run_every=LOOK_EVERY_S)
def _line(info: DatasetInfo) -> None:
    found = state.job_of(info)
    if found is None or not found.running:
        st.rerun()
    now = found.current
    if now is not None:
        number = 1 + [step.key for step in found.steps].index(now.key)
        st.progress(
            now.share,
            plain(f"Preparing, {number} of {len(found.steps)}: {now.title.lower()}, {now.share:.0%}"),
        )
