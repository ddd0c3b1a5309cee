"""Label audits: plans, assignments and results."""

from __future__ import annotations

import streamlit as st

from pages import access
from pages.components.audit import flagging, plan_form, plan_list, plan_view, queues_view
from pages.components.shared import filter_bar, page_head, product_dialog
from pages.resources import audits

page_head.show(
    "Label audits",
    "Can this label source be trusted? People review a random sample; the answer is a share with its interval.",
)

info = filter_bar.choose_dataset()
plan = st.query_params.get("plan")
if plan is not None:
    plan_view.show(info, plan)
else:
    cohort = filter_bar.show(info) if access.may(access.PLAN) else filter_bar.carried(info)
    plans = audits.store().plans(info.name)
    plan_list.show(plans)
    plan_form.show(info, cohort, first=not plans)
    if plan_form.labelled(info):
        queues_view.show(info)
    flagging.show(info)
    product_dialog.open_linked(info)
