"""Incorrect image-text pairs: what they look like, and how many are in fact matches."""

from __future__ import annotations

import streamlit as st

from core.pairs import table
from pages.components.pairs import pair_form, pair_judging, pair_views
from pages.components.shared import filter_bar, page_head
from pages.resources import pairs

VIEWS = ("Overview", "Pairs", "Clusters", "Partners", "Judge")

page_head.show(
    "Pairs", "Incorrect image-text pairs for contrastive training: each picture with another product's text."
)
info = filter_bar.choose_dataset()
filter_bar.carried(info, "Pairs are those of the whole set, whatever the filters.")
there = {described.name: described for described in table.listing(info)}
if not there:
    pair_form.show(info, first=True)
    st.stop()

pair_form.choose_new(list(there))
chosen, views = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
with chosen:
    name = st.selectbox(
        "Set of pairs",
        list(there),
        format_func=lambda one: there[one].settings.title,
        key="pairs",
        bind="query-params",
    )
with views:
    view = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], key="view", bind="query-params", required=True, label_visibility="collapsed",
    )  # fmt: skip
described = there[name or next(iter(there))]
found = pairs.loaded(info, described)
if view == "Pairs":
    pair_views.gallery(info, found)
elif view == "Clusters":
    pair_views.clusters(info, found)
elif view == "Partners":
    pair_views.partners(info, found)
elif view == "Judge":
    pair_judging.show(info, found)
else:
    pair_views.overview(info, found)
    pair_form.show(info, first=False)
