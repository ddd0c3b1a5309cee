"""Languages: pairs of countries counted, beside the published counts."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.languages import published
from core.languages.pairs import KINDS, PAPER, PICTURE_ID, counts
from pages.components.languages import choices, heat
from pages.components.shared.markdown import plain
from pages.resources import languages

ALL = "All"
NAMES = {
    ALL: None,
    "Two texts": "usable",
    "Same text": "same",
    "Text missing": "empty",
    "Other language": "language",
}


def show(info: DatasetInfo, cohort: Cohort) -> None:
    """The table of pairs, and that of the paper."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = choices.choose_key(info)
        named = st.segmented_control(
            "Pairs", list(NAMES), default=ALL, key="kind", bind="query-params", required=True
        )
    found = languages.pairs_of(info, cohort, by)
    counted = counts(found)
    if found.empty:
        st.info(
            f"No two products of {'this dataset' if cohort.is_whole() else 'this cohort'} share a picture in two countries, "
            "so that there are no pairs of texts."
        )
        _published(st.container())
        return
    parts = {kind: int(counted.by_kind[kind].sum()) // 2 for kind in KINDS}
    st.markdown(
        plain(
            f"{len(found):,} pairs: {parts['usable']:,} with two texts, {parts['same']:,} with the same text, "
            f"{parts['empty']:,} with a text missing, {parts['language']:,} with a text in another language than its country's."
        )
    )
    kind = NAMES[named or ALL]
    values = (counted.total if kind is None else counted.by_kind[kind]).astype(float)
    more = {
        key: value
        for key, value in (("kind", named or ALL), ("by", choices.TITLES[by]))
        if value not in (ALL, choices.TITLES[PICTURE_ID])
    }
    ours, theirs = st.columns(2, gap="large")
    with ours:
        heat.show(
            f"{info.name}: pairs of products" + ("" if cohort.is_whole() else " of these filters"),
            counted.countries, values, heat.brief, logarithmic=True,
            link=lambda source, target: choices.pairs_url(info, cohort, "Pairs", source, target, **more),
        )  # fmt: skip
        st.caption("A cell opens its pairs. Both products are in the same split.")
    _published(theirs)


def _published(place: st.delta_generator.DeltaGenerator) -> None:
    with place:
        table = published.published_counts().astype(float)
        np.fill_diagonal(table, np.nan)
        heat.show("Published: GLAMI-1M, tables 5 and 6", PAPER, table, heat.brief, logarithmic=True)
        st.caption(
            plain(
                f"{published.published_counts().sum() // 2:,} pairs. {published.DOUBT} Source: {published.SOURCE}."
            )
        )
