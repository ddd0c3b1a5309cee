"""What is flagged for review, on the page of audits."""

from __future__ import annotations

import streamlit as st

from core.audit import flags
from core.audit.plan import Wish
from core.audit.queues import queue_plan
from core.catalog.info import DatasetInfo
from pages import access
from pages.components.shared import product_dialog, product_grid
from pages.resources import audits, products

SHOWN = 60


def show(info: DatasetInfo) -> None:
    """The flagged products of a dataset, and a plan that reviews them; nothing where there is none."""
    found = flags.flags(audits.store().log_, info)
    if not found:
        return
    rows = list(dict.fromkeys(one.row_id for one in found))
    with st.expander(f"Flagged for review: {len(rows):,}"):
        st.caption(
            "For fixing labels. Flagged products are no random sample, so that they say nothing about the whole."
        )
        table = products.table(info.name)
        shown = table.by_row(rows[:SHOWN])
        picked = product_grid.show(info, shown, "flagged")
        if picked is not None:
            product_dialog.select_row(info, picked, shown)
        if access.may(access.PLAN) and st.button("Review these"):
            wish = Wish(size=1, anchoring=1.0, seed=audits.new_seed(), by_whom=access.person())
            plan, items = queue_plan(table, flags.QUEUE, rows, wish, f"Flagged products of {info.name}")
            audits.store().create_plan(plan, items)
            st.query_params["plan"] = plan.plan
            st.rerun()
