"""Remedies for labels that are shifted, few or noisy: what they changed in experiments, and how machine labels here err."""

from __future__ import annotations

import streamlit as st

from pages.components.remedies import experiments, machine_labels
from pages.components.shared import filter_bar, page_head

VIEWS = ("What helps", "Machine labels")

page_head.show(
    "Label remedies",
    "What remedies for shifted, rare and noisy labels change, and how machine labels err.",
)
info = filter_bar.choose_dataset()
filter_bar.carried(info, "Everything here is of whole datasets, whatever the filters.")
view = st.segmented_control(
    "View",
    VIEWS,
    default=VIEWS[0],
    key="view",
    bind="query-params",
    required=True,
    label_visibility="collapsed",
)
if view == VIEWS[1]:
    machine_labels.show(info)
else:
    experiments.show(info)
