"""Search by words in any language, a photo, similar products, and negative examples."""

from __future__ import annotations

import streamlit as st

from core.catalog import map_files
from core.catalog.cohort import Cohort
from core.search.query import DEPTH, NOTHING_FOUND, Answer
from pages.components.search import query_form, scores
from pages.components.shared import (
    download_links,
    embed_form,
    filter_bar,
    page_head,
    product_dialog,
    product_grid,
)
from pages.components.shared.markdown import plain
from pages.resources import products, search
from pages.resources.urls import cohort_url

SIZE = 24
OPENED = 100  # products that a link to Browse holds

page_head.show(
    "Search",
    "Find products by words in any language, by a photo, or by similar products.",
)

info = filter_bar.choose_dataset()
cohort = filter_bar.show(info)
view = st.segmented_control(
    "View", ["Search", "Live"], key="view", bind="query-params", default="Search", label_visibility="collapsed",
)  # fmt: skip
if view == "Live":
    theme = st.context.theme.type or "light"
    address = cohort_url("/panels/retrieval/", cohort, __theme=theme, **query_form.question())
    st.iframe(address, height=1100, alt="The live search panel")
    st.stop()
query_form.restore()

sets = dict(search.vector_sets(info))
names = list(sets)
with st.sidebar:
    by = (
        st.segmented_control("Search by", list(query_form.BY), key="by", bind="query-params", default="Both")
        or "Both"
    )
    vectors = names[0] if names else ""
    if len(names) > 1:
        vectors = st.selectbox("Vectors", names, key="vectors", bind="query-params")
takes_texts = not vectors or sets[vectors].tower != "imported"
query = query_form.show(info, takes_texts)
if not vectors and by != "Words":
    embed_form.show(info, "A search by words needs none: choose Words.")
    product_dialog.open_linked(info)
    st.stop()
if not query.parts:
    query_form.examples(takes_texts)
    product_dialog.open_linked(info)
    st.stop()

with st.spinner("Searching", show_time=True):
    answer: Answer = search.answer(cohort, vectors, query.parts, query_form.BY[by], DEPTH)
for note in answer.notes:
    (st.warning if note == NOTHING_FOUND else st.caption)(plain(note))
if not answer.hits:
    few = "no products" if not answer.allowed else "no similar products"
    st.info(plain(f"The search found {few} in: {cohort.describe()}."))
    st.button("Search all products", on_click=filter_bar.clear)
    st.stop()

table = products.table(info.name)
pages = -(-len(answer.hits) // SIZE)
if st.session_state.get("page", 1) > pages:
    st.session_state["page"] = 1
exactly = "exact" if answer.recall is None else f"approximate, recall@10 {answer.recall:.3f}"
heading, controls = st.columns([2, 3], gap="small", vertical_alignment="center")
heading.caption(
    f"The best {len(answer.hits):,} of {answer.allowed:,} products, {exactly}, {1e3 * answer.seconds:,.0f} ms."
)
with controls.container(horizontal=True, horizontal_alignment="right"):
    best = table.by_row([hit.row_id for hit in answer.hits[:OPENED]])
    found = Cohort(info.name, item_id=tuple(dict.fromkeys(row["item_id"] for row in best)))
    st.link_button(f"Best {len(best)} in Browse", cohort_url("/browse", found))
    drawn = next((each.name for each in map_files.maps(info) if each.vectors == vectors), "")
    on = {"map": drawn} if drawn and not cohort.map else {}
    st.link_button("On the map", cohort_url("/map", cohort, **query_form.address(), **on))
    scores.explain()
    with st.popover("Download"):
        download_links.show(info, found)

grid = st.container()
number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
hits = answer.hits[(number - 1) * SIZE : number * SIZE]
rows = table.by_row([hit.row_id for hit in hits])
facts, hints = scores.lines(query, answer, hits)
with grid:
    picked = product_grid.show(info, rows, key="found", facts=facts, hints=hints)
if picked is not None:
    product_dialog.select_row(info, picked, rows)
product_dialog.open_linked(info, rows)
