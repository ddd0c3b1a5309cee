"""Languages: search across languages, as it was measured."""

from __future__ import annotations

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.languages import retrieval
from core.search.query import How
from pages import access
from pages.components.languages import choices, heat
from pages.components.shared import background
from pages.components.shared.markdown import plain

HOW: dict[str, How] = {"By words": "words", "By likeness": "likeness", "By both": "both"}
MEASURES = {"R@1": "r1", "R@10": "r10"}


def show(info: DatasetInfo, cohort: Cohort) -> None:
    """The table of one way of searching, and the means of all."""
    st.markdown(
        "A product's name in one country is searched among the products of another country. Found is what shows the same picture."
    )
    if not cohort.is_whole():
        st.caption("Measured on the whole dataset, whatever the filters.")
    measured = retrieval.load(info)
    if measured is None:
        _offer(info)
        return
    have = [name for name, how in HOW.items() if any(cell.how == how for cell in measured.cells)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = st.segmented_control(
            "Search", have, default=have[-1], key="how", bind="query-params", required=True
        )
        measure = st.segmented_control(
            "Measure", list(MEASURES), default="R@10", key="measure", bind="query-params", required=True
        )
    metrics = st.columns(len(have))
    for column, name in zip(metrics, have, strict=True):
        n, r1, r10, chance = measured.mean(HOW[name])
        column.metric(name, f"{r10:.0%} R@10", f"{r1:.0%} R@1", delta_color="off", delta_arrow="off")
    countries, values = measured.table(HOW[named or have[-1]], MEASURES[measure or "R@10"])
    heat.show(
        f"{info.name}: {measure} {(named or have[-1]).lower()}, percent", countries, 100 * values,
        lambda value: f"{value:.0f}", most=100.0, corner="from / to",
        link=lambda source, target: choices.pairs_url(info, cohort, "Pairs", source, target),
    )  # fmt: skip
    st.caption(
        plain(
            f"{n:,} queries, {retrieval.MOST} at most of a pair of countries and split; a random order would reach an R@10 of {chance:.0%}. "
            f"Likeness compares the name with pictures, by the vectors {measured.vectors or 'none'}. "
            "Brand and model number are the same in every language, which helps words."
        )
    )


def _offer(info: DatasetInfo) -> None:
    if access.may(access.COMPUTE) and st.button("Measure search across languages", type="primary"):
        background.run(["languages", info.name, "--search"])
        st.rerun()
    st.caption("Or:")
    st.code(f"vitrine languages {info.name} --search", language=None)
