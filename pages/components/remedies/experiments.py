"""What every remedy changed beside plain training, as benchmarks/labels.py measured it."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.labels import figures
from pages.components.shared import chart
from pages.components.shared.markdown import plain


def show(info: DatasetInfo) -> None:
    """
    Args:
        info: the dataset in hand, which names downloads; the experiments are of their own datasets.
    """
    measured = {dataset["name"]: dataset for dataset in figures.results()["datasets"]}
    if not measured:
        st.info(f"No experiments are stored here. They are made by: {figures.COMMAND}")
        return
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
    name = left.segmented_control(
        "Tried on",
        list(measured),
        default=next(iter(measured)),
        key="tried-on",
        bind="query-params",
        required=True,
    )
    dataset = measured[name or next(iter(measured))]
    right.caption(
        plain(
            f"{dataset['products']['train']:,} training products of {dataset['classes']} classes, {dataset['machine']:,} with a machine "
            f"label ({100 * dataset['machine_wrong']:.0f}% of those wrong, {100 * dataset['human_wrong']:.0f}% of human ones). "
            "A network of one hidden layer on the bundled vectors, trained once for each remedy."
        )
    )
    for part in figures.PARTS:
        display = figures.changes(dataset, part)
        with st.container(border=True):
            chart.draw(
                info, display, f"{display.name}-{dataset['name']}", f"figure {display.name} {dataset['name']}"
            )
    display = figures.planted(dataset)
    with st.container(border=True):
        chart.draw(
            info, display, f"{display.name}-{dataset['name']}", f"figure {display.name} {dataset['name']}"
        )
