"""A wall of product pictures."""

from __future__ import annotations

import html
from collections.abc import Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.errors import UnknownDatasetError
from pages.components.shared.product_grid import product_url
from pages.resources import products
from pages.resources.urls import image_url


def show(datasets: Sequence[DatasetInfo], count: int = 24, seed: int = 7) -> None:
    """Pictures of the first datasets, alternating; each links to its product."""
    chosen = [info for info in datasets if info.with_picture][:4]
    share = -(-count // max(1, len(chosen)))
    picked = [_products(info, seed, share) for info in chosen]
    turns = zip_longest(*([(info, row) for row in rows] for info, rows in zip(chosen, picked, strict=True)))
    pairs = [pair for turn in turns for pair in turn if pair is not None][:count]
    tiles = "".join(
        f'<a href="{html.escape(product_url(info, row))}" target="_self" title="{html.escape(row["name"] or "")}">'
        f'<img src="{html.escape(image_url(info, row["image_id"], 240))}" alt="{html.escape(row["category"] or "product")}" loading="eager"></a>'
        for info, row in pairs
    )
    st.html(
        "<style>.wall{display:grid;grid-template-columns:repeat(12,1fr);gap:6px;margin:1.2rem 0 .6rem}"
        ".wall a{display:block;aspect-ratio:228/298;overflow:hidden;border-radius:4px;background:rgba(128,124,116,.12)}"
        ".wall img{width:100%;height:100%;object-fit:cover;display:block;transition:transform .3s ease}"
        ".wall a:hover img{transform:scale(1.05)}"
        "@media(max-width:900px){.wall{grid-template-columns:repeat(6,1fr)}}"
        "@media(max-width:480px){.wall{grid-template-columns:repeat(4,1fr)}.wall a:nth-child(n+13){display:none}}</style>"
        f'<div class="wall">{tiles}</div>'
    )


def _products(info: DatasetInfo, seed: int, share: int) -> list[dict[str, Any]]:
    """Products to show; empty if the dataset is damaged or was removed meanwhile, which its card says."""
    with suppress(UnknownDatasetError):
        return products.rows(Cohort(info.name, picture=True), "shuffle", seed, 0, share)
    return []
