"""Try a classifier live."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from pages.components.shared import filter_bar, page_head

TOLD = ("model", "product", "name", "description")  # of the address, to the panel

page_head.show(
    "Classify",
    "Give a picture, a name, a description, or all of them. The model predicts the category.",
    needs_dataset=False,
)
cohort = filter_bar.show_in_hand()
told = {
    "__theme": st.context.theme.type or "light",
    **({} if cohort is None else cohort.to_query()),
    **{key: st.query_params.get_all(key) for key in TOLD},
}
st.iframe(
    f"/panels/classification/?{urlencode(told, doseq=True)}", height=1000, alt="The classification panel"
)
