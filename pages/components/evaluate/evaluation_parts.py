"""The parts of the Evaluate page: figures, groups, calibration, confusions, classes, mistakes, two models, papers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.catalog.spreadsheets import frame_csv
from core.errors import ModelError
from core.evaluation import cache, charts, class_charts
from core.evaluation.cache import Evaluation
from core.evaluation.charts import rows_of
from core.evaluation.part import part_figures
from core.models.registry import ModelSpec
from core.training.runs import RunConfig
from pages.components.evaluate import comparison, mistakes, paper_tables, prior_part, submit_button
from pages.components.shared import chart
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import PERCENT, in_percent
from pages.resources import datasets, evaluation


def show(
    info: DatasetInfo, spec: ModelSpec, found: Evaluation, specs: Sequence[ModelSpec], cohort: Cohort
) -> None:
    """The headline, and one part below it.

    Args:
        cohort: its products have a line of their own, and are those of Mistakes and Compare.
    """
    _headline(spec, found)
    if not cohort.is_whole() and mistakes.holds(info, found):
        _cohort_line(found, cohort)
    parts: dict[str, Callable[[], None]] = {
        "Figures": partial(_figures, info, found, specs),
        "Countries": partial(_groups, info, found),
        "Priors": partial(prior_part.show, info, spec, found),
        "Calibration": partial(_calibration, info, found),
        "Confusions": partial(_confusions, info, found),
        "Classes": partial(_classes, info, spec, found),
        "Mistakes": partial(mistakes.show, info, found, cohort),
        "Compare": partial(comparison.show, info, spec, found, specs, cohort),
        "Papers": partial(paper_tables.show, info, specs),
    }
    part = st.pills(
        "Part", list(parts), default="Figures", required=True, key="part", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    parts[str(part or "Figures")]()


def show_papers_alone() -> None:
    """The papers' results, shown while there is no evaluation."""
    with st.expander("What the papers report"):
        paper_tables.show_published()


def _headline(spec: ModelSpec, found: Evaluation) -> None:
    """The most important figures, and behind a button what there is to say of them."""
    report = found.report
    if spec.exposure is not None and not spec.exposure.zero_shot:
        st.warning(plain(spec.exposure.sentence()))
    shown = (
        ("Top-1", "top1", "top1_interval"), ("Top-5", "top5", "top5_interval"),
        ("F1, macro", "f1_macro", ""), ("F1, weighted", "f1_weighted", ""),
        ("AP, macro", "ap_macro", ""), ("Calibration error", "calibration_error", ""),
    )  # fmt: skip
    with st.container(horizontal=True, key="evaluation-figures"):
        for title, key, interval in shown:
            value = report.get(key)
            with st.container(width=150, gap=None):
                st.metric(title, "–" if value is None else f"{100 * value:.1f}%")
                ends = report.get(interval) if interval else None
                if ends and ends[0] is not None:
                    st.caption(f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}")
        with st.popover("About these figures", type="tertiary"):
            st.caption(plain(_notes(report)))


def _notes(report: dict[str, Any]) -> str:
    """What there is to say of an evaluation's figures."""
    notes = [
        "Below a figure: its 95% interval, for the sampling of test products. F1, AP and "
        "calibration error have none: with few products per class, no method that was tried has its nominal coverage."
    ]
    if "top1_deviation" in report:
        notes.append(
            f"Figures are means over {report['passes']} random passes: standard deviation of top-1 "
            f"{100 * report['top1_deviation']:.2f} points, of top-5 {100 * report['top5_deviation']:.2f}. Single products, as "
            "under Mistakes and Compare, are shown as in the first pass."
        )
    if report["unseen"]:
        notes.append(f"{report['unseen']:,} products have none of the model's inputs and are left out.")
    if len(report["per_class"]) <= 5:
        notes.append("With five classes or fewer, top-5 is always 100%.")
    if report["unknown_classes"]:
        notes.append(
            f"{report['unknown_classes']:,} products have a category that is not among the model's classes: they count as errors."
        )
    return " ".join(notes)


def _cohort_line(found: Evaluation, cohort: Cohort) -> None:
    """Top-1 and top-5 of the cohort's products."""
    predictions = evaluation.predictions(found, cohort)
    figures = part_figures(predictions)
    if figures is None:
        st.info(mistakes.evaluation_of_none(found))
        return
    top1, top5 = (
        f"{100 * value:.1f}% ({_between(*interval)})"
        for value, interval in ((figures.top1, figures.top1_interval), (figures.top5, figures.top5_interval))
    )
    st.markdown(
        plain(f"Of the filtered products, {figures.n:,} were evaluated: top-1 {top1}, top-5 {top5}."),
    )


def _figures(info: DatasetInfo, found: Evaluation, specs: Sequence[ModelSpec]) -> None:
    table = pd.DataFrame(charts.figures(found))
    shown = in_percent(table, ["value"])
    shown.insert(2, "95% interval", [_between(row.low, row.high) for row in rows_of(table)])
    st.dataframe(
        shown.drop(columns=["low", "high"]),
        hide_index=True,
        height="content",
        column_config={"value": PERCENT},
    )
    _downloads(found, table)
    others = cache.evaluations(list(specs), info.name)
    st.subheader(f"Evaluations on {plain(info.name)}", anchor=False)
    st.dataframe(
        in_percent(evaluations_table(others), ["top-1", "top-5"]), hide_index=True,
        column_config={"top-1": PERCENT, "top-5": PERCENT},
    )  # fmt: skip
    st.caption(
        plain(
            f"Evaluated {found.made.replace('T', ' at ').rstrip('Z')} (UTC) in {found.seconds:.0f} s, with weights {found.weights}, "
            f"on the dataset with fingerprint {found.fingerprint}."
        )
    )


