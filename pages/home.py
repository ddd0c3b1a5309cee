"""Home: what Vitrine is, and the list of datasets."""

from __future__ import annotations

import streamlit as st

from core.catalog import info as catalog
from pages import access
from pages.components.home import dataset_card, fetch_form, import_form, picture_wall, saved_views
from pages.components.shared import filter_bar
from pages.resources import datasets

there = datasets.available()
st.html(
    '<div class="vitrine-hero"><h1>Vitrine</h1>'
    "<p>Explore, audit and demonstrate datasets of products: pictures, texts in many languages, labels.</p></div>"
)
if there and filter_bar.KEPT in st.session_state:
    filter_bar.show_in_hand()
if there:
    picture_wall.show(there)
LINKS = (
    ("browse.py", "Explore", "Filter, sort and open the products of a dataset."),
    ("search.py", "Search", "Find products by words in any language, or by photo."),
    ("map.py", "Map", "Every product as a point, similar products near each other."),
    ("dataset_statistics.py", "Measure", "The papers' figures and tables for any dataset and cohort."),
    ("duplicates.py", "Audit", "Duplicates, leakage between splits, twins with conflicting labels."),
    ("classify.py", "Classify", "Predict the category of a picture and a text, with explanations."),
)
for column, (page, title, line) in zip(st.columns(len(LINKS), gap="medium"), LINKS, strict=True):
    with column.container(border=True, key=f"door-{page.removesuffix('.py')}"):
        st.page_link(page, label=title, width="stretch")
        st.caption(line)

st.header("Datasets", anchor=False)
damaged = catalog.damaged()
if not there and not damaged:
    st.info("There is no dataset yet. Add one below, or draw the built-in one: `vitrine demo --name demo`.")
for dataset in there:
    dataset_card.show(dataset)
for name, why in damaged.items():
    dataset_card.show_damaged(name, why)

saved_views.show()

if access.may(access.MANAGE):
    import_form.show()
    fetch_form.show()
else:
    st.caption(f"Datasets can be added and removed by {access.who(access.MANAGE)}.")
