"""Duplicates within splits, and leakage between them."""

from __future__ import annotations

import streamlit as st

from core.duplicates.detectors import DETECTORS, Detector
from core.duplicates.finding import possible
from pages.components.duplicates import duplicates_form, duplicates_leakage, duplicates_pairs, twins_view
from pages.components.shared import filter_bar, page_head
from pages.components.shared.markdown import plain
from pages.resources import duplicates

WHOLE = "Counted in the whole dataset, since a leak concerns whole splits. Pairs and Twins take the filters."
TAKEN = {  # what each view does with the filters
    "Pairs": "Pairs that have one of these products on a side.",
    "Twins": "Pictures of these products, with all countries that they occur in.",
    "Judge": "Pairs to judge are a random sample of the whole dataset, so that the answers estimate its precision.",
    "Look-alikes": "Look-alikes are searched for in the whole dataset.",
}
VIEWS = ("Overview", "Pairs", "Judge", "Leakage", "Look-alikes", "Twins")

page_head.show("Duplicates", "Near-duplicates within a dataset, and leakage between its splits.")

info = filter_bar.choose_dataset()
bar = st.container()
view = st.segmented_control(
    "View", VIEWS, default=VIEWS[0], key="view", bind="query-params", required=True, label_visibility="collapsed",
)  # fmt: skip
with bar:
    cohort = filter_bar.carried(info, TAKEN.get(str(view), WHOLE))
if view == "Twins":
    twins_view.show_twins(info, cohort)
    st.stop()

founds = {
    known.key: found for known in DETECTORS if (found := duplicates.found_by(info, known.key)) is not None
}
if view == "Look-alikes":
    twins_view.show_look_alikes(info, founds.get("vectors") or founds.get("hash") or founds.get("pixels"))
    st.stop()
can, why_not = possible(info)
missing = [key for key in can if key not in founds]
if not founds:
    duplicates_form.show(
        info,
        f"Duplicates of {info.name} are not computed yet. Each distinct picture is read once: "
        f"{duplicates_form.pictures(info)}, {duplicates_form.minutes(info, can)} on two processors.",
    )
    for why in why_not:
        st.caption(plain(why))
    st.stop()


def slider(known: Detector, label: str) -> float:
    """A threshold, in the address under the detector's name; `text` is taken by a filter."""
    if known.exact == known.loosest:
        return known.default
    low, high = sorted((known.exact, known.loosest))
    whole = known.step == 1
    kind = int if whole else float
    return float(
        st.slider(
            label, kind(low), kind(high), kind(min(max(known.default, low), high)), kind(known.step),
            key="text-likeness" if known.key == "text" else known.key,
            bind="query-params", help=known.asks, format="%d" if whole else "%.1f" if known.step > 0.1 else "%.3f",
        )
    )  # fmt: skip


there = [known for known in DETECTORS if known.key in founds]
key = there[0].key
if view != "Overview":
    titles = {known.title: known.key for known in there}
    default = next(
        (known.title for known in there if known.key in ("pixels", "hash", "vectors")), there[0].title
    )
    chosen = st.pills("Detector", list(titles), default=default, required=True, key="by", bind="query-params")
    key = titles[chosen or default]
with st.sidebar:
    st.caption("Thresholds")
    others = {
        known.key: slider(known, known.title) for known in there if view == "Overview" or known.key != key
    }
thresholds = {
    known.key: others[known.key] if known.key in others else slider(known, known.asks) for known in there
}

if view == "Pairs":
    duplicates_pairs.show(info, founds[key], thresholds[key], cohort)
elif view == "Judge":
    duplicates_pairs.judge(info, founds[key], thresholds[key])
elif view == "Leakage":
    duplicates_leakage.show(info, founds, thresholds, key)
else:
    duplicates_leakage.overview(info, founds, thresholds)
    if missing:
        duplicates_form.show(info, f"Not computed yet: {', '.join(missing)}.", label="Compute the rest")
    for why in why_not:
        st.caption(plain(why))
