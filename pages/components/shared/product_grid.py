"""A grid of products: pictures that the browser loads lazily and keeps, each a link and a button."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from pages.resources.urls import cohort_url, image_url

_HERE = Path(__file__).parent
_GRID = st.components.v2.component(
    "vitrine_product_grid",
    html='<div class="grid" role="list"></div>',
    css=(_HERE / "product_grid.css").read_text(encoding="utf-8"),
    js=(_HERE / "product_grid.js").read_text(encoding="utf-8"),
)


def show(
    info: DatasetInfo,
    rows: Sequence[Mapping[str, Any]],
    key: str = "grid",
    facts: Sequence[str] | None = None,
    hints: Sequence[str] | None = None,
) -> int | None:
    """Draw the products; the row_id of the one that was just clicked, else None.

    Args:
        facts: a line under each product, instead of its country, split and label.
        hints: what shows while the pointer is on that line, such as the figures behind it.
    """
    tiles = [tile(info, row) for row in rows]
    for made, line in zip(tiles, facts or (), strict=False):
        made["facts"] = line
    for made, line in zip(tiles, hints or (), strict=False):
        made["hint"] = line
    result = _GRID(key=key, data={"tiles": tiles}, on_picked_change=lambda: None)
    picked = result.picked
    return int(picked) if picked is not None else None


def tile(info: DatasetInfo, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the browser needs to draw one product; it sets every text as text, never as HTML."""
    facts = [row["geo"], row["split"], None if row["label_kind"] is None else f"{row['label_kind']} label"]
    return {
        "row": row["row_id"],
        "src": image_url(info, row["image_id"], 320) if row["image"] else None,
        "name": row["name"] or "(no name)",
        "category": row["category"] or "",
        "facts": " · ".join(fact for fact in facts if fact),
        "href": product_url(info, row),
    }


def product_url(info: DatasetInfo, row: Mapping[str, Any]) -> str:
    """A permanent link to one product."""
    return cohort_url("/browse", Cohort(info.name), product=product_key(row))


def product_key(row: Mapping[str, Any]) -> str:
    """What names one product in an address: its item_id, and its row for where that repeats."""
    return f"{row['item_id']}~{row['row_id']}"
