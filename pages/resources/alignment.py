"""Compared sub-classes, once for all visitors."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.labels import alignment
from core.labels.alignment import Alignment


@st.cache_resource(max_entries=6, show_spinner="Comparing names and titles")
def _found(names: tuple[str, ...], fingerprints: tuple[str, ...], by: str, any_class: bool) -> Alignment:
    return alignment.align(names[0], names[1] if len(names) > 1 else "", by, any_class=any_class)


def found(a: DatasetInfo, b: DatasetInfo | None, by: str, any_class: bool) -> Alignment:
    """
    Raises:
        UsageError: as `alignment.align`.
    """
    some = [a, b] if b else [a]
    return _found(tuple(one.name for one in some), tuple(one.fingerprint for one in some), by, any_class)
