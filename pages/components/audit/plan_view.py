"""One audit: progress of each annotator, results so far, and what its owner can do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import pandas as pd
import streamlit as st

from core.audit.records import Plan, Work
from core.catalog.info import DatasetInfo
from core.errors import UnknownPlanError, VitrineError
from pages import access, review_urls
from pages.components.audit import estimates_view
from pages.components.audit.plan_list import summary
from pages.components.shared import filter_bar
from pages.components.shared.markdown import plain
from pages.resources import audits

PARTS = ("Progress", "Estimates", "Confusion", "Agreement", "Downloads")
WATCH_EVERY_S = 5.0


def show(info: DatasetInfo, key: str) -> None:
    """A plan that the address names."""
    filter_bar.carried(
        info, "An audit has a cohort of its own, fixed when it was drawn, whatever the filters."
    )
    st.button("← All plans", on_click=_leave, type="tertiary")
    try:
        plan = audits.store().plan(key)
    except UnknownPlanError as error:
        st.warning(plain(str(error)))
        return
    if plan.dataset != info.name:
        st.warning(plain(f"This plan is of the dataset {plan.dataset}, not of {info.name}."))
        return
    st.subheader(plain(plan.name), anchor=False)
    st.caption(plain(summary(plan)))
    for note in plan.notes:
        st.caption(plain(note))
    _say_state(plan)
    part = st.segmented_control(
        "Part",
        PARTS,
        default=PARTS[0],
        key="part",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    _part(info, plan, part or PARTS[0])


def _part(info: DatasetInfo, plan: Plan, part: str) -> None:
    if part == "Progress":
        _progress(plan.plan)
        if access.may(access.PLAN):
            _admin(plan)
    elif part in ("Estimates", "Confusion", "Agreement"):
        estimates_view.show(info, plan, part)
    else:
        _downloads(plan)


def _downloads(plan: Plan) -> None:
    """The report, the corrections, and the whole audit as files that import back unchanged."""
    key = plan.plan
    if not plan.queue:
        st.markdown("**Report**: one page with plan, figures, intervals and method, to print or send around.")
        _file("Report (HTML)", audits.report, key, f"{key}.html", "text/html")
    st.markdown(
        "**Corrections**: what reviewers say is right instead. `vitrine audit apply FILE` corrects the dataset, `revert` undoes it."
    )
    _file("Corrections (JSON)", audits.corrections, key, f"{key}-corrections.json", "application/json")
    st.markdown(
        "**Everything**: plan, items, answers with every undo. `vitrine audit import FILE` reads it back."
    )
    with st.container(horizontal=True):
        titles: dict[Literal["json", "csv", "parquet"], str] = {
            "json": "JSON",
            "csv": "CSV tables (ZIP)",
            "parquet": "Parquet tables (ZIP)",
        }
        for kind, title in titles.items():
            end = "json" if kind == "json" else f"{kind}.zip"
            made = partial(audits.exported, kind=kind)
            _file(
                title, made, key, f"{key}.{end}", "application/json" if kind == "json" else "application/zip"
            )


def _file(title: str, make: Callable[[str], bytes], key: str, name: str, mime: str) -> None:
    st.download_button(title, partial(make, key), name, mime, key=f"file-{name}", on_click="ignore")


def _leave() -> None:
    st.query_params.pop("plan", None)


def _say_state(plan: Plan) -> None:
    if plan.closed:
        st.info(f"Closed on {plan.closed[:10]}: it takes no more answers.")
    elif access.may(access.JUDGE):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.link_button("Review", review_urls.url(plan.plan), type="primary", icon=":material/keyboard:")
            st.caption("By keyboard or by thumb; every answer is one key. Send this link to the annotators.")
    else:
        st.caption(f"Labels are reviewed by {access.who(access.JUDGE)}.")


@st.fragment(run_every=WATCH_EVERY_S)
def _progress(key: str) -> None:
    """The progress of each annotator; it updates by itself."""
    try:
        people = audits.store().work(key)
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    if not people:
        st.info("Nobody reviews yet. Assign annotators below, or open the review and give a name.")
        return
    st.dataframe(
        _table(key, people), hide_index=True, width="stretch", row_height=38,
        column_config={
            "share": st.column_config.ProgressColumn("answered", format="%.0f%%", min_value=0, max_value=100),
            "seconds": "seconds each",
            "review": st.column_config.LinkColumn("review", display_text="open"),
        },
    )  # fmt: skip


def _table(key: str, people: list[Work]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "annotator": [one.who for one in people],
            "share": [100 * one.answered / max(1, one.assigned) for one in people],
            "done": [f"{one.answered:,} of {one.assigned:,}" for one in people],
            "skipped": [one.skipped for one in people],
            "seconds": ["" if one.median_ms is None else f"{one.median_ms / 1000:.1f}" for one in people],
            "last answer (UTC)": [(one.last or "")[:16].replace("T", " ") for one in people],
            "review": [review_urls.url(key, one.who) for one in people],
        }
    )


def _admin(plan: Plan) -> None:
    """What the plan's owner can do: assign the items again, close the plan and reopen it."""
    store = audits.store()
    with st.container(border=True):
        st.markdown("**Annotators**")
        names = st.text_input(
            "Names, with commas between them", ", ".join(store.annotators(plan.plan)), key=f"people-{plan.plan}",
            help="Answered items stay with their annotator; the others are assigned evenly and at random.",
            disabled=plan.closed is not None, max_chars=20_000,
        )  # fmt: skip
        with st.container(horizontal=True):
            if st.button("Assign the items", disabled=plan.closed is not None):
                _try(lambda: store.assign(plan.plan, audits.names_in(names or "")))
            if plan.closed:
                if st.button("Open again"):
                    _try(lambda: store.reopen(plan.plan, access.person()))
            elif st.button("Close", help="No more answers are taken. It can be opened again."):
                _try(lambda: store.close(plan.plan, access.person()))


def _try(act: object) -> None:
    try:
        act()  # type: ignore[operator]
    except VitrineError as error:
        st.error(plain(str(error)))
    else:
        st.rerun()
