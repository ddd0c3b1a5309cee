"""Every figure and table of the dataset papers, for the products that the address names.

Not named statistics.py: Streamlit puts this folder on the import path, before Python's own `statistics`.
"""

from __future__ import annotations

import streamlit as st

from core.statistics.overview import SUBJECTS
from pages.components.shared import chart, filter_bar, page_head, report_button
from pages.components.statistics import subjects

BY_TITLE = {subject.title: subject for subject in SUBJECTS}

page_head.show("Statistics", "The figures and tables of the dataset papers, for any dataset and cohort.")

info = filter_bar.choose_dataset()
cohort = filter_bar.show(info)
with st.sidebar:
    chart.choose_format()
    report_button.show(info, cohort, "report")

title = st.pills(
    "Subject", list(BY_TITLE), default=SUBJECTS[0].title, required=True, key="subject", bind="query-params",
    label_visibility="collapsed",
)  # fmt: skip
subject = BY_TITLE[title or SUBJECTS[0].title]
st.markdown(f"{subject.line} Click a bar to open its products.")
subjects.SHOW[subject.key](info, cohort)
