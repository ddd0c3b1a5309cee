"""Languages: one product in several countries, and how its texts compare."""

from __future__ import annotations

import streamlit as st

from pages.components.languages import (
    counts_view,
    pairs_view,
    product_view,
    search_view,
    translation_view,
    usage_view,
)
from pages.components.shared import filter_bar, page_head

VIEWS = {
    "Counts": counts_view.show,
    "Pairs": pairs_view.show,
    "One product": product_view.show,
    "In use": usage_view.show,
    "Translation": translation_view.show,
    "Search": search_view.show,
}

page_head.show(
    "Languages", "The same product in several countries: what it is called, and in which language."
)
info = filter_bar.choose_dataset()
cohort = filter_bar.carried(info)
if info.geos < 1:
    st.info(f"The products of {info.name} have no country.")
    st.stop()
view = st.segmented_control(
    "View", list(VIEWS), default="Counts", key="view", bind="query-params", required=True, label_visibility="collapsed",
)  # fmt: skip
VIEWS[view or "Counts"](info, cohort)
