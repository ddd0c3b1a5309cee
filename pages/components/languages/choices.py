"""What the views of Languages share: the key of pairs, two countries, links between views."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.duplicates import finding
from core.duplicates.detectors import DETECTORS
from core.languages.pairs import PICTURE_ID
from core.schema import COUNTRY_OF_GEO
from pages.resources.urls import cohort_url

TITLES = {PICTURE_ID: "Picture id", **{known.key: known.title for known in DETECTORS}}


def choose_key(info: DatasetInfo) -> str:
    """By what two products are one: the picture's id, or a duplicates search that was run."""
    there = [PICTURE_ID, *(known.key for known in DETECTORS if finding.describe(info, known.key) is not None)]
    if len(there) == 1:
        return PICTURE_ID
    chosen = st.selectbox(
        "Same product by", there, format_func=TITLES.__getitem__, key="by", bind="query-params", width=240
    )
    return chosen or PICTURE_ID


def choose_countries(countries: Sequence[str]) -> tuple[str, str]:
    """A source and a target, in the address as `from` and `to`."""
    left, right = st.columns(2)
    with left:
        source = st.selectbox("From", countries, format_func=country, key="from", bind="query-params")
    with right:
        target = st.selectbox(
            "To",
            countries,
            index=min(1, len(countries) - 1),
            format_func=country,
            key="to",
            bind="query-params",
        )
    return source or countries[0], target or countries[-1]


def country(geo: str) -> str:
    """
    >>> country("cz"), country("xx")
    ('Czechia', 'xx')
    """
    return COUNTRY_OF_GEO.get(geo, geo)


def pairs_url(info: DatasetInfo, cohort: Cohort, view: str, source: str, target: str, **more: str) -> str:
    """The address of the pairs of two countries. Streamlit binds a choice by what it shows, which is the country's name."""
    kept = cohort.with_(fingerprint=None)
    return cohort_url(
        "/languages", kept, view=view, **{"from": country(source), "to": country(target)}, **more
    )


def text(words: str | None, language: str = "", missing: str = "no text") -> str:
    """A text of a dataset as HTML, escaped; right-to-left scripts read their own way."""
    if not words:
        return f'<em class="missing">{html.escape(missing)}</em>'
    tag = f' lang="{html.escape(language)}"' if language else ""
    return f'<span dir="auto"{tag}>{html.escape(words)}</span>'
