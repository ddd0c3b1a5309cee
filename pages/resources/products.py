"""Each dataset's products: its table, its filters, counts and pages of rows."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog import info as catalog
from core.catalog import map_files
from core.catalog.cohort import Cohort, path_text
from core.catalog.columns import Order
from core.catalog.products import Products


@st.cache_resource(max_entries=8, show_spinner=False)
def _table(name: str, fingerprint: str, created: str) -> Products:
    return Products.open(name)


def table(name: str) -> Products:
    """
    Raises:
        UnknownDatasetError: it was removed, perhaps while somebody looked at it.
    """
    info = catalog.info(name)
    return _table(name, info.fingerprint, info.created)


@st.cache_data(max_entries=64, show_spinner=False)
def _facets(fingerprint: str, created: str, name: str) -> dict[str, list[str]]:
    products = table(name)
    found = {
        column: list(products.facet(column)) for column in ("split", "geo", "label_source", "label_kind")
    }
    paths: dict[tuple[str, ...], None] = {}
    for path, _ in products.categories():
        for depth in range(1, len(path) + 1):
            paths.setdefault(path[:depth])
    return {**found, "category": [path_text(path) for path in paths]}


def filter_choices(name: str) -> dict[str, list[str]]:
    """What each filter of a dataset can be: most frequent first, categories in the tree's order."""
    info = catalog.info(name)
    return _facets(info.fingerprint, info.created, name)


def map_version(cohort: Cohort) -> str:
    """A key that changes when the map behind the cohort's area is rebuilt."""
    return map_files.version(catalog.info(cohort.dataset), cohort.map) if cohort.area else ""


def version(cohort: Cohort) -> str:
    """When what the cohort is of was made: the dataset, and the map that its area is of."""
    return catalog.info(cohort.dataset).created + map_version(cohort)


@st.cache_data(max_entries=256, ttl=600, show_spinner=False)
def _count(cohort: Cohort, created: str) -> int:
    return table(cohort.dataset).count(cohort)


def count(cohort: Cohort) -> int:
    return _count(cohort, version(cohort))


@st.cache_data(max_entries=256, ttl=600, show_spinner=False)
def _rows(
    cohort: Cohort, created: str, order: Order, seed: int, offset: int, limit: int
) -> list[dict[str, Any]]:
    return table(cohort.dataset).rows(cohort, order, seed, offset, limit)


def rows(
    cohort: Cohort, order: Order = "dataset", seed: int = 0, offset: int = 0, limit: int = 24
) -> list[dict[str, Any]]:
    """One page of a cohort's products."""
    return _rows(cohort, version(cohort), order, seed, offset, limit)
