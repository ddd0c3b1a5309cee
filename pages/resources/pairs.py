"""Incorrect pairs, read once for all visitors."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.catalog import info as catalog
from core.catalog.info import DatasetInfo
from core.pairs import judging, table
from core.pairs.table import Described, PairTable


@st.cache_resource(max_entries=8, show_spinner="Reading pairs")
def _loaded(name: str, fingerprint: str, created: str, pairs: str, made: str) -> PairTable:
    return table.load(catalog.info(name), pairs)


def loaded(info: DatasetInfo, described: Described) -> PairTable:
    """The pairs of a set.

    Raises:
        PairsError: they were removed meanwhile, or are broken.
    """
    return _loaded(info.name, info.fingerprint, info.created, described.name, described.created)


@st.cache_resource(max_entries=8, show_spinner=False)
def _partners(
    name: str, fingerprint: str, created: str, pairs: str, made: str
) -> tuple[np.ndarray, np.ndarray]:
    found = _loaded(name, fingerprint, created, pairs, made)
    partners, times = np.unique(found.partner[found.paired], return_counts=True)
    order = np.lexsort((partners, -times))
    return partners[order], times[order]


def partners(info: DatasetInfo, described: Described) -> tuple[np.ndarray, np.ndarray]:
    """The distinct partners, the most used first, and how many anchors share each."""
    return _partners(info.name, info.fingerprint, info.created, described.name, described.created)


@st.cache_resource(max_entries=8, show_spinner=False)
def _order(name: str, fingerprint: str, created: str, pairs: str, made: str) -> np.ndarray:
    return judging.order(_loaded(name, fingerprint, created, pairs, made))


def order(info: DatasetInfo, described: Described) -> np.ndarray:
    """The pairs' positions in the random order in which people are asked."""
    return _order(info.name, info.fingerprint, info.created, described.name, described.created)
