"""The map: every product of a dataset as a point, similar products near each other."""

from __future__ import annotations

import streamlit as st

from core.catalog import map_files
from core.embeddings.store import PICTURES_ALONE
from core.statistics.colouring import TITLES, columns
from pages.components.map import map_form, map_found, map_plain, map_view
from pages.components.shared import embed_form, filter_bar, page_head, product_dialog
from pages.resources import maps, products, search

LAYERS = ("Points", "Density")
CHARACTERS = 2_000

page_head.show(
    "Map",
    "Similar products are near each other. Draw a lasso to open its products.",
)

info = filter_bar.choose_dataset()
top = st.container()  # the filters are read after the map is chosen, which an area belongs to
sets = dict(search.vector_sets(info))
drawable = map_files.maps(info)
if not drawable:
    filter_bar.show(info)
    if sets:
        map_form.show(info, list(sets))
    else:
        embed_form.show(info, "The map is computed from them.")
    product_dialog.open_linked(info)
    st.stop()

with st.container(horizontal=True, vertical_alignment="top"):
    drawn = map_form.choose(info, [described.name for described in drawable])
    titles = {TITLES[column]: column for column in columns(products.table(info.name), drawn)}
    title = st.selectbox("Colour", list(titles), key="colour", bind="query-params", width=182)
    layer = st.segmented_control(
        "Show", LAYERS, key="layer", bind="query-params", default=LAYERS[0], required=True
    )
    words = ""
    lit = sets.get(drawn.description.vectors)
    takes_texts = lit is not None and lit.tower != "imported" and lit.encoder not in PICTURES_ALONE
    if takes_texts:
        words = st.text_input(
            "Highlight search results", key="q", bind="query-params", max_chars=CHARACTERS, width=340,
            placeholder="words in any language: black boots",
        ).strip()  # fmt: skip
with top:
    cohort = filter_bar.show(info)
hits = map_found.show(info, drawn, cohort, words, takes_texts) or map_found.place(info, drawn)

colour = maps.coloured(info, drawn.name, titles[title])
if map_view.WITHOUT in st.session_state:
    map_plain.show(info, drawn, cohort, colour, hits)
else:
    map_view.show(info, drawn, cohort, colour, str(layer).lower(), hits)
map_form.show_regions(drawn.description)
product_dialog.open_linked(info)
