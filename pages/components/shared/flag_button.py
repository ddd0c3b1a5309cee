"""Flag a product for review, from anywhere that shows one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.audit import flags
from core.catalog.info import DatasetInfo
from core.errors import VitrineError
from pages import access
from pages.components.shared.markdown import plain
from pages.resources import audits


def show(info: DatasetInfo, product: Mapping[str, Any]) -> None:
    """Flag this product, or take the flag off. Nothing where the visitor may not, or the database is away."""
    if not access.may(access.JUDGE):
        return
    try:
        by = [one.who for one in flags.flags(audits.store().log_, info) if one.row_id == product["row_id"]]
    except VitrineError:
        return
    row = int(product["row_id"])
    if by:
        st.caption(plain(f"Flagged for review by {', '.join(by)}."))
        st.button("Take the flag off", key=f"unflag-{row}", on_click=_do, args=(info, row, False))
    else:
        st.button("Flag for review", key=f"flag-{row}", on_click=_do, args=(info, row, True))


def _do(info: DatasetInfo, row: int, on: bool) -> None:
    try:
        log = audits.store().log_
        if on:
            flags.flag(log, info, row, access.person())
        else:
            flags.unflag(log, info, row)
    except VitrineError as error:
        st.toast(plain(str(error)), icon="⚠️", duration="long")
