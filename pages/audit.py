"""Label audits: plans, who reviews what, and what is known of a label source so far."""

from __future__ import annotations

import streamlit as st

from pages.components.audit import plan_form, plan_list, plan_view
from pages.components.shared import filter_bar
from pages.resources import audits, datasets

st.title("Label audits", anchor=False)
st.html(
    '<p class="vitrine-lead">Can this label source be trusted? People review a random sample; the answer is a share with its interval.</p>'
)
if not datasets.available():
    st.info("There is no dataset yet. Add one on the Home page.")
    st.page_link("home.py", label="Go to Home")
    st.stop()

info = filter_bar.choose_dataset()
plan = st.query_params.get("plan")
if plan is not None:
    plan_view.show(info, plan)
else:
    plans = audits.store().plans(info.name)
    plan_list.show(info, plans)
    plan_form.show(info, first=not plans)
