"""An incorrect pair on the screen: a picture with its own text, and the text it gets with the product that text is of."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.catalog.info import DatasetInfo
from core.pairs.table import PairTable
from pages.components.shared.numbers import similarity
from pages.components.shared.product_grid import product_url
from pages.resources import products
from pages.resources.urls import image_url

TEXT_CHARACTERS = 280  # of a description


def show(
    info: DatasetInfo, table: PairTable, places: Sequence[int] | np.ndarray, large: bool = False
) -> None:
    """Cards of the pairs at these positions. All text of the dataset is escaped.

    Args:
        large: one pair at full width, without the partner's picture, which would give the answer away.
    """
    rows = [int(row) for place in places for row in (table.row_id[place], table.partner[place])]
    found = {row["row_id"]: row for row in products.table(info.name).by_row(rows)}
    cards = "".join(
        _card(
            info, table, int(place), found[int(table.row_id[place])], found[int(table.partner[place])], large
        )
        for place in places
    )
    st.html(f'<div class="vitrine-exchanges{" large" if large else ""}" role="list">{cards}</div>')


def _card(
    info: DatasetInfo,
    table: PairTable,
    place: int,
    anchor: Mapping[str, Any],
    partner: Mapping[str, Any],
    large: bool,
) -> str:
    width_px = 480 if large else 320
    if large:
        return (
            f'<article class="vitrine-exchange" role="listitem"><div class="sides">{_picture(info, anchor, width_px)}'
            f'<div class="texts">{_words("The exchanged text", partner, "given")}</div></div></article>'
        )
    facts = [
        f"similarity of the pictures {similarity(table.similarity[place])}",
        f"of the texts {similarity(table.text_similarity[place])}",
    ]
    facts.append(f"weight {table.weight_negative[place]:.2f}")
    if table.redraws[place]:
        facts.append(f"cluster drawn {table.redraws[place] + 1} times")
    if table.fallback[place]:
        facts.append("none below the threshold")
    said = "".join(f"<span>{html.escape(fact)}</span>" for fact in facts)
    return (
        '<article class="vitrine-exchange" role="listitem"><div class="sides">'
        f"<div>{_picture(info, anchor, width_px)}{_clusters(table.image_cluster[place], table.text_cluster[place])}</div>"
        f"<div>{_picture(info, partner, width_px)}"
        f"{_clusters(table.partner_image_cluster[place], table.partner_text_cluster[place])}</div></div>"
        f'<div class="texts">{_words("Its own text", anchor, "own")}{_words("The text it gets", partner, "given")}</div>'
        f'<p class="facts">{said}</p></article>'
    )


def _picture(info: DatasetInfo, row: Mapping[str, Any], width_px: int) -> str:
    name = html.escape(row["name"] or "(no name)")
    picture = (
        f'<img src="{html.escape(image_url(info, row["image_id"], width_px))}" alt="{name}" loading="lazy">'
        if row["image"]
        else '<span class="none">no picture</span>'
    )
    return _link(info, row, picture)


def _clusters(image: int, text: int) -> str:
    if image < 0:
        return ""
    return f'<span class="clusters">picture cluster {image + 1} · text cluster {text + 1}</span>'


def _words(title: str, row: Mapping[str, Any], kind: str) -> str:
    name, description = row["name"] or "", row["description"] or ""
    cut = description[:TEXT_CHARACTERS] + ("…" if len(description) > TEXT_CHARACTERS else "")
    more = f"<small>{html.escape(cut)}</small>" if description else ""
    return (
        f'<div class="{kind}"><em>{html.escape(title)}</em><b dir="auto">{html.escape(name or "(no name)")}</b>'
        f'<span dir="auto">{more}</span></div>'
    )


def cluster(
    info: DatasetInfo, title: str, about: str, rows: Sequence[Mapping[str, Any]], names: bool = False
) -> str:
    """One cluster as HTML: its title, what it is about, and its typical products as small pictures.

    Args:
        names: the products' names instead.
    """
    if names:
        lines = (
            f'<li dir="auto">{_link(info, row, html.escape(row["name"] or "(no name)"))}</li>' for row in rows
        )
        shown = f'<ul class="names">{"".join(lines)}</ul>'
    else:
        shown = f'<div class="strip">{"".join(_picture(info, row, 160) for row in rows)}</div>'
    return f'<section class="vitrine-cluster"><h4>{html.escape(title)} <span>· {html.escape(about)}</span></h4>{shown}</section>'


def _link(info: DatasetInfo, row: Mapping[str, Any], inside: str) -> str:
    return f'<a href="{html.escape(product_url(info, row))}" target="_self">{inside}</a>'
