"""The query: words, a photo, products, negative parts, and their weights; all in the address."""

from __future__ import annotations

import base64
import html
import math
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.catalog.info import DatasetInfo
from core.errors import VitrineError
from core.search.query import AWAY, MAX_WEIGHT, How, Part
from pages.components.shared import photos
from pages.components.shared.markdown import plain
from pages.resources import products
from pages.resources.urls import image_url

BY: dict[str, How] = {"Both": "both", "Likeness": "likeness", "Words": "words"}
CHARACTERS = 2_000
LIKES = 8
ASKED = "search of the view before"
EXAMPLES = ("červené šaty", "black boots", "μπλε τζιν", "fehér póló", "полосатая рубашка", "红色连衣裙")
ADDRESS = (
    "q",
    "without",
    "photo",
    "like",
    "by",
    "away",
)  # a search in a link, beside the weights w0, w1, ...


@dataclass(frozen=True)
class Query:
    """A query, as the form has it."""

    parts: tuple[Part, ...]
    titles: tuple[str, ...]  # of the parts, short


def show(info: DatasetInfo, texts: bool) -> Query:
    """Draw the form.

    Args:
        texts: can texts and photos be compared with the vectors that are searched?
    """
    wanted = unwanted = ""
    photo = ""
    if texts:
        words, away, picture = st.columns([5, 3, 3], gap="small", vertical_alignment="top")
        wanted = words.text_input(
            "Search for",
            key="q",
            bind="query-params",
            max_chars=CHARACTERS,
            placeholder="words in any language: červené šaty, μαύρο φόρεμα, 红色连衣裙",
        )
        unwanted = away.text_input(
            "Without",
            key="without",
            bind="query-params",
            max_chars=CHARACTERS,
            placeholder="what results should not look like",
        )
        with picture.container(key="a-photo"):
            photo = _photo()
    photo, liked = _stored(photo), _liked(info)
    parts = _parts(liked, wanted, unwanted, photo)
    if liked or photo or len(parts) > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            _chips(info, photo, liked)
            if len(parts) > 1:
                parts = _weighted(parts)
    return Query(tuple(part for _, part in parts), tuple(title for title, _ in parts))


def examples(texts: bool) -> None:
    """Help while the query is empty, with example queries where texts can be searched."""
    if not texts:
        st.caption("Open a product in Browse and choose “More like this”.")
        return
    st.caption("Type a query, choose a photo, or open a product in Browse and choose “More like this”.")
    with st.container(horizontal=True, key="examples"):
        for sentence in EXAMPLES:
            st.button(sentence, on_click=_search_for, args=(sentence,))


def _search_for(sentence: str) -> None:
    st.session_state["q"] = sentence


def carried(info: DatasetInfo, wanted: str, texts: bool) -> tuple[Query, How]:
    """The search in a link from the Search page; parts other than words are shown as chips.

    Args:
        wanted: the text query.
        texts: as for `show`.
    """
    photo = _stored(st.query_params.get("photo", "")) if texts else ""
    unwanted = st.query_params.get("without", "")[:CHARACTERS] if texts else ""
    liked = _liked(info)
    parts = _parts(liked, wanted if texts else "", unwanted, photo)
    unwanted = unwanted if parts else ""
    if liked or photo or unwanted:
        with st.container(horizontal=True, vertical_alignment="center"):
            _chips(info, photo, liked, unwanted)
    weighed = []
    for position, (title, part) in enumerate(parts):
        weight = _address_weight(_key(position, part), abs(part.weight)) if len(parts) > 1 else 1.0
        weighed.append((title, replace(part, weight=math.copysign(weight, part.weight))))
    query = Query(tuple(part for _, part in weighed), tuple(title for title, _ in weighed))
    return query, BY.get(st.query_params.get("by", ""), "both")


def address() -> dict[str, list[str]]:
    """The search in the address, for a link to another page."""
    keys = (*ADDRESS, *(f"w{position}" for position in range(LIKES + 3)))
    return {key: values for key in keys if (values := st.query_params.get_all(key))}


def question() -> dict[str, list[str]]:
    """The search in the address, for a view without the form; where its fields have left the address, as they were."""
    if now := address():
        st.session_state[ASKED] = now
    return dict(st.session_state.get(ASKED, {}))


def restore() -> None:
    """After such a view: fill the form's fields again."""
    for key, values in st.session_state.pop(ASKED, {}).items():
        if key in ("q", "without") and key not in st.query_params:
            st.session_state.setdefault(key, values[0])


