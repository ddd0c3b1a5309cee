"""Duplicates: the matrix of splits, the certificate, and the list of products to drop."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import partial

import numpy as np
import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.duplicates import figures, judging, report
from core.duplicates.detectors import detector
from core.duplicates.finding import Found
from core.duplicates.leakage import Keep, to_drop
from pages.components.shared.markdown import plain
from pages.resources import duplicates, products
from pages.resources.urls import cohort_url

OPENED = 100  # products that a link to Browse holds
KEEP: dict[str, Keep] = {"Keep test whole": "test", "Keep train whole": "train"}


def overview(info: DatasetInfo, founds: Mapping[str, Found], thresholds: Mapping[str, float]) -> None:
    """The counts of all detectors."""
    splits = duplicates.splits(info)
    counted = [duplicates.leakage_at(info, founds[key], thresholds[key]) for key in founds]
    last = splits.names[-1]
    if len(splits.names) > 1:
        size = max(1, splits.sizes[last])
        st.markdown(f"Of {size:,} **{plain(last)}** products, these have a duplicate in another split:")
        with st.container(horizontal=True):
            for one in counted:
                st.metric(
                    detector(one.detector).title,
                    f"{one.leaking[last]:,}",
                    f"{one.leaking[last] / size:.1%}",
                    delta_color="off",
                    delta_arrow="off",
                )
    dark = st.context.theme.type == "dark"
    st.plotly_chart(
        figures.overview(counted, splits.sizes, dark), theme=None, key="overview", config={"displayModeBar": False},
    )  # fmt: skip
    st.caption(
        "Products with a duplicate, by each detector at the thresholds on the left: in another split (leakage), plus in "
        "their own split only. Products of one split that share a picture do not count as duplicates of each other."
    )
    for one in counted:
        for note in one.notes:
            st.caption(plain(f"{detector(one.detector).title}: {note}"))
        if one.absent:
            st.caption(
                plain(f"{detector(one.detector).title}: {one.absent:,} products could not be compared.")
            )


def show(info: DatasetInfo, founds: Mapping[str, Found], thresholds: Mapping[str, float], key: str) -> None:
    """One detector's matrix, links to leaking products, and the downloads for the chosen detectors."""
    splits = duplicates.splits(info)
    found = founds[key]
    counted = duplicates.leakage_at(info, found, thresholds[key])
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.subheader(f"{detector(key).title}: {detector(key).describe(thresholds[key])}", anchor=False)
        dark = st.context.theme.type == "dark"
        st.plotly_chart(
            figures.matrix(counted, splits.sizes, dark), theme=None, key="matrix", config={"displayModeBar": False},
        )  # fmt: skip
        st.caption(
            "Row: a split. Cell: how many of its products, and what share, have a duplicate in the column's split."
        )
        _browse(info, found, thresholds[key])
    with right:
        _downloads(info, founds, thresholds)


def _browse(info: DatasetInfo, found: Found, threshold: float) -> None:
    """Links to the leaking products of each split."""
    splits = duplicates.splits(info)
    taken = found.within(threshold)
    a, b = found.a[taken], found.b[taken]
    crossing = splits.code[a] != splits.code[b]
    units = np.unique(found.unit[np.concatenate([a[crossing], b[crossing]])])
    if len(splits.names) == 1:
        st.info(
            f"All products are in one split ({plain(splits.names[0])}): there can be no leakage between splits."
        )
        return
    with st.container(horizontal=True):
        for place, name in reversed(list(enumerate(splits.names))):
            rows = np.flatnonzero(np.isin(found.unit, units[units >= 0]) & (splits.code == place))
            if not len(rows):
                continue
            some = products.table(info.name).by_row(rows[:OPENED].tolist())
            cohort = Cohort(
                info.name, split=(name,), item_id=tuple(dict.fromkeys(row["item_id"] for row in some))
            )
            count = f"{len(rows):,}" if len(rows) <= OPENED else f"the first {OPENED} of {len(rows):,}"
            # Not st.link_button, which opens a new tab.
            address = html.escape(cohort_url("/browse", cohort))
            title = html.escape(f"Open {count} leaking from {name}")
            st.html(f'<a class="vitrine-alike" href="{address}" target="_self">{title}</a>', width="content")


def _downloads(info: DatasetInfo, founds: Mapping[str, Found], thresholds: Mapping[str, float]) -> None:
    st.subheader("Certificate and products to drop", anchor=False)
    titles = {detector(key).title: key for key in founds}
    precise = [title for title, key in titles.items() if detector(key).precise]
    used = st.multiselect(
        "Detectors used",
        list(titles),
        default=precise,
        key="count",
        bind="query-params",
        select_all=False,
    )
    keep = KEEP[
        st.segmented_control(
            "Drop leaking products from the other split", list(KEEP), default="Keep test whole", key="keep",
            bind="query-params", required=True,
        )
        or "Keep test whole"
    ]  # fmt: skip
    within = st.toggle("Also drop duplicates within a split", key="within", bind="query-params")
    chosen = {key: founds[key] for title, key in titles.items() if title in (used or [])}
    if not chosen:
        st.info("Choose at least one detector.")
        return
    at = {key: thresholds[key] for key in chosen}
    dropped = to_drop(chosen, at, duplicates.splits(info), keep, within)
    parts = dropped["split"].value_counts()
    listed = ", ".join(f"{count:,} of {plain(str(name))}" for name, count in parts.items()) or "none"
    st.metric("Products to drop", f"{len(dropped):,}", listed, delta_color="off", delta_arrow="off")
    with st.container(horizontal=True):
        for suffix, title, mime in (
            ("md", "Certificate", "text/markdown"),
            ("json", "As JSON", "application/json"),
        ):
            st.download_button(
                title, partial(_certificate, info, chosen, at, keep, within, suffix),
                f"{info.name}-duplicates.{suffix}", mime, key=f"certificate-{suffix}", on_click="ignore",
                type="primary" if suffix == "md" else "secondary",
            )  # fmt: skip
        st.download_button(
            "List of products to drop", partial(_list, info, chosen, at, keep, within), f"{info.name}-drop.csv",
            "text/csv", key="drop-list", on_click="ignore",
        )  # fmt: skip
    st.caption(
        "The certificate states the dataset, its fingerprint, every threshold with its measured precision, and the "
        "counts. The list holds item and image ids, and the reason for each product."
    )


def _certificate(
    info: DatasetInfo,
    founds: Mapping[str, Found],
    at: Mapping[str, float],
    keep: Keep,
    within: bool,
    suffix: str,
) -> bytes:
    judged = judging.precisions(info, founds, at)
    made = report.certificate(
        products.table(info.name), founds, at, duplicates.splits(info), keep, within, judged
    )
    return report.as_bytes(made, f".{suffix}")


def _list(
    info: DatasetInfo, founds: Mapping[str, Found], at: Mapping[str, float], keep: Keep, within: bool
) -> bytes:
    dropped = to_drop(founds, at, duplicates.splits(info), keep, within)
    return report.as_csv(report.drop_list(products.table(info.name), dropped, at))
