"""Every cache of the pages. Keys are names and fingerprints, never tables or models."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.catalog import info as catalog
from core.catalog import map_files
from core.catalog.cohort import Cohort, path_text
from core.catalog.columns import Order
from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.duplicates import finding, twins
from core.duplicates.leakage import Leakage, Splits, leakage
from core.duplicates.lookalikes import LookAlike, LookAlikes
from core.embeddings import store
from core.embeddings.clip import Encoder, encoder
from core.errors import UnknownDatasetError
from core.evaluation.cache import Kept
from core.search.query import Answer, How, Part, Searcher
from core.statistics import picture_stats
from core.statistics.colouring import Colouring, colouring
from core.statistics.map_labels import places
from core.statistics.queue import Desk

FEW_REGIONS = 6  # a map with fewer is named by its categories

if TYPE_CHECKING:
    from trainers.presets import Choice


def datasets() -> list[DatasetInfo]:
    """What there is now: read anew each time, since another process may import or remove."""
    return catalog.datasets()


@st.cache_resource(max_entries=8, show_spinner=False)
def _products(name: str, fingerprint: str, created: str) -> Products:
    return Products.open(name)


def products(name: str) -> Products:
    """
    Raises:
        UnknownDatasetError: it was removed, perhaps while somebody looked at it.
    """
    info = catalog.info(name)
    return _products(name, info.fingerprint, info.created)


@st.cache_data(max_entries=64, show_spinner=False)
def _facets(fingerprint: str, created: str, name: str) -> dict[str, list[str]]:
    table = products(name)
    found = {column: list(table.facet(column)) for column in ("split", "geo", "label_source", "label_kind")}
    paths: dict[tuple[str, ...], None] = {}
    for path, _ in table.categories():
        for depth in range(1, len(path) + 1):
            paths.setdefault(path[:depth])
    return {**found, "category": [path_text(path) for path in paths]}


def choices(name: str) -> dict[str, list[str]]:
    """What each filter of a dataset can be: most frequent first, categories in the tree's order."""
    info = catalog.info(name)
    return _facets(info.fingerprint, info.created, name)


def map_version(cohort: Cohort) -> str:
    """What differs after the map that the cohort's area is of was made anew."""
    return map_files.version(catalog.info(cohort.dataset), cohort.map) if cohort.area else ""


def _made(cohort: Cohort) -> str:
    """When what the cohort is of was made: the dataset, and the map that its area is of."""
    return catalog.info(cohort.dataset).created + map_version(cohort)


@st.cache_data(max_entries=256, ttl=600, show_spinner=False)
def _count(cohort: Cohort, created: str) -> int:
    return products(cohort.dataset).count(cohort)


def count(cohort: Cohort) -> int:
    return _count(cohort, _made(cohort))


@st.cache_data(max_entries=256, ttl=600, show_spinner=False)
def _rows(
    cohort: Cohort, created: str, order: Order, seed: int, offset: int, limit: int
) -> list[dict[str, Any]]:
    return products(cohort.dataset).rows(cohort, order, seed, offset, limit)


def rows(
    cohort: Cohort, order: Order = "dataset", seed: int = 0, offset: int = 0, limit: int = 24
) -> list[dict[str, Any]]:
    """One page of a cohort's products."""
    return _rows(cohort, _made(cohort), order, seed, offset, limit)


@st.cache_resource(max_entries=2, show_spinner="Loading the encoder")
def loaded_encoder(name: str) -> Encoder:
    """One for all visitors and datasets."""
    return encoder(name).load()


def vector_sets(info: DatasetInfo) -> list[tuple[str, store.Description]]:
    """The vectors that a dataset has now, of pictures first: read anew each time, since another process makes them."""
    return store.preferred(store.sets(info))


@st.cache_resource(max_entries=4, show_spinner=False)
def _searcher(name: str, fingerprint: str, created: str, vectors: str, made: str) -> Searcher:
    return Searcher(products(name), vectors, loaded_encoder)


