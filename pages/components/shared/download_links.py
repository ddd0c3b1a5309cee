"""The links that download products, on every page that shows some."""

from __future__ import annotations

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from pages.resources.urls import cohort_url


def show(info: DatasetInfo, cohort: Cohort, disabled: bool = False) -> None:
    """CSV for a spreadsheet, CSV as it is for programs, and Parquet."""
    csv, parquet = f"/download/{info.name}.csv", f"/download/{info.name}.parquet"
    for title, link in (
        ("As CSV for spreadsheets", cohort_url(csv, cohort)),
        ("As CSV for programs", cohort_url(csv, cohort, raw="1")),
        ("As Parquet", cohort_url(parquet, cohort)),
    ):
        st.link_button(title, link, width="stretch", disabled=disabled)
    st.caption(
        "A spreadsheet would run a cell that begins with =, +, - or @ as a formula. "
        "In its CSV such a text begins with an apostrophe; the one for programs has every text as it is."
    )
