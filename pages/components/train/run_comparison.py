"""Compare several runs in one chart."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.errors import VitrineError
from core.training import jobs
from core.training.curves import Curve, read_curve
from core.training.jobs import Run
from pages.components.shared.numbers import PERCENT, duration, in_percent
from pages.components.train import run_charts
from pages.components.train.run_facts import BADGES, retrieval, test_accuracy, validated

MOST = 4  # runs in one chart
EVERY_S = 3.0

SHARES = ("Best validation", "Test accuracy", "Test Rank@1", "Test mAP")
COLUMNS = {
    "Step": st.column_config.NumberColumn(format="localized"),
    **dict.fromkeys(SHARES, PERCENT),
}


def show(names: list[str]) -> None:
    """Curves and a table of results."""
    st.subheader(f"{len(names)} runs compared", anchor=False)
    with st.container(key="run-live"):
        _live(names)


@st.fragment(run_every=EVERY_S)
def _live(names: list[str]) -> None:
    runs: dict[str, Run] = {}
    for name in names:
        try:
            runs[name] = jobs.read_run(name)
        except VitrineError:  # deleted while it was watched
            st.caption("One of these runs was deleted.")
    curves = {name: read_curve(run.folder) for name, run in runs.items()}
    called, what = validated(runs.values())
    left, right = st.columns(2, gap="medium")
    with left:
        run_charts.draw(run_charts.loss(curves), "compared-loss", "Loss of each run by step")
        st.caption("Smoothed training loss. Losses of different models or batch sizes are not comparable.")
    with right:
        run_charts.draw(
            run_charts.accuracy(curves, called),
            "compared-accuracy",
            f"Validation {called} of each run by step",
        )
        st.caption(what)
    table = _table(runs, curves)
    table = table.drop(columns=[name for name in SHARES[1:] if table[name].isna().all()])
    shares = [name for name in SHARES if name in table]
    st.dataframe(in_percent(table, shares), hide_index=True, column_config=COLUMNS, placeholder="–")


def _table(runs: dict[str, Run], curves: dict[str, Curve]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Run": name,
                "Model": run.title or run.preset,
                "Dataset": ", ".join(run.datasets),
                "State": BADGES[run.state][0],
                "Step": run.step,
                "Best validation": max((value for _, value in curves[name].validations), default=None),
                "Test accuracy": test_accuracy(run),
                "Test Rank@1": (retrieval(run) or {}).get("rank1"),
                "Test mAP": (retrieval(run) or {}).get("map"),
                "Time": duration(run.seconds),
            }
            for name, run in runs.items()
        ]
    )
