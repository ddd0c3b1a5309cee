"""What a map shows: which products, in which colours, with which labels."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.catalog import info as catalog
from core.catalog import map_files
from core.catalog.info import DatasetInfo
from core.statistics.colouring import Colouring, colouring
from core.statistics.map_labels import places
from pages.resources import products

FEW_REGIONS = 6  # a map with fewer is named by its categories


@st.cache_resource(max_entries=8, show_spinner=False)
def _shown(name: str, fingerprint: str, drawn: str, made: str) -> NDArray[np.bool_]:
    return ~np.isnan(map_files.read_map(catalog.info(name), drawn).points[:, 0])


def shown(info: DatasetInfo, drawn: str) -> NDArray[np.bool_]:
    """(n,) which products a map shows: those that have a vector. Not to be written to."""
    return _shown(info.name, info.fingerprint, drawn, map_files.version(info, drawn))


@st.cache_resource(max_entries=16, show_spinner=False)
def _coloured(name: str, created: str, drawn: str, made: str, column: str) -> Colouring:
    return colouring(products.table(name), map_files.read_map(catalog.info(name), drawn), column)


def coloured(info: DatasetInfo, drawn: str, column: str) -> Colouring:
    """Which colour each product has on a map. Not to be written to."""
    return _coloured(info.name, info.created, drawn, map_files.version(info, drawn), column)


@st.cache_data(max_entries=32, show_spinner=False)
def _labels(name: str, created: str, drawn: str, made: str) -> list[tuple[str, float, float, int]]:
    found = map_files.read_map(catalog.info(name), drawn)
    regions = [(each.label, each.x, each.y, each.size) for each in found.description.regions]
    if len(regions) >= FEW_REGIONS:
        return regions
    colour = colouring(products.table(name), found, "category")
    labels = [entry.label for entry in colour.entries if entry.value is not None]
    return [
        (place.label, place.x, place.y, place.size)
        for place in places(np.asarray(found.points), colour.codes, labels)
    ]


def labels(info: DatasetInfo, drawn: str) -> list[tuple[str, float, float, int]]:
    """What is written on a map, as (label, x, y, products): its regions; where it falls into few, the
    places where a category prevails."""
    return _labels(info.name, info.created, drawn, map_files.version(info, drawn))
