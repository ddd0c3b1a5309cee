"""How numbers are shown: shares as percentages, times as durations."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

PERCENT = st.column_config.NumberColumn(format="%.1f%%")


def in_percent(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Shares times a hundred, for columns of PERCENT; missing stays missing."""
    return table.assign(**{column: 100 * table[column].astype("float64") for column in columns})


def duration(seconds: float) -> str:
    """
    >>> duration(42), duration(600), duration(9_000), duration(400_000)
    ('42 s', '10 min', '2 h 30 min', '4.6 days')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{seconds / 86_400:.1f} days"
