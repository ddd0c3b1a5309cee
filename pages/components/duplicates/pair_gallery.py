"""Pairs of products side by side: pictures, names, split and country, similarity."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.catalog.info import DatasetInfo
from pages.components.shared.product_grid import product_url
from pages.resources.urls import image_url


@dataclass(frozen=True)
class Pair:
    """Two products and their similarity."""

    first: Mapping[str, Any]
    second: Mapping[str, Any]
    says: str  # their similarity, as text
    inside: bool = True  # is it within the threshold
    more: str = ""  # an address, of a link under it
    more_title: str = ""


def show(
    info: DatasetInfo, pairs: Sequence[Pair], width_px: int = 320, large: bool = False, texts: bool = False
) -> None:
    """A grid of pairs. All text of the dataset is escaped.

    Args:
        large: one pair at full width.
        texts: show descriptions too.
    """
    cards = "".join(_card(info, pair, width_px, texts) for pair in pairs)
    st.html(f'<div class="vitrine-pairs{" large" if large else ""}" role="list">{cards}</div>')


def _card(info: DatasetInfo, pair: Pair, width_px: int, texts: bool) -> str:
    leaks = pair.first["split"] != pair.second["split"]
    badges = ("<b>across splits</b>" if leaks else "") + ("" if pair.inside else "<i>outside</i>")
    more = (
        f'<a href="{html.escape(pair.more)}" target="_self">{html.escape(pair.more_title)}</a>'
        if pair.more
        else ""
    )
    return (
        f'<div class="vitrine-pair{"" if pair.inside else " outside"}" role="listitem"><div class="sides">'
        f"{side(info, pair.first, width_px, texts)}{side(info, pair.second, width_px, texts)}</div>"
        f"<p><span>{html.escape(pair.says)}</span>{badges}{more}</p></div>"
    )


def side(info: DatasetInfo, row: Mapping[str, Any], width_px: int, texts: bool = False) -> str:
    """One product of a pair, as a link to it."""
    name = html.escape(row["name"] or "(no name)")
    facts = " · ".join(html.escape(str(part)) for part in (row["split"], row["geo"], row["category"]) if part)
    picture = (
        f'<img src="{html.escape(image_url(info, row["image_id"], width_px))}" alt="{name}" loading="lazy">'
        if row["image"]
        else '<span class="none">no picture</span>'
    )
    address = html.escape(product_url(info, row))
    words = (
        f'<span class="words" dir="auto">{html.escape((row["description"] or "")[:1_000])}</span>'
        if texts
        else ""
    )
    return (
        f'<a href="{address}" target="_self">{picture}<span class="name" dir="auto">{name}</span>'
        f'<span class="facts">{facts}</span>{words}</a>'
    )
