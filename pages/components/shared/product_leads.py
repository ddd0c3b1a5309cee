"""Where one goes on from a product: similar ones, the classifier's answer, duplicates, its place on the map."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.catalog import map_files
from core.catalog.cohort import Cohort, path_text
from core.catalog.info import DatasetInfo
from pages.components.shared.numbers import percent
from pages.components.shared.product_grid import product_key
from pages.resources import duplicates, evaluation
from pages.resources.urls import cohort_url


def show(info: DatasetInfo, product: Mapping[str, Any]) -> None:
    """What is known of the product elsewhere, each with a link."""
    lines = [_similar(info, product), _classified(info, product), _duplicates(info, product)]
    lines.append(_on_the_map(info, product))
    items = "".join(f"<li>{line}</li>" for line in lines if line)
    st.html(f'<ul class="vitrine-leads">{items}</ul>')


def _link(title: str, address: str, more: str = "") -> str:
    return f'<a href="{html.escape(address)}" target="_self">{html.escape(title)}</a><span>{html.escape(more)}</span>'


def search_url(info: DatasetInfo, product: Mapping[str, Any]) -> str:
    """A link to the search for similar products."""
    return cohort_url("/search", Cohort(info.name), like=str(product["row_id"]))


def _similar(info: DatasetInfo, product: Mapping[str, Any]) -> str:
    return _link("More like this", search_url(info, product)) if product["image"] else ""


def _classified(info: DatasetInfo, product: Mapping[str, Any]) -> str:
    """What an evaluation says of it, if it was among the products of one."""
    address = cohort_url("/classify", Cohort(info.name), product=product_key(product))
    said = evaluation.said_of(info, int(product["row_id"]))
    if said is None:
        return _link("Ask the classifier", address)
    label = path_text(product["category_path"])
    agrees = "as labelled" if said.prediction == label else "unlike its label"
    return _link(
        "What the classifier says",
        address,
        f"{said.name}, {percent(said.probability)}: {agrees} ({said.model})",
    )


def _duplicates(info: DatasetInfo, product: Mapping[str, Any]) -> str:
    """How many duplicates it has, and in which countries its picture occurs."""
    count = duplicates.count_of(info, int(product["row_id"]))
    of_it = Cohort(info.name, item_id=(product["item_id"],))
    pairs = _link(
        "Its duplicates",
        cohort_url("/duplicates", of_it, view="Pairs"),
        {None: "not searched yet", 0: "none found", 1: "1 product"}.get(count, f"{count} products"),
    )
    if not product["image_id"] or info.geos < 2:
        return pairs
    twins = Cohort(info.name, image_id=(product["image_id"],))
    return f"{pairs}</li><li>{_link('Its twins in other countries', cohort_url('/duplicates', twins, view='Twins'))}"


def _on_the_map(info: DatasetInfo, product: Mapping[str, Any]) -> str:
    there = map_files.maps(info)
    if not there:
        return ""
    address = cohort_url("/map", Cohort(info.name), map=there[0].name, row=str(product["row_id"]))
    return _link("Its place on the map", address)
