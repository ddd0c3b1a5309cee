"""Languages: the pairs of two countries, with their texts and, where there are any, translations."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.languages.pairs import KIND_TITLES, between, counts
from pages.components.languages import choices
from pages.components.languages.counts_view import ALL, NAMES
from pages.components.shared.markdown import plain
from pages.components.shared.product_grid import product_url
from pages.resources import languages, products
from pages.resources.urls import image_url

SIZE = 10
MOST_PAGES = 400


def show(info: DatasetInfo, cohort: Cohort) -> None:
    """One page of pairs, source beside target."""
    by = choices.choose_key(info)
    found = languages.pairs_of(info, cohort, by)
    if found.empty:
        st.info("There are no pairs of countries here.")
        return
    source, target = choices.choose_countries(counts(found).countries)
    named = st.segmented_control(
        "Pairs", list(NAMES), default=ALL, key="kind", bind="query-params", required=True
    )
    if source == target:
        st.info("Choose two different countries.")
        return
    frame = between(found, source, target)
    if (kind := NAMES[named or ALL]) is not None:
        frame = frame[frame["kind"] == kind]
    what = f"{len(frame):,} pair{'' if len(frame) == 1 else 's'} of {choices.country(source)} and {choices.country(target)}"
    st.caption(plain(what if kind is None else f"{what}: {KIND_TITLES[kind]}"))
    if frame.empty:
        return
    pages = min(MOST_PAGES, -(-len(frame) // SIZE))
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = 1
    room = st.container()
    number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    chosen = frame.iloc[(number - 1) * SIZE : number * SIZE]
    rows = products.table(info.name).by_row(
        [int(row) for row in chosen[["row_a", "row_b"]].to_numpy().ravel()]
    )
    with room:
        st.html(
            "".join(
                _pair(info, rows[2 * at], rows[2 * at + 1], pair)
                for at, pair in enumerate(chosen.itertuples())
            )
        )


def _pair(info: DatasetInfo, first: dict[str, Any], second: dict[str, Any], pair: Any) -> str:
    note = "" if pair.kind == "usable" else f"<p><b>{html.escape(KIND_TITLES[pair.kind])}</b></p>"
    sides = "".join(_side(info, row, words) for row, words in ((first, pair.text_a), (second, pair.text_b)))
    return f'<article class="vitrine-said">{picture(info, first)}<div class="sides">{sides}</div>{note}</article>'


def _side(info: DatasetInfo, row: dict[str, Any], words: str) -> str:
    address = html.escape(product_url(info, row))
    place = html.escape(choices.country(row["geo"] or ""))
    return (
        f"<div><small>{place} · {html.escape(row['language'] or '')}</small>"
        f'<a href="{address}" target="_self" dir="auto">{html.escape(row["name"] or "(no name)")}</a>'
        f"{choices.text(words, row['language'] or '')}</div>"
    )


def picture(info: DatasetInfo, row: dict[str, Any], width_px: int = 240) -> str:
    """The picture of a product, as a link to it."""
    if not row["image"]:
        return '<span class="none">no picture</span>'
    source, name = (
        html.escape(image_url(info, row["image_id"], width_px)),
        html.escape(row["name"] or "product"),
    )
    return (
        f'<a class="picture" href="{html.escape(product_url(info, row))}" target="_self">'
        f'<img src="{source}" alt="{name}" loading="lazy"></a>'
    )
