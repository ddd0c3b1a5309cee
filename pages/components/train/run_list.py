"""The list of runs: model, dataset, progress, and a button that opens each."""

from __future__ import annotations

import streamlit as st

from core.errors import ModelError
from core.training import jobs
from core.training.jobs import Run
from pages.components.shared.markdown import plain
from pages.components.train import run_comparison
from pages.components.train.run_facts import badge, facts

SHOWN, MOST = 8, 200  # rows at first, and at most
EVERY_S = 5.0


def show(names: list[str], chosen: list[str]) -> None:
    """
    Args:
        chosen: the runs that are already shown above.
    """
    st.subheader("All runs" if chosen else "Runs", anchor=False)
    if not names:
        st.caption("No runs yet. The small presets need no GPU and no network.")
        return
    if len(names) > 1:
        _choose(names, chosen)
    _rows(chosen)


def _choose(names: list[str], chosen: list[str]) -> None:
    """Choose the runs to show."""
    st.session_state["runs-shown"] = chosen
    st.multiselect(
        "Runs shown",
        names,
        key="runs-shown",
        max_selections=run_comparison.MOST,
        placeholder=f"Choose up to {run_comparison.MOST} to compare",
        on_change=lambda: open_runs(st.session_state["runs-shown"]),
    )


def open_runs(names: list[str]) -> None:
    """Put the runs into the address."""
    if names:
        st.query_params["run"] = names
    else:
        st.query_params.pop("run", None)


@st.fragment(run_every=EVERY_S)
def _rows(chosen: list[str]) -> None:
    names = jobs.run_names()
    more = len(names) > SHOWN and st.toggle(f"Show all {len(names):,}", key="runs-all")
    for name in names[: MOST if more else SHOWN]:
        try:
            run = jobs.read_run(name)
        except ModelError:  # deleted in between
            continue
        _row(run, chosen)


def _row(run: Run, chosen: list[str]) -> None:
    with st.container(border=True, key=f"run-{run.name}", gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if st.button(
                plain(run.name),
                key=f"open-{run.name}",
                type="tertiary",
                disabled=chosen == [run.name],
                help="Shown above" if run.name in chosen else None,
            ):
                open_runs([run.name])
                st.rerun()
            badge(run)
        st.caption(plain(" · ".join(facts(run))))
