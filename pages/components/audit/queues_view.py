"""Labels that look wrong: queues for fixing, each with its measured precision."""

from __future__ import annotations

from typing import cast, get_args

import streamlit as st

from core.audit import suspicion
from core.audit.plan import Wish
from core.audit.queues import overview, queue_plan
from core.audit.suspicion import Queue, Suspicion
from core.catalog.info import DatasetInfo
from core.errors import VitrineError
from pages import access
from pages.components.shared import product_dialog, product_grid
from pages.components.shared.markdown import plain
from pages.resources import audits, products

AT_ONCE = 50_000  # products that are predicted while the page waits
FIRST = (50, 100, 200)
SHOWN = 24


def show(info: DatasetInfo) -> None:
    """The queues of a dataset, or how to make them."""
    with st.expander("Labels that look wrong"):
        st.caption(
            "For fixing labels, not for measuring them: what stands first is no random sample. A queue is as good as the share of "
            "real errors that people find in it."
        )
        made = suspicion.load(info)
        if made is None:
            _offer(info)
        else:
            _queues(info, made)


def _offer(info: DatasetInfo) -> None:
    command = f"vitrine audit queues {info.name}"
    if not access.may(access.COMPUTE) or info.rows > AT_ONCE:
        st.info(
            f"Every product has to be predicted first, by a model that never saw its label. Run `{command}`."
        )
        return
    if st.button("Find labels that look wrong"):
        try:
            with st.spinner("Predicting every product by a model that never saw its label"):
                suspicion.compute(products.table(info.name))
        except VitrineError as error:
            st.error(plain(str(error)))
            return
        st.rerun()


def _queues(info: DatasetInfo, made: Suspicion) -> None:
    table = products.table(info.name)
    st.markdown(f"The model predicts {made.accuracy:.1%} of the given labels.")
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    name = left.segmented_control(
        "Queue", list(get_args(Queue)), default="margin", key="audit-queue", required=True
    )
    first = right.segmented_control("First", FIRST, default=100, key="audit-first", required=True)
    chosen = cast(Queue, name or "margin")
    order = made.queue(chosen, table)
    one = next(each for each in overview(audits.store(), table, made) if each["queue"] == chosen)
    st.markdown(plain(f"First comes: {one['says']}. {one['products']:,} products."))
    st.markdown(
        "\n".join(
            f"- {plain(part['says'] if part['judged'] else _unknown(part['at']))}"
            for part in one["precision"]
        )
    )
    if not len(order):
        st.info("This queue is empty.")
        return
    if access.may(access.PLAN) and st.button(
        f"Review the first {min(first or 100, len(order))}", key="audit-fix"
    ):
        wish = Wish(size=1, seed=audits.new_seed(), by_whom=access.person())
        plan, items = queue_plan(table, chosen, order[: first or 100].tolist(), wish)
        audits.store().create_plan(plan, items)
        st.query_params["plan"] = plan.plan
        st.rerun()
    shown = table.by_row(order[:SHOWN].tolist())
    facts = [
        f"looks like {', '.join(_leaf(label) for label in made.likeliest(row['row_id'])[:2])}"
        for row in shown
    ]
    picked = product_grid.show(info, shown, "suspicious", facts)
    if picked is not None:
        product_dialog.select_row(info, picked, shown)


def _unknown(depth: int) -> str:
    return f"first {depth}: nobody has measured it"


def _leaf(label: str) -> str:
    return label.rsplit(" > ", 1)[-1]
