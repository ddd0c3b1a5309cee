"""Draw products from a phrase, live."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from pages.components.shared import page_head

page_head.show(
    "Generate",
    "Type a phrase in any of thirteen languages. A small model draws it, step by step.",
    needs_dataset=False,
)
theme = urlencode({"__theme": st.context.theme.type or "light"})
st.iframe(f"/panels/generation/?{theme}", height=900, alt="The generation panel")
