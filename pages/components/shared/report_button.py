"""A button that makes a report of a dataset or cohort and offers it as a download."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.errors import UsageError, VitrineError
from core.reports.report import URL, check_url
from pages import access
from pages.components.shared.markdown import plain
from pages.resources import reports


def show(info: DatasetInfo, cohort: Cohort, key: str) -> None:
    """The button; nothing for who may not download.

    Args:
        key: of the button, unique on the page.
    """
    if not access.may(access.DOWNLOAD):
        return
    why = "A first look at these products as one page of HTML: figures, samples, duplicates, models."
    if st.button("Report", key=key, help=why):
        _dialog(info, cohort)


@st.dialog("Report")
def _dialog(info: DatasetInfo, cohort: Cohort) -> None:
    st.caption(plain(f"{info.name}: {cohort.describe()}"))
    try:
        with st.spinner(f"Looking at {info.rows:,} products"):
            text, figures = reports.made(info, cohort, server())
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    size = f"{len(text) / 1e6:.1f} MB" if len(text) > 200_000 else f"{len(text) / 1e3:.0f} kB"
    st.markdown(
        f"One page of {size} with {figures} figure{'s that stand' if figures != 1 else ' that stands'} out, samples of "
        "every category, duplicates and models. It opens in any browser, without a network."
    )
    st.download_button(
        "Download the report",
        text,
        f"{info.name}-report.html",
        "text/html",
        type="primary",
        on_click="ignore",
    )


def server() -> str:
    """The address that this page was asked at, for links that lead back."""
    parts = urlsplit(st.context.url or "")
    with suppress(UsageError):
        return check_url(f"{parts.scheme}://{parts.netloc}")
    return URL
