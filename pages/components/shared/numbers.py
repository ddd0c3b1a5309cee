"""How numbers are shown: shares as percentages, similarities with three decimals, times as durations."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

PERCENT = st.column_config.NumberColumn(format="%.1f%%")


def in_percent(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Shares times a hundred, for columns of PERCENT; missing stays missing."""
    return table.assign(**{column: 100 * table[column].astype("float64") for column in columns})


def percent(share: float) -> str:
    """A probability as a person reads it; figures of many products are given with one decimal.

    >>> percent(0.0004), percent(0.0312), percent(0.874), percent(0.9999)
    ('<0.1%', '3.1%', '87%', '>99.9%')
    """
    if share < 0.001:
        return "0%" if share <= 0 else "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    return f"{share:.1%}" if share < 0.1 or 0.99 < share < 1 else f"{share:.0%}"


def similarity(value: float) -> str:
    """A cosine, or another score of a search: three decimals everywhere.

    >>> similarity(0.12345), similarity(-0.00001)
    ('0.123', '0.000')
    """
    return f"{round(float(value), 3) + 0.0:.3f}"


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
