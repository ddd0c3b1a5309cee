"""The papers' tables of results beside this installation's evaluations; each row states its origin."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.catalog.info import DatasetInfo
from core.errors import ModelError
from core.evaluation import cache
from core.evaluation.published import TABLES, PublishedTable, measured
from core.models.registry import ZERO_SHOT, ModelSpec
from core.training.runs import RunConfig
from pages.components.evaluate import retrieval_table
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import PERCENT, in_percent

TITLES = {"top1": "Top-1", "top5": "Top-5", "ap": "AP", "f1": "F1"}
SEES = ("both", "picture", "text")
PAPER, HERE = "paper", "measured here"


def show(info: DatasetInfo, specs: Sequence[ModelSpec]) -> None:
    """Each paper's table with the evaluations of such models on this dataset."""
    own = sorted(
        cache.evaluations(list(specs), info.name),
        key=lambda one: (one[1].model, SEES.index(one[1].choice.sees)),
    )
    st.markdown(
        "Published results beside evaluations made here. Rows with different data or network sizes are not "
        "comparable: they show what each input adds, and the range of results."
    )
    left_out = {spec.name: spec.exposure for spec, _ in own if spec.exposure and not spec.exposure.zero_shot}
    for table in TABLES:
        _draw(table, [_mine(spec, made, table) for spec, made in own if stands_beside(spec, table)])
        if not table.trained:
            for name, exposed in left_out.items():
                st.caption(plain(f"{name} is left out of this table. {exposed.sentence()}"))
    retrieval_table.show(info)


def stands_beside(spec: ModelSpec, table: PublishedTable) -> bool:
    """Trained models stand beside trained ones; prompted ones beside zero-shot ones if that is what they are here."""
    if spec.architecture == ZERO_SHOT:
        return not table.trained and spec.exposure is not None and spec.exposure.zero_shot
    return table.trained


def show_published() -> None:
    for table in TABLES:
        _draw(table, [])
    retrieval_table.show(None)


def _mine(spec: ModelSpec, made: cache.Evaluation, table: PublishedTable) -> dict[str, object]:
    choice = made.choice
    labels = "" if choice.labels == "all" else ", human labels"
    figures = measured(made.report, table)
    how = "" if choice.inference == "expected" else f", {choice.inference}"
    how += ", among the dataset's classes" if choice.among == "dataset" else ""
    return {
        "from": HERE,
        "model": f"{made.model}{how}",
        **{TITLES[measure]: figures[measure] for measure in table.measures},
        "sees": choice.sees,
        "trained on": spec.trained_on.rpartition(", ")[2],
        "network": _size(spec),
        "on": f"{choice.dataset} {choice.split}, {made.report['n']:,} products{labels}",
    }


def _size(spec: ModelSpec) -> str:
    """The preset that a run was trained with; empty for what was not trained here."""
    try:
        return RunConfig.read(spec.folder).preset
    except ModelError:
        return ""


def _draw(table: PublishedTable, own: list[dict[str, object]]) -> None:
    rows = [
        {
            "from": PAPER,
            "model": row.model,
            **{TITLES[measure]: row.figures.get(measure) for measure in table.measures},
            "sees": row.sees,
            "trained on": row.trained_on,
            "network": "as published",
            "on": table.data,
        }
        for row in table.rows
    ]
    shares = [TITLES[measure] for measure in table.measures]
    frame = in_percent(pd.DataFrame([*own, *rows]), shares)
    with st.container(border=True):
        st.subheader(table.heading, anchor=False)
        st.dataframe(frame, hide_index=True, height="content", column_config=dict.fromkeys(shares, PERCENT))
        st.caption(plain(f"{table.note} After {table.source}."))
