"""Try a classifier live."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

st.title("Classify", anchor=False)
st.html(
    '<p class="vitrine-lead">Give a picture, a name, a description, or all of them. The model predicts the category.</p>'
)
told = {"__theme": st.context.theme.type or "light", "model": st.query_params.get_all("model")}
st.iframe(
    f"/panels/classification/?{urlencode(told, doseq=True)}", height=1000, alt="The classification panel"
)
