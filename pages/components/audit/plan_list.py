"""The audits of a dataset: what each asks, how far it is."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.audit.records import Plan
from pages.components.shared.markdown import plain
from pages.resources import audits


def show(plans: Sequence[Plan]) -> None:
    """A row for each plan, the newest first."""
    for plan in plans:
        _row(plan)


def _row(plan: Plan) -> None:
    done = audits.progress(plan.plan)
    with st.container(border=True, key=f"audit-{plan.plan}"):
        words, figures, buttons = st.columns([6, 3, 2], vertical_alignment="center")
        with words:
            st.markdown(f"**{plain(plan.name)}**")
            st.caption(plain(summary(plan)))
        with figures:
            st.progress(min(1.0, done.answered / max(1, done.wanted)), done.says())
        buttons.button(
            "Open", key=f"open-{plan.plan}", on_click=open_plan, args=(plan.plan,), width="stretch"
        )


def open_plan(plan: str) -> None:
    """Put a plan into the address; the page's next run shows it."""
    st.query_params["plan"] = plan


def summary(plan: Plan) -> str:
    """What a plan is, in a line."""
    parts = [
        f"{plan.size:,} of {plan.frame:,} products"
        if not plan.queue
        else f"the first {plan.size:,} of a queue"
    ]
    if plan.by:
        parts.append(
            f"{len(plan.strata):,} strata by {' and '.join(column.replace('_', ' ') for column in plan.by)}"
        )
    if plan.anchoring:
        parts.append(f"{plan.anchoring:.0%} shown with their label")
    if plan.overlap:
        parts.append(f"{plan.overlap:.0%} seen by {plan.reviewers}")
    if plan.gold:
        parts.append(f"{plan.gold} known answers")
    parts.append(f"made {plan.created[:10]}")
    return " · ".join(parts)