def _between(low: float | None, high: float | None) -> str:
    """An interval in percent; empty where none is given."""
    return "" if pd.isna(low) or pd.isna(high) else f"{100 * low:.1f} to {100 * high:.1f}"


def evaluations_table(entries: Sequence[tuple[ModelSpec, Evaluation]]) -> pd.DataFrame:
    """All evaluations, newest first."""
    return pd.DataFrame(
        [
            {
                "model": made.model, "top-1": made.report["top1"], "top-5": made.report["top5"], "split": made.choice.split, "sees": made.choice.sees, "labels": made.choice.labels,
                "inference": made.choice.inference, "ties": made.choice.ties, "classes": made.report["classes"],
                "products": made.report["n"],
            }
            for _, made in entries
        ],
        columns=["model", "top-1", "top-5", "split", "sees", "labels", "inference", "ties", "classes", "products"],
    )  # fmt: skip


def _downloads(found: Evaluation, table: pd.DataFrame) -> None:
    name = f"{found.model}-{found.choice.stem()}"
    with st.container(horizontal=True):
        st.download_button(
            "Predictions (Parquet)", partial(_parquet, found), f"{name}.parquet", "application/vnd.apache.parquet",
            on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Report (JSON)", partial(_json, found), f"{name}.json", "application/json", on_click="ignore"
        )
        st.download_button(
            "Figures (CSV)", partial(_csv, table), f"{name}.csv", "text/csv", on_click="ignore"
        )
        submit_button.show(found)


def _parquet(found: Evaluation) -> bytes:
    out = io.BytesIO()
    evaluation.predictions(found).to_parquet(out, index=False)
    return out.getvalue()


def _json(found: Evaluation) -> bytes:
    return json.dumps(found.report, ensure_ascii=False, indent=1).encode()


def _csv(table: pd.DataFrame) -> bytes:
    return frame_csv(table)


def _card(info: DatasetInfo, found: Evaluation, display: Any) -> None:
    with st.container(border=True):
        chart.draw(info, display, display.name, f"figure {display.name} {found.path.name}")


def _groups(info: DatasetInfo, found: Evaluation) -> None:
    st.markdown("Accuracy by country and label source. Click a point to open its products.")
    _card(info, found, charts.by_country(found))
    _card(info, found, charts.by_label_source(found))


def _calibration(info: DatasetInfo, found: Evaluation) -> None:
    st.markdown("Whether the predicted probabilities match the observed accuracy.")
    _card(info, found, charts.reliability(found))


def _confusions(info: DatasetInfo, found: Evaluation) -> None:
    st.markdown("Which classes are confused with which.")
    mistakes.show_pairs(info, found)
    _card(info, found, class_charts.confusions(found, evaluation.predictions(found)))


def _classes(info: DatasetInfo, spec: ModelSpec, found: Evaluation) -> None:
    st.markdown("Metrics of every class. Click a column to sort by it.")
    training = trained_counts(spec)
    table = class_charts.classes_table(found, training)
    st.dataframe(
        in_percent(table if training else table.drop(columns="training"), ["precision", "recall", "f1", "ap"]),
        hide_index=True, height=520,
        column_config={
            "label": "class",
            "n": st.column_config.NumberColumn("products", help="with this label in the evaluated split"),
            "training": st.column_config.NumberColumn("training", help="products in the training split of the model's dataset"),
            "predicted": st.column_config.NumberColumn("predicted", help="products predicted as this class"),
            "precision": st.column_config.NumberColumn(format="%.1f%%", help="of those predicted as this class, the share that is correct"),
            "recall": st.column_config.NumberColumn(format="%.1f%%", help="of those with this label, the share that is predicted"),
            "f1": st.column_config.NumberColumn("F1", format="%.1f%%", help="harmonic mean of precision and recall"),
            "ap": st.column_config.NumberColumn("AP", format="%.1f%%", help="average precision: area under the precision-recall curve"),
        },
    )  # fmt: skip
    name = f"{found.model}-{found.choice.stem()}-classes.csv"
    st.download_button("Classes (CSV)", partial(_csv, table), name, "text/csv", on_click="ignore")
    notes = []
    if absent := int((table.n == 0).sum()):
        notes.append(
            f"{absent:,} of them have no product in this split; they occur as wrong predictions only."
        )
    if untaught := int((table.training == 0).sum()):
        notes.append(f"{untaught:,} have no training product: the model cannot predict them.")
    if notes:
        st.caption(" ".join(notes))
    _card(info, found, class_charts.long_tail(found, training or {}))


def trained_counts(spec: ModelSpec) -> dict[str, int] | None:
    """Training products of each class, if the training dataset has not changed since."""
    try:
        config = RunConfig.read(spec.folder)
    except ModelError:  # a model without a run folder, or one that was just deleted
        return None
    info = next((there for there in datasets.available() if there.name == config.dataset), None)
    if info is None or info.fingerprint != config.fingerprint or "train" not in info.splits:
        return None
    return evaluation.class_counts(info.name, "train", config.human_only)
