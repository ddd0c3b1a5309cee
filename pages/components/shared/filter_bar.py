"""The current cohort: its filters in the sidebar, and a bar at the top of every page with a chip for each of them.

Each filter is in the address under its field of `Cohort`.
"""

from __future__ import annotations

import html
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from core.catalog.cohort import CHOICES, TEXT_CHARACTERS, Cohort, brief_paths, path_text
from core.catalog.info import DatasetInfo
from core.errors import UnknownDatasetError, VitrineError
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
FILTERS = (
    *CHOICES,
    "category",
    "text",
    "picture",
    "area",
    "item_id",
    "image_id",
)  # in the order of their chips
SPELLED = 3  # values of a filter that its chip names


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
        _leave_address(key)
    for key in (*HIDDEN, "product"):
        st.query_params.pop(key, None)
    st.session_state.pop(KEPT, None)


def drop(column: str) -> None:
    """Remove one filter; for callbacks."""
    kept: Cohort | None = st.session_state.get(KEPT)
    if kept is not None:
        st.session_state[KEPT] = kept.with_(**{column: getattr(Cohort(kept.dataset), column)})
    if column in BOUND and column in st.session_state:
        st.session_state[column] = BOUND[column]
    _leave_address(column)
    _first_page()


def _leave_address(key: str) -> None:
    """Remove a filter from the address where no widget does it: a page that only carries the cohort has none."""
    with suppress(StreamlitAPIException):  # it is bound to a widget, which does
        st.query_params.pop(key, None)


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
    """Draw the filters of this dataset in the sidebar, and the bar of the cohort here; return the cohort that they select."""
    choices = products.filter_choices(info.name)
    bar = st.container()
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
    with bar:
        _bar(info, cohort)
    return cohort


def carried(info: DatasetInfo, note: str = "") -> Cohort:
    """The cohort of a page without the filters' widgets: that of the address, or else of the page before. Draws the bar.

    Args:
        note: said under the bar where the cohort is not the whole dataset, such as what the page does not take from it.
    """
    choices = products.filter_choices(info.name)
    _say_unknown(info, choices)
    query = {
        key: [value for value in st.query_params.get_all(key) if value in choices.get(key, (value,))]
        for key in (*FILTERS, "map")
    }
    asked = {key: values for key, values in query.items() if values and key != "map"}
    kept: Cohort | None = st.session_state.get(KEPT)
    if kept is None or kept.dataset != info.name or not asked.items() <= kept.to_query().items():
        kept = Cohort.from_query(query, dataset=info.name)
    st.session_state[KEPT] = kept
    _put_into_address(kept)
    _bar(info, kept, note)
    return kept


def _put_into_address(cohort: Cohort) -> None:
    """The filters of a page without their widgets, for a link to it and for the next page."""
    query = cohort.to_query()
    for key, values in query.items():
        if st.query_params.get_all(key) != values:
            with suppress(StreamlitAPIException):  # still bound to a widget of the page before
                st.query_params[key] = values
    for key in FILTERS:
        if key in BOUND:  # Streamlit puts it into the address of the next page that has the widget
            values = query.get(key, [])
            st.session_state[key] = values if isinstance(BOUND[key], list) else (values or [BOUND[key]])[0]


def show_in_hand(note: str = "") -> Cohort | None:
    """The bar on a page that is of no dataset in particular; None where there is no dataset."""
    there = {info.name: info for info in datasets.available()}
    kept: Cohort | None = st.session_state.get(KEPT)
    names = (st.query_params.get("dataset"), kept.dataset if kept else None, *there)
    name = next((name for name in names if name in there), None)
    return None if name is None else carried(there[name], note)


def _bar(info: DatasetInfo, cohort: Cohort, note: str = "") -> None:
    """Name, number of products, a chip for each filter that removes it, and a button that clears all."""
    whole = cohort.with_(fingerprint=None).is_whole()
    count = f'<b class="vitrine-count">{info.rows:,}</b> products'
    if not whole:
        try:
            count = f'<b class="vitrine-count">{products.count(cohort):,}</b> of {info.rows:,} products'
        except VitrineError:  # such as a map that is gone: the page says so, and a chip is the way out
            count = f"of {info.rows:,} products"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="cohort-bar"):
        st.html(
            f'<p class="vitrine-cohort"><b>{html.escape(info.name)}</b><span>{count}</span></p>',
            width="content",
        )
        for column in FILTERS:
            brief, full = _words(cohort, column)
            if brief:
                st.button(
                    plain(brief), key=f"chip-{column}", icon=":material/close:", icon_position="right",
                    help=plain(full) if full != brief else None, on_click=drop, args=(column,),
                )  # fmt: skip
        if not whole:
            st.button("Clear", key="chip-clear", type="tertiary", on_click=clear)
    if note and not whole:
        st.caption(note)


def _words(cohort: Cohort, column: str) -> tuple[str, str]:
    """A filter in a few words, and in full; empty where it is not set."""
    value = getattr(cohort, column)
    if value is None or not len(value if isinstance(value, tuple | str) else "-"):
        return "", ""
    if column == "text":
        return f"“{value[:40]}”", f"“{value}”"
    if column == "picture":
        return ("with a picture",) * 2 if value else ("without a picture",) * 2
    if column == "area":
        return "an area of the map", f"an area of the map {cohort.map}"
    if column in ("item_id", "image_id"):
        what = "product" if column == "item_id" else "picture"
        return (f"{len(value):,} chosen {what}{'s' if len(value) > 1 else ''}",) * 2
    title = NAMES.get(column, column)
    spelled = brief_paths(value) if column == "category" else list(value)
    more = f" +{len(spelled) - SPELLED}" if len(spelled) > SPELLED else ""
    full = [path_text(path) for path in value] if column == "category" else spelled
    return f"{title} {', '.join(spelled[:SPELLED])}{more}", f"{title} {', '.join(full)}"


def _area(cohort: Cohort) -> None:
    """Show the area of a map, which has no widget, with a button that clears it."""
    st.caption(plain(f"Only the {len(cohort.area)}-corner area of the map {cohort.map}."))
    st.button("Clear area", key="clear-area", on_click=clear_area, width="stretch")


def clear_area() -> None:
    """Clear the area; other filters stay, and so does the map's name."""
    drop("area")


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
