"""Reports that visitors asked for: made one at a time, the latest cached."""

from __future__ import annotations

import threading

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.errors import UsageError
from core.reports import page
from core.reports.report import report
from pages.resources import products, statistics

WAIT_S = 60.0
_ONE = threading.Lock()


@st.cache_data(max_entries=8, ttl=60, show_spinner=False)
def _made(cohort: Cohort, version: str, measured_at: float | None, url: str) -> tuple[bytes, int]:
    if not _ONE.acquire(timeout=WAIT_S):
        raise UsageError("Another report is being made. Try again in a minute.")
    try:
        found = report(products.table(cohort.dataset), cohort, url)
        return page.page(found).encode(), sum(finding.says_something for finding in found.found)
    finally:
        _ONE.release()


def made(info: DatasetInfo, cohort: Cohort, url: str) -> tuple[bytes, int]:
    """The page of a report, UTF-8, and how many figures stand out.

    Raises:
        UsageError: the cohort is empty, or others are made before it.
    """
    return _made(cohort, products.version(cohort), statistics.measured_at(info), url)
