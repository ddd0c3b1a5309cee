"""Encoders, the vectors of a dataset, and what a search finds."""

from __future__ import annotations

import streamlit as st

from core.catalog import info as catalog
from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.embeddings import store
from core.embeddings.loading import loaded_encoder
from core.search.query import Answer, How, Part, Searcher
from pages.resources import products


def vector_sets(info: DatasetInfo) -> list[tuple[str, store.Description]]:
    """The vector sets of a dataset, pictures first; not cached, since another process writes them."""
    return store.preferred(store.sets(info))


def _made(info: DatasetInfo, vectors: str) -> str:
    return next((found.created for known, found in store.sets(info) if known == vectors), "")


@st.cache_resource(max_entries=4, show_spinner=False)
def _searcher(name: str, fingerprint: str, created: str, vectors: str, made: str) -> Searcher:
    return Searcher(products.table(name), vectors, loaded_encoder)


def searcher(info: DatasetInfo, vectors: str) -> Searcher:
    """
    Raises:
        EmbeddingError: the vectors are gone or stale.
    """
    return _searcher(info.name, info.fingerprint, info.created, vectors, _made(info, vectors))


@st.cache_data(max_entries=128, ttl=600, show_spinner=False)
def _answer(
    cohort: Cohort, created: str, vectors: str, made: str, parts: tuple[Part, ...], how: How, k: int
) -> Answer:
    info = catalog.info(cohort.dataset)
    mask = None if cohort.with_(fingerprint=None).is_whole() else products.table(cohort.dataset).mask(cohort)
    return searcher(info, vectors).search(parts, k, mask, how)


def answer(cohort: Cohort, vectors: str, parts: tuple[Part, ...], how: How, k: int) -> Answer:
    """What a search finds in a cohort; the same question is answered once.

    Raises:
        VitrineError: see core.search.query.Searcher.search.
    """
    info = catalog.info(cohort.dataset)
    return _answer(cohort, products.version(cohort), vectors, _made(info, vectors), parts, how, k)
