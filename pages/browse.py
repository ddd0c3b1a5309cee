"""Browse the products of one dataset."""

from __future__ import annotations

import streamlit as st

from core.catalog.columns import ORDERS
from pages.components.shared import download_links, filter_bar, page_head, product_dialog, product_grid
from pages.components.shared.markdown import plain
from pages.resources import products

ORDER_TITLES = {
    "dataset": "Dataset order",
    "shuffle": "Shuffled",
    "name": "Name",
    "category": "Category",
    "shortest": "Shortest text",
    "longest": "Longest text",
}
SIZES = (24, 48, 96)

page_head.show("Browse", "Filter, sort and open products. The address holds every filter: share it.")

info = filter_bar.choose_dataset()
cohort = filter_bar.show(info)
total = products.count(cohort)

with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom"):
    order = st.selectbox("Sort", list(ORDER_TITLES.values()), key="order", bind="query-params", width=180)
    order_key = next(key for key in ORDERS if ORDER_TITLES[key] == order)
    seed = 0
    if order_key == "shuffle":
        seed = int(st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params", width=130))
    size = st.selectbox("Per page", SIZES, key="size", bind="query-params", width=110)
    with st.popover("Download"):
        st.caption(plain(f"{total:,} products: {cohort.describe()}"))
        download_links.show(info, cohort, disabled=total == 0)

if total == 0:
    st.info(f"No product of {info.name} matches: {plain(cohort.describe())}.")
    st.button("Show all products", on_click=filter_bar.clear)
    st.stop()

pages = -(-total // size)
if st.session_state.get("page", 1) > pages:  # a narrower filter has fewer pages
    st.session_state["page"] = 1
grid = st.container()
number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
rows = products.rows(cohort, order_key, seed, (number - 1) * size, size)
with grid:
    picked = product_grid.show(info, rows)
if picked is not None:
    product_dialog.select_row(info, picked, rows)
product_dialog.open_linked(info, rows)
