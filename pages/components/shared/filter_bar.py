"""The filters of a cohort, in the sidebar; each is in the address under its field of `Cohort`."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog.cohort import CHOICES, TEXT_CHARACTERS, Cohort
from core.catalog.info import DatasetInfo
from core.errors import UnknownDatasetError, UsageError
from pages.components.shared.markdown import plain
from pages.resources import datasets, products, visitor

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
HIDDEN = (
    "item_id",
    "image_id",
    "language",
    "map",
    "area",
)  # filters without a widget, set by the address only
NAMES = {"geo": "country", "label_source": "label source", "label_kind": "kind of label"}
KEPT = "cohort of this visit"
PICTURE = ("yes", "no")


def choose_dataset() -> DatasetInfo:
    """The dataset selector. The address always names the dataset, even the first one: a link must mean
    the same after another dataset is added.

    Raises:
        UnknownDatasetError: the address names an unknown dataset, or there is none.
    """
    _recall()
    names = [info.name for info in datasets.available()]
    try:
        chosen = visitor.chosen_dataset()
    except UnknownDatasetError:
        with st.sidebar:  # lets the visitor leave a link to a removed dataset
            st.session_state["chosen-dataset"] = None
            st.selectbox("Dataset", names, key="chosen-dataset", index=None, on_change=_change_dataset)
        raise
    st.query_params["dataset"] = chosen.name
    with st.sidebar:
        st.session_state["chosen-dataset"] = chosen.name
        st.selectbox("Dataset", names, key="chosen-dataset", on_change=_change_dataset)
    return chosen


def _change_dataset() -> None:
    """Change the dataset and clear the filters, which belong to the previous one."""
    clear()
    st.query_params.pop("like", None)  # so do the products of a search
    if name := st.session_state["chosen-dataset"]:
        st.query_params["dataset"] = name


def _recall() -> None:
    """Restore the cohort of the previous page: the menu's links carry no query parameters."""
    kept: Cohort | None = st.session_state.get(KEPT)
    if kept is None or "dataset" in st.query_params:
        return
    if kept.dataset not in [info.name for info in datasets.available()]:
        return
    st.query_params["dataset"] = kept.dataset
    for key, values in kept.to_query().items():
        if key in HIDDEN:
            st.query_params[key] = values
        elif key in BOUND:
            st.session_state[key] = values if isinstance(BOUND[key], list) else values[0]


def clear() -> None:
    """Clear every filter, the page number and the open product. A bound widget's value leaves the address by
    being set to its default; the rest is removed from the address."""
    for key, empty in BOUND.items():
        if key in st.session_state:
            st.session_state[key] = empty
    for key in (*HIDDEN, "product"):
        st.query_params.pop(key, None)
    st.session_state.pop(KEPT, None)


def choose(column: str, values: list[str]) -> None:
    """Set one filter as its widget would; for callbacks, which run before the widgets."""
    if column in BOUND:
        one = values[-1] if values else BOUND[column]
        st.session_state[column] = values if isinstance(BOUND[column], list) else one
    elif column in HIDDEN and values:
        st.query_params[column] = values
    elif column in HIDDEN:
        st.query_params.pop(column, None)
    _first_page()


def _first_page() -> None:
    """Go back to page 1 when a filter changes."""
    if "page" in st.session_state:
        st.session_state["page"] = 1


def show(info: DatasetInfo) -> Cohort:
    """Draw the filters of this dataset; return the cohort that they select."""
    choices = products.filter_choices(info.name)
    _say_unknown(info, choices)
    with st.sidebar:
        area = st.container()
        text = st.text_input(
            "Words in name or description",
            key="text",
            bind="query-params",
            on_change=_first_page,
            max_chars=TEXT_CHARACTERS,
            placeholder="all of these words",
        )
        category = st.multiselect(
            "Category",
            choices["category"],
            key="category",
            bind="query-params",
            placeholder="All categories",
            on_change=_first_page,
            select_all=False,
        )
        split = _pills("Split", "split", choices["split"])
        geo = _several("Country", "geo", choices["geo"], "All countries")
        kind = _pills("Labelled by", "label_kind", choices["label_kind"])
        source = _several("Label source", "label_source", choices["label_source"], "All sources")
        picture = (
            st.pills("Has a picture", PICTURE, key="picture", bind="query-params", on_change=_first_page)
            if 0 < info.with_picture < info.rows
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
        **{key: st.query_params.get_all(key) for key in HIDDEN},
    }
    cohort = Cohort.from_query(query, dataset=info.name)
    if cohort.area:
        with area:
            _area(cohort)
    st.session_state[KEPT] = cohort
    return cohort


def show_ignored_filters(info: DatasetInfo) -> None:
    """For a page of whole datasets: say which filters, of the previous page or the address, it ignores."""
    kept: Cohort | None = st.session_state.get(KEPT)
    if kept is None or kept.dataset != info.name:
        # Words are not read from the address: there `text` may be another page's own.
        query = {key: st.query_params.get_all(key) for key in (*CHOICES, "category", "picture", *HIDDEN)}
        try:
            kept = Cohort.from_query(query, dataset=info.name)
        except UsageError:
            return
    if not kept.is_whole():
        st.caption(plain(f"This page uses the whole dataset and ignores the filter {kept.describe()}."))


def _area(cohort: Cohort) -> None:
    """Show the area of a map, which has no widget, with a button that clears it."""
    st.caption(plain(f"Only the {len(cohort.area)}-corner area of the map {cohort.map}."))
    st.button("Clear area", key="clear-area", on_click=clear_area, width="stretch")


def clear_area() -> None:
    """Clear the area; other filters stay, and so does the map's name."""
    st.query_params.pop("area", None)
    st.session_state.pop(KEPT, None)
    _first_page()


def _say_unknown(info: DatasetInfo, choices: dict[str, list[str]]) -> None:
    """Warn of values in the address that this dataset does not have; they filter nothing."""
    for key, known in choices.items():
        if unknown := [value for value in st.query_params.get_all(key) if value not in known]:
            what = NAMES.get(key, key)
            st.warning(plain(f"{info.name} has no {what} {', '.join(unknown)}: the filter is ignored."))


def _several(label: str, key: str, choices: list[str], placeholder: str) -> list[str]:
    """A multiselect, if there is more than one choice."""
    if len(choices) < 2:
        return []
    return st.multiselect(
        label, choices, key=key, bind="query-params", placeholder=placeholder, on_change=_first_page
    )


def _pills(label: str, key: str, choices: list[str]) -> list[str]:
    if len(choices) < 2:
        return []
    return list(
        st.pills(label, choices, key=key, selection_mode="multi", bind="query-params", on_change=_first_page)
        or []
    )
