"""Labels named twice: which sub-classes of two sources are one, decided by keys."""

from __future__ import annotations

import streamlit as st

from core.catalog import info as catalog
from core.labels.subclasses import SOURCES
from pages.components.alignment import candidate_table, deciding, merging
from pages.components.shared import filter_bar, page_head
from pages.resources import alignment

VIEWS = ("Decide", "Candidates", "Merge")
WITHIN = "itself: all its sub-classes"
COLUMNS = {"geo": "country", "language": "language", "split": "split", "label_source": "label source"}

page_head.show(
    "Alignment",
    "Two shops name one class differently. Decide which sub-classes are the same, and merge them.",
)
info = filter_bar.choose_dataset()
filter_bar.carried(info, "Sub-classes are compared as a whole, whatever the filters.")
others = {one.name: one for one in catalog.datasets() if one.name != info.name}
choices = ["", *others, *(f"by:{column}" for column in SOURCES)]


def words(choice: str) -> str:
    """A choice as people read it."""
    return f"its sources, by {COLUMNS[choice[3:]]}" if choice.startswith("by:") else choice or WITHIN


left, middle, right = st.columns([2, 2, 2], gap="medium", vertical_alignment="bottom")
with left:
    other = st.selectbox("Compare with", choices, format_func=words, key="with", bind="query-params") or ""
with middle:
    any_class = st.toggle("Across first-level classes", key="any", bind="query-params")
with right:
    view = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], key="view", bind="query-params", required=True, label_visibility="collapsed",
    )  # fmt: skip
by = other.removeprefix("by:") if other.startswith("by:") else ""
found = alignment.found(info, others.get(other), by, any_class)
if view == "Candidates":
    candidate_table.show(found)
elif view == "Merge":
    merging.show(found)
else:
    deciding.show(found)
