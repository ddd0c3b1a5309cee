"""The dialog of one product: picture, every field, permanent link."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.schema import COUNTRY_OF_GEO
from pages.components.shared import flag_button, product_leads
from pages.components.shared.markdown import plain
from pages.components.shared.product_grid import product_key, product_url
from pages.resources import products
from pages.resources.urls import image_url

FIELDS = {
    "category": "Category",
    "category_id": "Category id",
    "split": "Split",
    "geo": "Country",
    "language": "Language",
    "label_source": "Label source",
    "label_kind": "Labelled by",
    "item_id": "Item id",
    "image_id": "Image id",
    "image": "Picture file",
    "row_id": "Row",
    "name_length": "Name, characters",
    "description_length": "Description, characters",
}


def open_linked(info: DatasetInfo, page: Sequence[Mapping[str, Any]] = ()) -> None:
    """Open the product that the address names, if it names one.

    Args:
        page: the products around it, for the previous and next buttons.
    """
    key = st.query_params.get("product")
    if key is None:
        return
    item_id, _, row = key.rpartition("~")
    found = products.table(info.name).item(item_id) or products.table(info.name).item(key)
    if not found:
        st.warning(
            f"{info.name} has no product {plain(item_id or key)!r}. The link may be from another import."
        )
        return
    chosen = next((product for product in found if str(product["row_id"]) == row), found[0])
    _dialog(info, chosen, found, page)


def select(product: Mapping[str, Any]) -> None:
    """Put a product into the address; the page opens it."""
    st.query_params["product"] = product_key(product)


def _forget() -> None:
    st.query_params.pop("product", None)


def select_row(info: DatasetInfo, row: int, page: Sequence[Mapping[str, Any]]) -> None:
    """Open the clicked product, even if the browser still showed products that are no longer on the page."""
    there = [product for product in page if product["row_id"] == row]
    if found := there or products.table(info.name).by_row([row]):
        select(found[0])


@st.dialog("Product", width="large", on_dismiss=_forget)
def _dialog(
    info: DatasetInfo,
    product: Mapping[str, Any],
    same_item: list[dict[str, Any]],
    page: Sequence[Mapping[str, Any]],
) -> None:
    _leaf(product, page)
    picture, words = st.columns([5, 6], gap="medium")
    with picture:
        if product["image"]:
            source = html.escape(image_url(info, product["image_id"], 960))
            words_of_it = html.escape(product["name"] or product["category"] or "product")
            st.html(f'<img class="vitrine-large" src="{source}" alt="{words_of_it}">')
        else:
            st.info("This product has no picture.")
    with words:
        st.caption(plain(" › ".join(product["category_path"])))
        st.html(f'<h3 class="vitrine-name" dir="auto">{html.escape(product["name"] or "(no name)")}</h3>')
        if product["description"]:
            st.html(f'<p class="vitrine-description" dir="auto">{html.escape(product["description"])}</p>')
        else:
            st.caption("No description.")
        product_leads.show(info, product)
        flag_button.show(info, product)
        st.dataframe(_fields(product), hide_index=True, width="stretch", height="content")
    others = [other for other in same_item if other["row_id"] != product["row_id"]]
    if product["image_id"]:
        shared = products.rows(Cohort(info.name, image_id=(product["image_id"],)), limit=24)
        known = {product["row_id"], *(other["row_id"] for other in others)}
        others += [other for other in shared if other["row_id"] not in known]
    if others:
        st.caption("Same item or picture elsewhere")
        for other in others:
            place = " · ".join(
                str(part) for part in (other["geo"], other["split"], other["category"]) if part
            )
            st.markdown(f"[{plain(other['name']) or '(no name)'}]({product_url(info, other)}) {plain(place)}")
    st.caption("Link to this product")
    st.code(_absolute(product_url(info, product)), language=None, wrap_lines=True)


def _leaf(product: Mapping[str, Any], page: Sequence[Mapping[str, Any]]) -> None:
    """Previous and next product on the page, by button or arrow key."""
    rows = [other["row_id"] for other in page]
    if product["row_id"] not in rows:
        return
    here = rows.index(product["row_id"])
    with st.container(horizontal=True, vertical_alignment="center"):
        back = st.button("Previous", shortcut="left", disabled=here == 0)
        on = st.button("Next", shortcut="right", disabled=here == len(rows) - 1)
        st.caption(f"{here + 1} of {len(rows)} on this page")
    if back or on:
        select(page[here + (1 if on else -1)])
        st.rerun()


def _fields(product: Mapping[str, Any]) -> dict[str, list[str]]:
    rows = {title: _shown(key, product[key]) for key, title in FIELDS.items() if product[key] is not None}
    rows |= {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in product["extra"].items()
    }
    return {"Field": list(rows), "Value": list(rows.values())}


def _shown(key: str, value: Any) -> str:
    if key == "geo" and value in COUNTRY_OF_GEO:
        return f"{value} ({COUNTRY_OF_GEO[value]})"
    return str(value)


def _absolute(path: str) -> str:
    """The path with this server's address before it, as the visitor's browser knows it."""
    here = urlsplit(st.context.url or "")
    return f"{here.scheme}://{here.netloc}{path}" if here.netloc else path
