"""Who is looking, and at which dataset."""

from __future__ import annotations

import streamlit as st

from core.catalog import info as catalog
from core.catalog.info import DatasetInfo
from pages import guard
from pages.resources import datasets


def chosen_dataset() -> DatasetInfo:
    """The dataset that the URL names, or the first.

    Raises:
        UnknownDatasetError: the URL names one that is not there or damaged, or there is none at all.
    """
    there = datasets.available()
    name = st.query_params.get("dataset")
    if name is None and there:
        return there[0]
    for info in there:
        if info.name == name:
            return info
    return catalog.info(name or "")  # raises; a damaged one says what to do


def is_local() -> bool:
    """Does the visitor sit at the machine that serves? Only they may add and remove datasets.

    Streamlit's own `st.context.ip_address` is None for this machine and for an unknown address alike.
    """
    return guard.marked_local(st.context.headers)
