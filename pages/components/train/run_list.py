"""The list of runs: model, dataset, progress, and a button that opens each."""

from __future__ import annotations

import time
from typing import Literal

import streamlit as st

from core.errors import ModelError
from core.training import jobs
from core.training.jobs import Run, State
from pages.components.shared.markdown import plain
from pages.components.train import run_comparison

SHOWN, MOST = 8, 200  # rows at first, and at most
EVERY_S = 5.0
Colour = Literal["blue", "orange", "green", "gray", "red"]
BADGES: dict[State, tuple[str, Colour]] = {
    "running": ("Running", "blue"),
    "stopping": ("Stopping", "orange"),
    "done": ("Done", "green"),
    "stopped": ("Stopped", "gray"),
    "failed": ("Failed", "red"),
    "interrupted": ("Interrupted", "orange"),
}


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


def badge(run: Run) -> None:
    label, colour = BADGES[run.state]
    st.badge(label, color=colour)


def facts(run: Run) -> list[str]:
    """The facts of a run, for one line."""
    found = [title(run)]
    if run.steps and run.state != "done":
        found.append(f"step {run.step:,} of {run.steps:,}")
    accuracy = test_accuracy(run)
    if accuracy is not None:
        found.append(f"test accuracy {accuracy:.1%}")
    if run.seconds:
        found.append(f"{'for' if run.alive else 'took'} {duration(run.seconds)}")
    if run.begun and not run.alive:
        found.append(f"started {duration(time.time() - run.begun)} ago")
    if run.error:
        found.append(run.error if len(run.error) < 160 else run.error[:159] + "…")
    return found


def title(run: Run) -> str:
    """Model, preset and datasets of a run."""
    on = f" on {', '.join(run.datasets)}" if run.datasets else ""
    if run.title and run.preset not in ("", run.title):
        return f"{run.title} ({run.preset}){on}"
    return f"{run.title or run.preset or 'A run'}{on}"


def test_accuracy(run: Run) -> float | None:
    """Top-1 on the test split with all inputs, a fraction."""
    result = run.config.get("result")
    test = result.get("test") if isinstance(result, dict) else None
    figures = test.get("both") if isinstance(test, dict) else None
    found = figures.get("top1") if isinstance(figures, dict) else None
    return float(found) if isinstance(found, int | float) else None


def duration(seconds: float) -> str:
    """
    >>> duration(42), duration(600), duration(9_000), duration(400_000)
    ('42 s', '10 min', '2 h 30 min', '4.6 days')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{seconds / 86_400:.1f} days"
