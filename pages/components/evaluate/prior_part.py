"""Priors by country, estimated without labels, and what adjusting to them gains."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.evaluation import cache, prior_charts, prior_reports
from core.evaluation.cache import Evaluation
from core.labels.prior_shift import METHODS
from core.models.registry import ModelSpec
from pages.components.shared import background, chart
from pages.components.shared.markdown import plain


def show(info: DatasetInfo, spec: ModelSpec, found: Evaluation) -> None:
    """A method, its stored report or how to make it."""
    st.markdown(
        "Countries sell different things. What a country sells can be estimated from its products alone, without their labels, and "
        "the model adjusted to it."
    )
    method = st.selectbox(
        "Method", list(METHODS), format_func=lambda name: f"{name.upper()}: {METHODS[name]}", key="priors",
        bind="query-params",
    )  # fmt: skip
    choice = found.choice
    report = prior_reports.find(spec, choice, method or "em")
    if report is None:
        _offer(spec, choice, str(method or "em"))
        return
    display = prior_charts.accuracies(report)
    with st.container(border=True):
        chart.draw(info, display, display.name, f"figure priors {found.path.name} {method}")
    if report["left_out"]:
        st.caption(f"Too few products for an estimate: {plain(', '.join(report['left_out']))}.")
    names = [group["name"] for group in report["groups"]]
    named = {group["name"]: prior_charts.name_of(group) for group in report["groups"]}
    name = st.selectbox("Country", names, format_func=named.__getitem__, key="priors-of", bind="query-params")
    one = prior_charts.priors(report, name or names[0])
    with st.container(border=True):
        chart.draw(info, one, one.name, f"figure priors {found.path.name} {method} {name}")


def _offer(spec: ModelSpec, choice: cache.Choice, method: str) -> None:
    options = [
        "--dataset", choice.dataset, "--split", choice.split, "--sees", choice.sees, "--priors", method, "--keep",
        *(["--human-only"] if choice.labels == "human" else []),
    ]  # fmt: skip
    st.info(
        "Nobody has estimated priors with these choices yet. It takes about as long as the evaluation did."
    )
    background.offer(
        "Estimate priors",
        ["evaluate", *options, "--", str(cache.run_of(spec))],
        ["evaluate", spec.name, *options],
    )
