"""Charts of an evaluation: accuracy by country and label source, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.catalog import info as catalog
from core.catalog.cohort import Cohort
from core.evaluation.cache import Evaluation
from core.evaluation.published import PER_COUNTRY, PER_COUNTRY_DATA, PER_COUNTRY_SOURCE
from core.measures.intervals import wilson
from core.schema import COUNTRY_OF_GEO
from core.statistics import theme
from core.statistics.display import Display, bar_height, bar_names, link, nothing, percent

if TYPE_CHECKING:
    import plotly.graph_objects as go

NONE = "(none)"
FEW = 30  # fewer products are too few for a share
SEES = {"picture": "the picture alone", "text": "the text alone"}
INFERENCE = {"published": "vectors added as published", "normalised": "unit vectors added"}


def subject(evaluation: Evaluation) -> str:
    """The evaluation in a line: model, dataset, split, products, choices."""
    choice = evaluation.choice
    words = [
        f"{evaluation.model} on {choice.dataset}, {choice.split}",
        f"{evaluation.report['n']:,} products",
    ]
    words += [] if choice.labels == "all" else ["human labels"]
    words += [] if choice.sees == "both" else [f"inputs: {SEES[choice.sees]}"]
    words += (
        []
        if choice.inference == "expected"
        else [INFERENCE.get(choice.inference, f"{choice.inference} inference")]
    )
    return " · ".join(words)


def by_country(evaluation: Evaluation) -> Display:
    """Top-1 of each country with its interval, beside the paper's."""
    table = _groups(evaluation.report["per_geo"])
    table["paper_top1"] = [PER_COUNTRY.get(name, (np.nan, np.nan))[0] for name in table["group"]]
    table["paper_top5"] = [PER_COUNTRY.get(name, (np.nan, np.nan))[1] for name in table["group"]]
    explanation = (
        "Top-1 is the share of products whose most probable class is the label; lines are 95% Wilson intervals: "
        "if two lines overlap widely, the difference may not be significant. "
    )
    if _nothing_in(table):
        return nothing(
            "by-country",
            "By country",
            explanation,
            subject(evaluation),
            "This dataset has no countries.",
            table=table,
        )
    if table.paper_top1.notna().any():
        values = [top1 for top1, _ in PER_COUNTRY.values()]
        explanation += (
            f"Diamonds are the paper's: {PER_COUNTRY_DATA}; other products and a larger network. They indicate "
            f"the spread to expect ({100 * (max(values) - min(values)):.1f} points there) and are not a target. "
        )
    names = [f"{COUNTRY_OF_GEO.get(name, name)}" if name != NONE else NONE for name in table["group"]]
    colours = [theme.COLOUR_OF_GEO.get(name, theme.GREY) for name in table["group"]]
    links = _links(evaluation, "geo", table["group"].tolist())
    return _dots(
        evaluation,
        table,
        names,
        colours,
        links,
        "by-country",
        "By country",
        "countries",
        explanation,
        PER_COUNTRY_SOURCE,
    )


def by_label_source(evaluation: Evaluation) -> Display:
    """Top-1 by label source, with intervals."""
    table = _groups(evaluation.report["per_label_source"])
    explanation = (
        "Accuracy by the source of the label; labels given by a rule may themselves be wrong. "
        "Lines are 95% Wilson intervals."
    )
    if _nothing_in(table):
        return nothing(
            "by-label-source", "By label source", explanation, subject(evaluation),
            "This dataset has no label sources.", table=table,
        )  # fmt: skip
    names = [str(name) for name in table["group"]]
    links = _links(evaluation, "label_source", table["group"].tolist())
    return _dots(
        evaluation, table, names, [theme.BLUE] * len(table), links, "by-label-source", "By label source", "label sources",
        explanation, "",
    )  # fmt: skip


