"""The form of a new audit: which products, how many, shown to whom."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from core.audit.gold import read_gold
from core.audit.plan import Wish, draw, sample_size
from core.audit.records import STRATIFY_BY
from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.errors import UsageError, VitrineError
from core.sources.values import NO_CATEGORY
from pages import access
from pages.components.audit.plan_list import open_plan
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import duration
from pages.resources import audits, products

SECONDS_EACH = 5.0  # a practised person with a keyboard; said as a guess
HALF_WIDTHS = {
    "± 1 point": 0.01,
    "± 2 points": 0.02,
    "± 3 points": 0.03,
    "± 5 points": 0.05,
    "± 10 points": 0.10,
}
ALLOCATIONS = {
    "proportional": "Proportional to size",
    "equal": "The same number in each",
    "neyman": "Neyman: more where a pilot was uncertain",
}
NAMES = {
    "label_source": "label source",
    "label_kind": "kind of label",
    "geo": "country",
    "category": "category group",
    "split": "split",
}


def show(info: DatasetInfo, cohort: Cohort, first: bool) -> None:
    """Offer a new plan; the filters in the sidebar say which products it is about."""
    if not labelled(info):
        st.info(
            plain(
                f"{info.name} has no labels, so there is nothing to audit. Import it with a category column, or predict classes on the Classify page."
            )
        )
        return
    if not access.may(access.PLAN):
        if first:
            st.info("There is no audit of this dataset yet.")
        st.caption(f"Audits can be made by {access.who(access.PLAN)} only.")
        return
    if first:
        st.info(
            "There is no audit of this dataset yet. Make a plan: it draws a random sample, people review it by keyboard or thumb, "
            "and this page says how often the labels are right, with an interval."
        )
    with st.expander("New plan", expanded=first):
        _form(info, cohort)


def labelled(info: DatasetInfo) -> bool:
    """Has any product a category?"""
    return any(path and path != (NO_CATEGORY,) for path, _ in products.table(info.name).categories())


def _form(info: DatasetInfo, cohort: Cohort) -> None:
    frame = products.count(cohort)
    st.caption(plain(f"Of {frame:,} products: {cohort.describe()}. The filters in the sidebar choose them."))
    choices = products.filter_choices(info.name)
    _say_sources(choices)
    name = st.text_input("Name", key="audit-name", max_chars=80, placeholder=f"Labels of {info.name}")
    left, right = st.columns(2, gap="large")
    with left:
        wanted = st.select_slider(
            "Wanted precision", list(HALF_WIDTHS), "± 3 points", key="audit-width",
            help="Half of the 95% interval of the overall share.",
        )  # fmt: skip
        guess = st.slider(
            "Expected accuracy", 0.5, 0.99, 0.9, 0.01, key="audit-guess",
            help="A guess. A share near 50% needs the most reviews; the interval will be right whatever you guess.",
        )  # fmt: skip
        by = st.pills(
            "Strata", [column for column in STRATIFY_BY if column == "category" or len(choices.get(column, ())) > 1],
            format_func=lambda column: NAMES[column], selection_mode="multi", key="audit-by",
            help="Each stratum is sampled separately, so that small ones get an estimate of their own.",
        )  # fmt: skip
        allocation = st.selectbox(
            "Products of each stratum", list(ALLOCATIONS), format_func=ALLOCATIONS.__getitem__, key="audit-allocation",
            disabled=not by,
        )  # fmt: skip
    with right:
        anchoring = st.slider(
            "Shown with their label", 0, 50, 20, 5, format="%d%%", key="audit-anchoring",
            help="The others are blind: the class is chosen before the label is seen. The two shares show how much a shown label leads people.",
        )  # fmt: skip
        overlap = st.slider(
            "Seen by two people", 0, 100, 20, 5, format="%d%%", key="audit-overlap",
            help="Agreement between people is measured on these.",
        )  # fmt: skip
        people = st.text_input(
            "Annotators", key="audit-people", placeholder="Ada, Ben (others can join)", max_chars=2_000
        )
        gold = st.file_uploader(
            "Known answers (CSV: item_id, label)", "csv", key="audit-gold",
            help="Products whose right class is known, mixed in unseen to measure annotators.",
        )  # fmt: skip
    each = bool(by) and st.checkbox("This precision in every stratum, not only overall", key="audit-each")
    width = HALF_WIDTHS[wanted]
    if frame and not each:
        n = sample_size(width, guess, frame)
        times = 1 + overlap / 100
        st.markdown(
            f"**{n:,} products** to review, about {duration(n * times * SECONDS_EACH)} of work in all at {SECONDS_EACH:.0f} s each."
        )
    if st.button("Draw the sample", type="primary", key="audit-draw", disabled=not frame):
        _make(
            info, cohort, {
                "name": name or "", "by": tuple(by or ()), "allocation": allocation if by else "proportional",
                "half_width": width, "each": each, "guess": guess, "overlap": overlap / 100, "anchoring": anchoring / 100,
            }, people or "", gold,
        )  # fmt: skip


def _say_sources(choices: dict[str, list[str]]) -> None:
    sources, kinds = choices.get("label_source", []), choices.get("label_kind", [])
    if len(sources) < 2 and len(kinds) < 2:
        st.caption(
            "All labels of this dataset come from one source, so its sources cannot be compared; its accuracy, by country, split and category, can be measured all the same."
        )


def _make(info: DatasetInfo, cohort: Cohort, asked: dict[str, Any], people: str, gold: Any) -> None:
    try:
        table = products.table(info.name)
        if gold is not None:
            asked["gold"] = _gold(info, gold.getvalue())
        if asked["allocation"] == "neyman":
            asked["pilot"] = audits.pilot(info, asked["by"])
        plan, items = draw(table, cohort, Wish(seed=audits.new_seed(), by_whom=access.person(), **asked))
        store = audits.store()
        store.create_plan(plan, items)
        if names := audits.names_in(people):
            store.assign(plan.plan, names)
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    open_plan(plan.plan)
    st.rerun()


def _gold(info: DatasetInfo, data: bytes) -> dict[int, str]:
    """The rows of a table of known answers.

    Raises:
        VitrineError: it is no such table.
    """
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(data)
        file.flush()
        try:
            return read_gold(products.table(info.name), Path(file.name))
        except VitrineError as error:  # the visitor's file has another name than this copy
            raise UsageError(str(error).replace(file.name, "The file of known answers")) from error
