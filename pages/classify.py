"""Try a classifier live."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from pages.components.shared import filter_bar, page_head

page_head.show(
    "Classify",
    "Give a picture, a name, a description, or all of them. The model predicts the category.",
    needs_dataset=False,
)
filter_bar.show_in_hand()
told = {"__theme": st.context.theme.type or "light", "model": st.query_params.get_all("model")}
st.iframe(
    f"/panels/classification/?{urlencode(told, doseq=True)}", height=1000, alt="The classification panel"
)
