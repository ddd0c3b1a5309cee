"""Search results on the map: the query, how many products are highlighted, and links to them."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.catalog.map_files import Map
from core.errors import VitrineError
from pages.components.search import query_form
from pages.components.shared.markdown import plain
from pages.components.shared.product_grid import product_url
from pages.resources import products, search
from pages.resources.urls import cohort_url

LIT = 100  # products that a search highlights


def place(info: DatasetInfo, drawn: Map) -> list[int]:
    """Mark the product whose row is in the address; its row id, in a list that is empty without one."""
    row = st.query_params.get("row", "")
    found = products.table(info.name).by_row([int(row)]) if row.isdecimal() and len(row) < 12 else []
    if not found:
        return []
    name = found[0]["name"] or found[0]["item_id"]
    if np.isnan(drawn.points[found[0]["row_id"]]).any():
        st.info(plain(f"{name} is not on this map: it has no vector."))
        return []
    opened = html.escape(product_url(info, found[0]))
    st.html(
        f'<p class="vitrine-found"><b>{html.escape(name)} is marked on the map.</b> <a href="{opened}" target="_self">Open it</a></p>'
    )
    return [int(found[0]["row_id"])]


def show(info: DatasetInfo, drawn: Map, cohort: Cohort, words: str, texts: bool) -> list[int]:
    """Show what the search in the address found among the filtered products; the area is ignored. Row ids, best first.

    Args:
        words: the text query; its other parts are in the address.
        texts: can texts and photos be compared with the map's vectors?
    """
    if drawn.description.vectors not in dict(search.vector_sets(info)):
        return []
    among = cohort.with_(map="", area=())
    try:
        query, how = query_form.carried(info, words, texts)
        if not query.parts:
            return []
        with st.spinner("Searching"):
            answer = search.answer(among, drawn.description.vectors, query.parts, how, LIT)
    except VitrineError as error:
        st.warning(plain(str(error)))
        return []
    hits = [hit.row_id for hit in answer.hits]
    for note in answer.notes:
        st.caption(plain(note))
    if not hits:
        st.info(f"No search result to highlight among: {plain(among.describe())}.")
        return []
    points = np.asarray(drawn.points[hits])
    placed = ~np.isnan(points).any(axis=1)
    places = len(np.unique(points[placed], axis=0))
    said = f"The best {len(hits):,} of {answer.allowed:,} products are highlighted"
    if places < len(hits):
        said += f", at {places:,} points: products with the same picture share a point"
    if not placed.all():
        said += f"; {np.count_nonzero(~placed):,} of them are not on the map"
    rows = products.table(info.name).by_row(hits)
    found = Cohort(info.name, item_id=tuple(dict.fromkeys(row["item_id"] for row in rows)))
    query_of = {**query_form.address(), **({"q": [words]} if words else {})}
    links = (
        (f"Open these {len(hits):,} in Browse", cohort_url("/browse", found)),
        (
            "As a list in Search",
            cohort_url("/search", among, vectors=drawn.description.vectors, **query_of),
        ),
    )
    # Not st.link_button, which opens a new tab.
    opened = "".join(
        f' <a href="{html.escape(address)}" target="_self">{html.escape(title)}</a>'
        for title, address in links
    )
    st.html(f'<p class="vitrine-found"><b>{html.escape(said)}.</b>{opened}</p>')
    return hits
