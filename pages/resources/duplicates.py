"""Duplicates, leakage between splits, pictures of several countries, look-alikes."""

from __future__ import annotations

import streamlit as st

from core.catalog import info as catalog
from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.duplicates import finding, twins
from core.duplicates.detectors import DETECTORS
from core.duplicates.leakage import Leakage, Splits, leakage
from core.duplicates.lookalikes import LookAlike, LookAlikes
from core.embeddings import store
from core.errors import UnknownDatasetError
from pages.resources import datasets, products


@st.cache_resource(max_entries=16, show_spinner=False)
def _found_by(name: str, fingerprint: str, created: str, key: str, searched: str) -> finding.Found | None:
    return finding.load(catalog.info(name), key)


def found_by(info: DatasetInfo, key: str) -> finding.Found | None:
    """The result of a duplicate detector; None if it has not run."""
    described = finding.describe(info, key)
    if described is None:
        return None
    return _found_by(info.name, info.fingerprint, info.created, key, described.created)


def count_of(info: DatasetInfo, row: int) -> int | None:
    """How many products are duplicates of one, by the detectors that are precise at their usual thresholds; None where
    none of those was run."""
    known = [kind for kind in DETECTORS if kind.precise]
    founds = [(kind, found) for kind in known if (found := found_by(info, kind.key)) is not None]
    if not founds:
        return None
    return len({int(other) for kind, found in founds for other in found.duplicates_of(row, kind.default)})


@st.cache_resource(max_entries=8, show_spinner=False)
def _splits(name: str, fingerprint: str, created: str) -> Splits:
    return Splits(products.table(name))


def splits(info: DatasetInfo) -> Splits:
    """Which split each product is in."""
    return _splits(info.name, info.fingerprint, info.created)


@st.cache_data(max_entries=128, show_spinner=False)
def _leakage(name: str, fingerprint: str, created: str, key: str, searched: str, threshold: float) -> Leakage:
    info = catalog.info(name)
    found = found_by(info, key)
    if found is None:
        raise UnknownDatasetError(name, [known.name for known in datasets.available()])
    return leakage(found, splits(info), threshold)


def leakage_at(info: DatasetInfo, found: finding.Found, threshold: float) -> Leakage:
    """What a detector found, counted at a threshold."""
    said = found.described
    return _leakage(info.name, info.fingerprint, info.created, said.detector, said.created, threshold)


@st.cache_data(max_entries=16, show_spinner=False)
def _twin_counts(cohort: Cohort, created: str) -> dict[str, int]:
    return twins.counts(products.table(cohort.dataset), cohort)


def twin_counts(cohort: Cohort) -> dict[str, int]:
    """How many pictures, of which a product is in the cohort, are shown in several countries."""
    return _twin_counts(cohort, products.version(cohort))


@st.cache_resource(max_entries=2, show_spinner="Reading pictures")
def _look_alikes(name: str, fingerprint: str, created: str, vectors: str, made: str) -> LookAlikes:
    return LookAlikes(products.table(name), store.open_set(catalog.info(name), vectors) if vectors else None)


def look_alikes(info: DatasetInfo) -> LookAlikes:
    """The pictures of a dataset at 64 x 64, and the newest vectors of them."""
    there = [(name, found.created) for name, found in store.sets(info) if found.tower == "image"]
    vectors, made = there[0] if there else ("", "")
    return _look_alikes(info.name, info.fingerprint, info.created, vectors, made)


@st.cache_data(max_entries=256, show_spinner="Comparing")
def _nearest(name: str, fingerprint: str, created: str, row: int, by: str, k: int) -> list[LookAlike]:
    alike = look_alikes(catalog.info(name))
    return alike.by_pixels(row, k) if by == "pixels" else alike.by_vectors(row, k)


def nearest_of_another_class(info: DatasetInfo, row: int, by: str, k: int) -> list[LookAlike]:
    """The k nearest products of another class, by `pixels` or by `vectors`.

    Raises:
        UsageError: the product has no picture that can be opened.
    """
    return _nearest(info.name, info.fingerprint, info.created, row, by, k)
