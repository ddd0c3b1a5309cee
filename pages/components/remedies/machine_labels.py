"""How the machine labels of a dataset err beside its human ones, by country."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.labels import figures, machine_report
from pages.components.shared import background, chart
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import in_percent
from pages.resources import products


def show(info: DatasetInfo) -> None:
    """The stored estimate, or how to make it."""
    kinds = products.filter_choices(info.name)["label_kind"]
    if not {"human", "machine"} <= set(kinds):
        st.info(
            f"{plain(info.name)} does not have labels of people and of machines, which are compared here."
        )
        return
    report = machine_report.load(info)
    if report is None:
        _offer(info)
        return
    display = figures.by_country(info.name, report)
    with st.container(border=True):
        chart.draw(info, display, display.name, f"figure {display.name} {info.name} {info.created}")
    table = figures.confused(report)
    if not table.empty:
        with st.container(border=True):
            st.subheader("Most frequent confusions", anchor=False)
            st.dataframe(
                in_percent(table, ["share"]), hide_index=True, width=720,
                column_config={
                    "share": st.column_config.NumberColumn("share of these labels", format="%.0f%%"),
                    "products": st.column_config.NumberColumn("products, about"),
                },
            )  # fmt: skip
    st.caption(f"Read from the vectors {plain(', '.join(report.vectors))}.")


def _offer(info: DatasetInfo) -> None:
    command = ["machine-errors", info.name]
    st.info(
        "Machine labels were not compared with human ones yet. It takes a minute or two for some thousands of products."
    )
    background.offer("Compare machine labels with human ones", command, command)
