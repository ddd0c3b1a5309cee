"""A dataset on the Home page: pictures, counts, Browse and Remove."""

from __future__ import annotations

import html

import streamlit as st

from core.catalog import info as catalog
from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.errors import DamagedDatasetError, UnknownDatasetError
from core.preparation import state
from pages import access
from pages.components.shared import filter_bar, preparing, report_button
from pages.components.shared.markdown import plain
from pages.resources import products
from pages.resources.urls import image_url

PICTURES = 6


def show(info: DatasetInfo) -> None:
    """One card."""
    with st.container(border=True):
        words, pictures = st.columns([4, 5], gap="medium", vertical_alignment="center")
        with words:
            st.subheader(info.name, anchor=False)
            facts = [
                _count(info.rows, "product", "products"),
                _count(info.categories, "category", "categories"),
            ]
            if info.geos:
                facts.append(_count(info.geos, "country", "countries"))
            st.markdown(" · ".join(facts))
            splits = ", ".join(
                f"{count:,} {split}" for split, count in info.splits.items() if split != "none"
            )
            st.caption(
                plain(f"{splits + '. ' if splits else ''}Source: {info.source}; licence: {info.licence}.")
            )
            _troubles(info)
            preparing.line(info)
            with st.container(horizontal=True):
                if st.button("Browse", type="primary", key=f"browse-{info.name}"):
                    filter_bar.clear()
                    st.switch_page("browse.py", query_params={"dataset": info.name})
                report_button.show(info, Cohort(info.name), f"report-{info.name}")
                _offer_to_prepare(info)
                if access.may(access.MANAGE) and st.button("Remove", key=f"remove-{info.name}"):
                    _confirm_removal(info.name, f"{info.rows:,} products")
        with pictures:
            _strip(info)


def _offer_to_prepare(info: DatasetInfo) -> None:
    """A button that makes all that the pages show of a dataset, where that was never done, or was stopped."""
    job = state.job_of(info)
    if not access.may(access.COMPUTE) or (job is not None and (job.running or job.complete)):
        return
    label = "Prepare" if job is None else "Continue preparing"
    why = "Make the vectors, the map, the list of duplicates and the evaluation that the pages show."
    if st.button(label, key=f"prepare-{info.name}", help=why):
        with st.spinner("Starting"):
            state.start(info)
        st.rerun()


def show_damaged(name: str, why: str) -> None:
    """The card of a dataset that cannot be opened."""
    with st.container(border=True):
        st.subheader(name, anchor=False)
        st.error(plain(why))
        if access.may(access.MANAGE) and st.button("Remove", key=f"remove-{name}"):
            _confirm_removal(name, "damaged files")


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _troubles(info: DatasetInfo) -> None:
    """Rejected rows and warnings of the import, one line each."""
    if info.rejected:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in info.rejected.items())
        st.caption(plain(f"Rejected rows, kept in rejected.parquet: {reasons}."))
    for warning in info.warnings:
        st.caption(plain(warning))


def _strip(info: DatasetInfo) -> None:
    try:
        rows = products.rows(Cohort(info.name, picture=True), "shuffle", 1, 0, PICTURES)
    except DamagedDatasetError as error:
        st.error(plain(str(error)))
        return
    except UnknownDatasetError:
        return
    if not rows:
        st.caption("No pictures in this dataset.")
        return
    images = "".join(
        f'<img src="{html.escape(image_url(info, row["image_id"], 160))}" alt="" loading="lazy" '
        'style="width:100%;aspect-ratio:228/298;object-fit:cover;border-radius:4px">'
        for row in rows
    )
    st.html(f'<div style="display:grid;grid-template-columns:repeat({PICTURES},1fr);gap:6px">{images}</div>')


@st.dialog("Remove the dataset?")
def _confirm_removal(name: str, holds: str) -> None:
    st.markdown(
        f"**{name}** with {holds}, and everything computed from it, will be deleted. "
        "The imported files themselves stay."
    )
    with st.container(horizontal=True):
        if st.button("Remove it", type="primary"):
            catalog.remove(name)
            st.rerun()
        if st.button("Keep it"):
            st.rerun()
