"""Try a classifier live."""

from __future__ import annotations

import streamlit as st

st.title("Classify", anchor=False)
st.html(
    '<p class="vitrine-lead">Give a picture, a name, a description, or all of them; the model says what it is.</p>'
)
theme = st.context.theme.type or "light"
st.iframe(f"/panels/classification/?__theme={theme}", height=1000, alt="The classification panel")