def searcher(info: DatasetInfo, vectors: str) -> Searcher:
    """
    Raises:
        EmbeddingError: the vectors are gone or stale.
    """
    made = next((found.created for known, found in store.sets(info) if known == vectors), "")
    return _searcher(info.name, info.fingerprint, info.created, vectors, made)


@st.cache_data(max_entries=128, ttl=600, show_spinner=False)
def _found(
    cohort: Cohort, created: str, vectors: str, made: str, parts: tuple[Part, ...], how: How, k: int
) -> Answer:
    info = catalog.info(cohort.dataset)
    mask = None if cohort.with_(fingerprint=None).is_whole() else products(cohort.dataset).mask(cohort)
    return searcher(info, vectors).search(parts, k, mask, how)


def found(cohort: Cohort, vectors: str, parts: tuple[Part, ...], how: How, k: int) -> Answer:
    """What a search finds in a cohort; the same question is answered once.

    Raises:
        VitrineError: see core.search.query.Searcher.search.
    """
    info = catalog.info(cohort.dataset)
    made = next((found.created for known, found in store.sets(info) if known == vectors), "")
    return _found(cohort, _made(cohort), vectors, made, parts, how, k)


@st.cache_resource(show_spinner="Reading the trainers' presets")
def trainings() -> list[Choice]:
    """What can be trained. Asked for only when somebody wants to train: it loads torch."""
    from trainers.presets import choices

    return choices()


@st.cache_resource(show_spinner=False)
def desk() -> Desk:
    """Where statistics are computed: one for all visitors."""
    return Desk()


def measured_at(info: DatasetInfo) -> float | None:
    """When the pictures were measured: what is shown of them before is not what is shown after."""
    try:
        return picture_stats.stats_path(info).stat().st_mtime
    except OSError:
        return None


@st.cache_data(max_entries=32, show_spinner=False)
def _class_counts(name: str, created: str, split: str, human_only: bool) -> dict[str, int]:
    cohort = Cohort(name, split=(split,), label_kind=("human",) if human_only else ())
    return {path_text(path): count for path, count in products(name).categories(cohort)}


def class_counts(name: str, split: str, human_only: bool = False) -> dict[str, int]:
    """How many products of a split each class has, by its path as one line."""
    return _class_counts(name, catalog.info(name).created, split, human_only)


@st.cache_resource(max_entries=8, show_spinner=False)
def _predictions(path: Path, changed_ns: int, _made: Kept) -> pd.DataFrame:
    return _made.predictions()


def predictions(made: Kept) -> pd.DataFrame:
    """The products that an evaluation judged, one for all visitors: not to be changed.

    Raises:
        StorageError: it is gone, perhaps with its run.
    """
    try:
        changed_ns = made.path.stat().st_mtime_ns
    except OSError:
        return made.predictions()
    return _predictions(made.path, changed_ns, made)


@st.cache_resource(max_entries=8, show_spinner=False)
def _on_map(name: str, fingerprint: str, drawn: str, made: str) -> NDArray[np.bool_]:
    return ~np.isnan(map_files.read_map(catalog.info(name), drawn).points[:, 0])


def on_map(info: DatasetInfo, drawn: str) -> NDArray[np.bool_]:
    """(n,) which products a map shows: those that have a vector. Not to be written to."""
    return _on_map(info.name, info.fingerprint, drawn, map_files.version(info, drawn))


@st.cache_resource(max_entries=16, show_spinner=False)
def _coloured(name: str, created: str, drawn: str, made: str, column: str) -> Colouring:
    return colouring(products(name), map_files.read_map(catalog.info(name), drawn), column)


def coloured(info: DatasetInfo, drawn: str, column: str) -> Colouring:
    """Which colour each product has on a map. Not to be written to."""
    return _coloured(info.name, info.created, drawn, map_files.version(info, drawn), column)


@st.cache_resource(max_entries=16, show_spinner=False)
def _duplicates(name: str, fingerprint: str, created: str, key: str, searched: str) -> finding.Found | None:
    return finding.load(catalog.info(name), key)


