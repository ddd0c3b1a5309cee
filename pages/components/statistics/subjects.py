"""The choices and charts of each subject on the Statistics page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.statistics import (
    columns,
    comparison,
    hierarchy,
    label_sources,
    languages,
    long_tail,
    picture_stats,
    pictures,
    shift,
    text_length,
    words,
)
from core.statistics.papers import TABLES
from pages import access
from pages.components.shared import chart
from pages.components.shared.chart import ChartSpec

# Titles of columns; a bound widget puts the title into the address.
COLUMN = {"country": "geo", "language": "language", "category": "category", "class": "class", "label source": "label_source",
          "label kind": "label_kind", "picture": "picture", "name length": "name_length",
          "description length": "description_length", "split": "split"}  # fmt: skip


AGAINST = ("split", "country", "language", "class", "label source", "label kind", "picture")


def _choose(label: str, options: Sequence[str], key: str) -> str:
    """A segmented control, bound to the address."""
    chosen = st.segmented_control(
        label, list(options), default=options[0], required=True, key=key, bind="query-params"
    )
    return str(chosen or options[0])


def _choices() -> Any:
    return st.container(horizontal=True, vertical_alignment="bottom")


def show_columns(info: DatasetInfo, cohort: Cohort) -> None:
    chart.show(info, cohort, [
        ChartSpec(columns.contents), ChartSpec(columns.repeats, ("image_id",)), ChartSpec(columns.repeats, ("item_id",)),
    ])  # fmt: skip


def show_long_tail(info: DatasetInfo, cohort: Cohort) -> None:
    with _choices():
        scale = _choose("Scale", ("logarithmic", "linear"), "scale")
        many = int(
            st.number_input(
                "Head: more than", 1, 1_000_000, long_tail.MANY, key="many", bind="query-params", width=140
            )
        )
        few = int(
            st.number_input(
                "Tail: fewer than", 1, 1_000_000, long_tail.FEW, key="few", bind="query-params", width=140
            )
        )
        top = int(st.number_input("Bars", 5, 300, 30, 5, key="bars", bind="query-params", width=120))
    if few > many:
        st.warning("The tail's limit is above the head's: some categories would be in both.")
        return
    chart.show(info, cohort, [
        ChartSpec(long_tail.rank_frequency, (scale == "logarithmic",)), ChartSpec(long_tail.shapes), ChartSpec(long_tail.per_category, (top,)),
        ChartSpec(long_tail.balance, (many, few)), ChartSpec(long_tail.extremes),
    ])  # fmt: skip


def show_shift(info: DatasetInfo, cohort: Cohort) -> None:
    with _choices():
        column = COLUMN[
            st.selectbox("Distribution of", list(COLUMN)[:-1], key="of", bind="query-params", width=220)
        ]
        by = COLUMN[st.selectbox("by", AGAINST, key="against", bind="query-params", width=200)]
    chart.show(info, cohort, [
        ChartSpec(shift.distribution, (column, by)), ChartSpec(shift.every_column, (by,)), ChartSpec(shift.movers),
    ])  # fmt: skip


def show_texts(info: DatasetInfo, cohort: Cohort) -> None:
    with _choices():
        column = _choose("Text", ("name", "description"), "column")
        unit = _choose("In", ("characters", "words"), "unit")
        bins = _choose("Bins", ("equal", "logarithmic"), "bins")
        by = COLUMN[_choose("By", ("country", "language", "category", "label source"), "texts-by")]
    chart.show(info, cohort, [
        ChartSpec(text_length.lengths, (column, unit, bins == "logarithmic")), ChartSpec(text_length.lengths_by, (column, unit, by)),
        ChartSpec(text_length.repeated), ChartSpec(languages.declared),
    ])  # fmt: skip


def show_labels(info: DatasetInfo, cohort: Cohort) -> None:
    with _choices():
        by = COLUMN[_choose("By", ("category", "country", "class"), "labels-by")]
    chart.show(info, cohort, [
        ChartSpec(label_sources.shares), ChartSpec(label_sources.machine_by, (by,)), ChartSpec(label_sources.crossed, (by,)),
        ChartSpec(label_sources.conflicts),
    ])  # fmt: skip


def show_pictures(info: DatasetInfo, cohort: Cohort) -> None:
    state = picture_stats.measured(info).state
    if state not in ("done", "none", "remote"):
        _measuring(info)
    charts = [
        ChartSpec(pictures.resolutions), ChartSpec(pictures.colours),
        *(ChartSpec(pictures.spread, (measure,)) for measure in pictures.MEASURES), ChartSpec(pictures.formats),
    ]  # fmt: skip
    chart.show(
        info,
        cohort,
        [ChartSpec(pictures.problems)] if state != "done" else [*charts, ChartSpec(pictures.problems)],
    )


@st.fragment(run_every=2.0)
def _measuring(info: DatasetInfo) -> None:
    """The progress of the measurement, and a button that starts it."""
    measured = picture_stats.measured(info)
    if measured.state == "done":
        st.rerun()
    st.info(measured.says.replace("NAME", info.name))
    if measured.state == "running":
        st.progress(measured.done / max(1, measured.total))
    elif access.may(access.COMPUTE) and st.button(f"Measure {measured.total:,} pictures"):
        picture_stats.start(info)
        st.caption("Starting.")


def show_hierarchy(info: DatasetInfo, cohort: Cohort) -> None:
    with _choices():
        kind = _choose("As", ("treemap", "sunburst", "icicle"), "shape")
    chart.show(info, cohort, [ChartSpec(hierarchy.shape, (kind,)), ChartSpec(hierarchy.classes)])


def show_words(info: DatasetInfo, cohort: Cohort) -> None:
    with _choices():
        column = _choose("Text", ("name", "description"), "column")
        by = COLUMN[_choose("Specific to", ("category", "class", "country", "language"), "words-by")]
    chart.show(info, cohort, [
        ChartSpec(words.cloud, (column,)), ChartSpec(words.frequent, (column,)), ChartSpec(words.specific, (column, by)),
    ])  # fmt: skip


def show_beside(info: DatasetInfo, cohort: Cohort) -> None:
    chart.show(info, cohort, [ChartSpec(comparison.beside, (table.name,)) for table in TABLES])


SHOW: dict[str, Callable[[DatasetInfo, Cohort], None]] = {
    "columns": show_columns,
    "long-tail": show_long_tail,
    "shift": show_shift,
    "texts": show_texts,
    "labels": show_labels,
    "pictures": show_pictures,
    "hierarchy": show_hierarchy,
    "words": show_words,
    "beside": show_beside,
}