def _key(position: int, part: Part) -> str:
    """The address's name for the weight of a part; negative parts have their own, since their default differs."""
    return f"w{position}" if part.weight > 0 else "away"


def _address_weight(key: str, usual: float) -> float:
    try:
        weight = float(st.query_params.get(key, usual))
    except ValueError:
        return usual
    return min(3.0, max(0.1, weight)) if math.isfinite(weight) else usual


def _parts(liked: list[dict[str, Any]], wanted: str, unwanted: str, photo: str) -> list[tuple[str, Part]]:
    parts: list[tuple[str, Part]] = []
    if wanted.strip():
        parts.append(("words", Part("text", wanted.strip())))
    if photo:
        parts.append(("photo", Part("image", "photo", image=photos.read(photo))))
    for row in liked:
        title = row["name"] or row["item_id"]
        parts.append((f"like {title[:24]}", Part("product", title, row=row["row_id"])))
    if unwanted.strip() and parts:
        parts.append(("without", Part("text", unwanted.strip(), weight=-AWAY)))
    return parts


def _liked(info: DatasetInfo) -> list[dict[str, Any]]:
    """The products in the address that exist, in its order."""
    likes = _likes()
    rows = {row["row_id"]: row for row in products.table(info.name).by_row(likes)} if likes else {}
    return [rows[row] for row in likes if row in rows]


def _photo() -> str:
    """The photo in the address, or the one just uploaded."""
    number = st.session_state.setdefault("photo-number", 0)
    given = st.file_uploader(
        "A photo", type=["jpg", "jpeg", "png", "webp", "gif", "bmp"], key=f"photo-upload-{number}"
    )
    if given is not None:
        try:
            st.query_params["photo"] = photos.keep(given.getvalue())
        except VitrineError as error:
            st.error(str(error))
        else:
            st.session_state["photo-number"] = number + 1  # an empty uploader: the address has it now
            st.session_state["page"] = 1
            st.rerun()
    return st.query_params.get("photo", "")


def _stored(photo: str) -> str:
    """The photo in the address if it is still stored; else a warning, and the search goes on without it."""
    try:
        return photo if not photo or photos.read(photo) else ""
    except VitrineError as error:
        st.warning(plain(str(error)))
        return ""


def _likes() -> list[int]:
    return [int(row) for row in st.query_params.get_all("like") if row.isdecimal() and len(row) < 12][:LIKES]


def _chips(info: DatasetInfo, photo: str, products: list[dict[str, Any]], unwanted: str = "") -> None:
    """The photo, the products and the negative text, each with a button that removes it."""
    if photo:
        source = "data:image/webp;base64," + base64.b64encode(photos.read(photo)).decode()
        _chip(source, "Your photo", "photo", None)
    for row in products:
        source = image_url(info, str(row["image_id"]), 96) if row["image"] else ""
        _chip(source, str(row["name"] or row["item_id"]), "like", str(row["row_id"]))
    if unwanted:
        _chip("", f"without {unwanted}", "without", None)


def _chip(source: str, title: str, key: str, value: str | None) -> None:
    with st.container(
        horizontal=True,
        width="content",
        gap="small",
        vertical_alignment="center",
        key=f"part-{key}-{value or 'one'}",
    ):
        image = f'<img src="{html.escape(source)}" alt="">' if source else ""
        st.html(
            f'<div class="vitrine-parts"><span>{image}<b>{html.escape(title[:80])}</b></span></div>',
            width="content",
        )
        st.button(
            "Remove",
            key=f"remove-{key}-{value or 'one'}",
            type="tertiary",
            on_click=_remove,
            args=(key, value),
        )


def _remove(key: str, value: str | None) -> None:
    left = [other for other in st.query_params.get_all(key) if value is not None and other != value]
    if left:
        st.query_params[key] = left
    else:
        st.query_params.pop(key, None)
    st.session_state["page"] = 1


def _weighted(parts: list[tuple[str, Part]]) -> list[tuple[str, Part]]:
    """The weight of each part, from 0.1 to 3; in the address unless it is the default."""
    found = []
    with st.popover("Weights"):
        for position, (title, part) in enumerate(parts):
            sign = 1.0 if part.weight > 0 else -1.0
            weight = st.slider(
                title if sign > 0 else f"without: {part.text[:30]}",
                0.1,
                min(3.0, MAX_WEIGHT),
                abs(part.weight),
                0.1,
                key=_key(position, part),
                bind="query-params",
            )
            found.append((title, replace(part, weight=sign * weight)))
    return found
