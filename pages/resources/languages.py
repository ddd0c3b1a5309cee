"""Pairs of countries, languages in use, products of several countries, translations: cached for the pages."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.duplicates import finding
from core.languages import families, pairs, translations, usage
from core.languages.scores import Scores
from core.languages.translations import Translation
from pages.resources import products


@st.cache_resource(max_entries=4, show_spinner="Joining products by their picture")
def _pairs(cohort: Cohort, created: str, by: str, searched: str) -> pd.DataFrame:
    return pairs.country_pairs(products.table(cohort.dataset), cohort, by)


def pairs_of(info: DatasetInfo, cohort: Cohort, by: str) -> pd.DataFrame:
    """Every pair of the cohort; shared by all visitors, not to be changed.

    Raises:
        DuplicatesError: the search was not run yet.
        UsageError: there are too many pairs.
    """
    described = finding.describe(info, by) if by != pairs.PICTURE_ID else None
    return _pairs(cohort, products.version(cohort), by, described.created if described else "")


@st.cache_data(max_entries=16, show_spinner=False)
def _used(cohort: Cohort, created: str) -> pd.DataFrame:
    return usage.used(products.table(cohort.dataset), cohort)


def used(cohort: Cohort) -> pd.DataFrame:
    """The languages that countries use."""
    return _used(cohort, products.version(cohort))


@st.cache_data(max_entries=16, show_spinner=False)
def _families(cohort: Cohort, created: str) -> int:
    return families.count(products.table(cohort.dataset), cohort)


def families_in(cohort: Cohort) -> int:
    """How many pictures are sold in several countries."""
    return _families(cohort, products.version(cohort))


@st.cache_resource(max_entries=4, show_spinner=False)
def _translations(name: str, fingerprint: str, changed: float) -> list[Translation]:
    return translations.listing(products.table(name).info)


def translations_of(info: DatasetInfo) -> list[Translation]:
    """The stored translations, newest first."""
    return _translations(info.name, info.fingerprint, translations.stamp(info))


@st.cache_data(max_entries=4, show_spinner="Scoring translations")
def _scores(
    cohort: Cohort, created: str, changed: float, digest: str, mode: str, every: bool
) -> dict[Any, Scores]:
    info = products.table(cohort.dataset).info
    found = pairs_of(info, cohort, pairs.PICTURE_ID)
    scored = {}
    for one in translations_of(info):
        said = one.described
        if (said.digest, said.mode, said.column) == (digest, mode, "description"):
            made = translations.scored(one, found, every, repeats=200)
            if made is not None:
                scored[said.source, said.target] = made
    return scored


def scores_of(
    info: DatasetInfo, cohort: Cohort, digest: str, mode: str, every: bool
) -> dict[tuple[str, str], Scores]:
    """Scores of a model's translations in one mode, by source and target country."""
    return _scores(cohort, products.version(cohort), translations.stamp(info), digest, mode, every)
