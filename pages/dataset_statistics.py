"""Every figure and table of the dataset papers, for the products that the address names.

Not named statistics.py: Streamlit puts this folder on the import path, before Python's own `statistics`.
"""

from __future__ import annotations

import streamlit as st

from core.statistics.overview import SUBJECTS
from pages.components.shared import chart, filter_bar
from pages.components.statistics import subjects
from pages.resources import datasets, products

BY_TITLE = {subject.title: subject for subject in SUBJECTS}

st.title("Statistics", anchor=False)
st.html(
    '<p class="vitrine-lead">The figures and tables of the dataset papers, for any dataset and cohort.</p>'
)
if not datasets.available():
    st.info("There is no dataset yet. Add one on the Home page.")
    st.page_link("home.py", label="Go to Home")
    st.stop()

info = filter_bar.choose_dataset()
cohort = filter_bar.show(info)
with st.sidebar:
    chart.choose_format()

title = st.pills(
    "Subject", list(BY_TITLE), default=SUBJECTS[0].title, required=True, key="subject", bind="query-params",
    label_visibility="collapsed",
)  # fmt: skip
subject = BY_TITLE[title or SUBJECTS[0].title]
st.markdown(f"{subject.line} Click a bar to open its products.")
st.caption(chart.plain(f"{products.count(cohort):,} products: {cohort.describe()}"))
subjects.SHOW[subject.key](info, cohort)
