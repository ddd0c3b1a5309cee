"""Where statistics are computed, and when pictures were measured."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.statistics import picture_stats
from core.statistics.queue import DisplayQueue


@st.cache_resource(show_spinner=False)
def displays() -> DisplayQueue:
    """Where statistics are computed: one for all visitors."""
    return DisplayQueue()


def measured_at(info: DatasetInfo) -> float | None:
    """When the pictures were measured; a cache key."""
    try:
        return picture_stats.stats_path(info).stat().st_mtime
    except OSError:
        return None
