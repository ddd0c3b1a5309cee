"""The filters of a cohort, in the sidebar; each lives in the URL under the cohort's own name for it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog import DatasetInfo
from core.cohort import TEXT_CHARACTERS, Cohort
from pages import resources

BOUND: dict[str, Any] = {
    "split": [],
    "geo": [],
    "category": [],
    "label_source": [],
    "label_kind": [],
    "text": "",
    "picture": None,
    "page": 1,
}
UNBOUND = ("item_id", "image_id", "language", "product", "row")
PICTURE = ("yes", "no")


def choose_dataset() -> DatasetInfo:
    """The dataset selector. The address always names the dataset, the first one too: a link must mean
    the same after another dataset came.

    Raises:
        UnknownDatasetError: the address names a dataset that is not there, or there is none.
    """
    chosen = resources.chosen_dataset()
    st.query_params["dataset"] = chosen.name
    names = [info.name for info in resources.datasets()]
    with st.sidebar:
        st.session_state["chosen-dataset"] = chosen.name
        st.selectbox("Dataset", names, key="chosen-dataset", on_change=_change_dataset)
    return chosen


def _change_dataset() -> None:
    """Go to another dataset without the filters, which were the last one's."""
    clear()
    st.query_params["dataset"] = st.session_state["chosen-dataset"]


def clear() -> None:
    """Forget every filter, the page and the open product. A bound widget's value leaves the address by
    being set to its default; the rest is taken out of the address."""
    for key, empty in BOUND.items():
        if key in st.session_state:
            st.session_state[key] = empty
    for key in UNBOUND:
        st.query_params.pop(key, None)


def show(info: DatasetInfo) -> Cohort:
    """Draw the filters that this dataset has; the cohort that they choose."""
    choices = resources.choices(info.name)
    with st.sidebar:
        text = st.text_input(
            "Words in name or description",
            key="text",
            bind="query-params",
            max_chars=TEXT_CHARACTERS,
            placeholder="all of these words",
        )
        category = st.multiselect(
            "Category", choices["category"], key="category", bind="query-params", placeholder="All categories"
        )
        split = _pills("Split", "split", choices["split"])
        geo = _several("Country", "geo", choices["geo"], "All countries")
        kind = _pills("Labelled by", "label_kind", choices["label_kind"])
        source = _several("Label source", "label_source", choices["label_source"], "All sources")
        picture = (
            st.pills("Has a picture", PICTURE, key="picture", bind="query-params")
            if info.with_picture < info.rows
            else None
        )
        st.button("Clear filters", on_click=clear, width="stretch")
    query = {
        "split": split,
        "geo": geo,
        "category": category,
        "label_source": source,
        "label_kind": kind,
        "text": [text or ""],
        "picture": [picture or ""],
        "item_id": st.query_params.get_all("item_id"),
        "image_id": st.query_params.get_all("image_id"),
        "language": st.query_params.get_all("language"),
    }
    return Cohort.from_query(query, dataset=info.name)


def _several(label: str, key: str, choices: list[str], placeholder: str) -> list[str]:
    """A list to choose from, where there is anything to choose."""
    if len(choices) < 2:
        return []
    return st.multiselect(label, choices, key=key, bind="query-params", placeholder=placeholder)


def _pills(label: str, key: str, choices: list[str]) -> list[str]:
    if len(choices) < 2:
        return []
    return list(st.pills(label, choices, key=key, selection_mode="multi", bind="query-params") or [])