def duplicates(info: DatasetInfo, key: str) -> finding.Found | None:
    """What a detector of duplicates found; None where nobody has looked yet."""
    described = finding.describe(info, key)
    if described is None:
        return None
    return _duplicates(info.name, info.fingerprint, info.created, key, described.created)


@st.cache_resource(max_entries=8, show_spinner=False)
def _splits(name: str, fingerprint: str, created: str) -> Splits:
    return Splits(products(name))


def splits(info: DatasetInfo) -> Splits:
    """Which split each product is in."""
    return _splits(info.name, info.fingerprint, info.created)


@st.cache_data(max_entries=128, show_spinner=False)
def _leakage(name: str, fingerprint: str, created: str, key: str, searched: str, threshold: float) -> Leakage:
    info = catalog.info(name)
    found = duplicates(info, key)
    if found is None:
        raise UnknownDatasetError(name, [known.name for known in datasets()])
    return leakage(found, splits(info), threshold)


def leakage_at(info: DatasetInfo, found: finding.Found, threshold: float) -> Leakage:
    """What a detector found, counted at a threshold."""
    said = found.described
    return _leakage(info.name, info.fingerprint, info.created, said.detector, said.created, threshold)


@st.cache_data(max_entries=16, show_spinner=False)
def _twin_counts(name: str, fingerprint: str, created: str) -> dict[str, int]:
    return twins.counts(products(name))


def twin_counts(info: DatasetInfo) -> dict[str, int]:
    """How many pictures are shown in several countries."""
    return _twin_counts(info.name, info.fingerprint, info.created)


@st.cache_resource(max_entries=2, show_spinner="Reading pictures")
def _look_alikes(name: str, fingerprint: str, created: str, vectors: str, made: str) -> LookAlikes:
    return LookAlikes(products(name), store.open_set(catalog.info(name), vectors) if vectors else None)


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


@st.cache_data(max_entries=32, show_spinner=False)
def _named(name: str, created: str, drawn: str, made: str) -> list[tuple[str, float, float, int]]:
    found = map_files.read_map(catalog.info(name), drawn)
    regions = [(each.label, each.x, each.y, each.size) for each in found.description.regions]
    if len(regions) >= FEW_REGIONS:
        return regions
    colour = colouring(products(name), found, "category")
    labels = [entry.label for entry in colour.entries if entry.value is not None]
    return [
        (place.label, place.x, place.y, place.size)
        for place in places(np.asarray(found.points), colour.codes, labels)
    ]


def named(info: DatasetInfo, drawn: str) -> list[tuple[str, float, float, int]]:
    """What is written on a map, as (label, x, y, products): its regions; where it falls into few, the
    places where a category prevails."""
    return _named(info.name, info.created, drawn, map_files.version(info, drawn))


def image_url(info: DatasetInfo, image_id: str | None, width_px: int) -> str:
    """Where the browser finds a picture; it may keep it for ever, since the address names the content."""
    path = quote(image_id or "none", safe="")
    return f"/images/{quote(info.name)}/{path}?w={width_px}&v={info.fingerprint}"


def cohort_url(page: str, cohort: Cohort, **more: str | list[str]) -> str:
    """A link to a page that shows the same products."""
    return f"{page}?{urlencode({**cohort.to_query(), **more}, doseq=True)}"


def chosen_dataset() -> DatasetInfo:
    """The dataset that the URL names, or the first.

    Raises:
        UnknownDatasetError: the URL names one that is not there or damaged, or there is none at all.
    """
    there = datasets()
    name = st.query_params.get("dataset")
    if name is None and there:
        return there[0]
    for info in there:
        if info.name == name:
            return info
    return catalog.info(name or "")  # raises; a damaged one says what to do


def is_local_visitor() -> bool:
    """Does the visitor sit at the machine that serves? Only they may add and remove datasets."""
    address = st.context.ip_address
    if address is None:
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