def _groups(per: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """One row per group, best first: group, n, top1, top1_low, top1_high, top5."""
    rows = []
    for name, figures in per.items():
        n = int(figures["n"])
        low, high = wilson(figures["top1"] * n, n)
        rows.append((name, n, figures["top1"], low, high, figures["top5"]))
    table = pd.DataFrame(rows, columns=["group", "n", "top1", "top1_low", "top1_high", "top5"])
    return table.sort_values(["top1", "n"], ascending=False, ignore_index=True)


def _nothing_in(table: pd.DataFrame) -> bool:
    return set(table["group"]) <= {NONE}


def _links(evaluation: Evaluation, column: str, groups: Sequence[str]) -> list[str]:
    parted = (
        "train" in catalog.info(evaluation.choice.dataset).splits
    )  # else we part it, and no filter says how
    base = Cohort(evaluation.choice.dataset, split=(evaluation.choice.split,) if parted else ())
    if evaluation.choice.labels == "human":
        base = base.with_(label_kind=("human",))
    return [link(base.with_(**{column: (str(group),)})) for group in groups]


def _dots(
    evaluation: Evaluation, table: pd.DataFrame, names: list[str], colours: list[str], links: list[str],
    name: str, heading: str, what: str, explanation: str, source: str,
) -> Display:  # fmt: skip
    """Top-1 of each group on one scale, with its interval, and a paper's beside it where there is one."""
    enough = table[table.n >= FEW]
    if len(table) == 1:
        title = f"Only {names[0]}: top-1 {percent(table.top1[0])}"
    elif len(enough) > 1:
        spread = enough.top1.max() - enough.top1.min()
        best, worst = names[int(enough.index[0])], names[int(enough.index[-1])]  # the table is sorted
        title = f"Top-1 from {percent(enough.top1.min())} ({worst}) to {percent(enough.top1.max())} ({best})"
        explanation += f" The spread is {100 * spread:.1f} points" + (
            "." if len(enough) == len(table) else f" among those of {FEW} products or more."
        )
    else:
        title = f"Most {what} have too few products for a comparison"
    labels = [f"{label} · {n:,}" for label, n in zip(bar_names(names, 24), table.n, strict=True)]

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        hover = [
            f"{label}: top-1 {100 * row.top1:.1f}% ({100 * row.top1_low:.1f} to {100 * row.top1_high:.1f}), top-5 {100 * row.top5:.1f}%"
            for label, row in zip(labels, rows_of(table), strict=True)
        ]
        figure.add_scatter(
            x=table.top1, y=labels, mode="markers", name="here", customdata=links,
            marker={"size": 11, "color": colours}, text=hover, hovertemplate="%{text}<extra></extra>",
            error_x={"type": "data", "symmetric": False, "array": table.top1_high - table.top1,
                     "arrayminus": table.top1 - table.top1_low, "thickness": 1.6, "width": 4, "color": theme.GREY},
        )  # fmt: skip
        if "paper_top1" in table and table.paper_top1.notna().any():
            figure.add_scatter(
                x=table.paper_top1, y=labels, mode="markers", name="paper",
                marker={"symbol": "diamond-open", "size": 10, "color": theme.GREY, "line": {"width": 1.8}},
                hovertemplate="paper: %{x:.1%}<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(table), 150),
            yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
            xaxis={"title": {"text": "top-1"}, "tickformat": ".0%"},
        )  # fmt: skip
        return figure

    values = {"n": int(table.n.sum()), "groups": len(table)}
    return Display(name, heading, title, explanation, subject(evaluation), table, draw, values, source=source)


def reliability(evaluation: Evaluation) -> Display:
    """Reliability diagram: confidence against accuracy."""
    table = pd.DataFrame(
        evaluation.report["reliability"], columns=["low", "high", "n", "confidence", "accuracy"]
    )
    error = evaluation.report["calibration_error"]
    explanation = (
        "A model is calibrated if, of products predicted with 80% confidence, 80% are correct. Each point is the "
        "products of one bin of confidence; below the line the model is overconfident, above it underconfident. The expected "
        "calibration error is the mean distance from the line, bins weighted by their number of products."
    )
    if table.empty or error is None:
        return nothing(
            "calibration", "Calibration", explanation, subject(evaluation), "There are no predictions."
        )
    gap = float(np.average(table.confidence - table.accuracy, weights=table.n))
    way = (
        "overconfident"
        if gap > 0.01
        else "underconfident"
        if gap < -0.01
        else "neither overconfident nor underconfident"
    )
    ends = [wilson(row.accuracy * row.n, row.n) for row in rows_of(table)]
    table["accuracy_low"], table["accuracy_high"] = ([end[side] for end in ends] for side in (0, 1))

    def draw() -> go.Figure:
        from plotly.subplots import make_subplots

        figure = make_subplots(
            rows=2, cols=1, shared_xaxes=True, row_heights=[0.74, 0.26], vertical_spacing=0.06
        )
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": theme.GREY, "dash": "dot"},
        )  # fmt: skip
        hover = [
            f"{row.n:,} products, confidence {100 * row.confidence:.1f}%, accuracy {100 * row.accuracy:.1f}%"
            for row in rows_of(table)
        ]
        figure.add_scatter(
            x=table.confidence, y=table.accuracy, mode="lines+markers", showlegend=False,
            marker={"size": 9, "color": theme.BLUE}, line={"color": theme.BLUE}, text=hover,
            error_y={"type": "data", "symmetric": False, "array": table.accuracy_high - table.accuracy,
                     "arrayminus": table.accuracy - table.accuracy_low, "color": theme.GREY, "thickness": 1.4, "width": 3},
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
        figure.add_bar(
            x=(table.low + table.high) / 2, y=table.n, width=0.95 * (table.high - table.low), row=2, col=1,
            marker_color=theme.SKY, showlegend=False, text=hover, textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=480, xaxis={"range": [0, 1]}, yaxis={"title": {"text": "right"}, "range": [0, 1.02], "tickformat": ".0%"},
            xaxis2={"title": {"text": "confidence: probability of the predicted class"}, "range": [0, 1], "tickformat": ".0%"},
            yaxis2={"title": {"text": "products"}, "rangemode": "tozero"},
        )  # fmt: skip
        return figure

    title = f"Expected calibration error {100 * error:.1f}%: {way}"
    source = "Guo et al. 2017, arXiv:1706.04599, equation 3"
    return Display(
        "calibration",
        "Calibration",
        title,
        explanation,
        subject(evaluation),
        table,
        draw,
        {"ece": error},
        source=source,
    )


def rows_of(table: pd.DataFrame) -> list[Any]:
    """The rows of a table, with columns as attributes."""
    return list(table.itertuples())


def figures(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Every headline figure: figure, value, low, high (95 percent; None where there is none), interval, meaning."""
    report = evaluation.report

    def row(key: str, figure: str, meaning: str, interval: str = "") -> dict[str, Any]:
        low, high = report.get(f"{key}_{interval}") or (None, None) if interval else (None, None)
        return {"figure": figure, "value": report[key], "low": low, "high": high, "meaning": meaning}

    return [
        row("top1", "Top-1", "the most probable class is the label; Wilson interval", "interval"),
        row(
            "top1",
            "Top-1 (bootstrap)",
            "the same, with a bootstrap interval",
            "bootstrap",
        ),
        row(
            "top5", "Top-5", "the label is among the five most probable classes; Wilson interval", "interval"
        ),
        row(
            "f1_macro",
            "F1, macro",
            "precision and recall together, each class alike; no interval that was tried holds it",
        ),
        row("f1_weighted", "F1, weighted", "the same, classes weighted by their number of products"),
        row("ap_macro", "AP, macro", "area under the precision-recall curve, averaged over classes"),
        row("ap_weighted", "AP, weighted", "the same, classes weighted by their number of products"),
        row("ap_micro", "AP, micro", "the same, pooled over all pairs of product and class"),
        row(
            "calibration_error",
            "Calibration error",
            "expected calibration error: confidence against accuracy, by bins",
        ),
    ]
