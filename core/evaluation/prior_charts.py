"""Charts of estimated priors: accuracy by country under them, and one country's priors beside the true ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from core.catalog.cohort import path_from_text
from core.schema import COUNTRY_OF_GEO
from core.statistics import theme
from core.statistics.display import Display, bar_height, bar_names, nothing

if TYPE_CHECKING:
    import plotly.graph_objects as go

CLASSES = 15  # of one country's chart
SOURCE = "Saerens et al. 2002; Sipka, Sulc and Matas 2022, arXiv:2106.11695"
STEPS = (
    ("top1", "as trained", theme.GREY, "circle-open"),
    ("top1_estimated", "estimated priors", theme.BLUE, "circle"),
    ("top1_true", "true priors", theme.ORANGE, "diamond-open"),
)
CALIBRATED_ON = {
    "validation": "the labelled products of the validation split",
    "others": "the labelled products of the other countries",
}


def name_of(group: dict[str, Any]) -> str:
    return COUNTRY_OF_GEO.get(group["name"], group["name"]) or "the cohort"


def accuracies(report: dict[str, Any]) -> Display:
    """Top-1 of each country: as trained, adjusted to the estimated priors, adjusted to the true ones."""
    groups = [group for group in report["groups"] if group["top1"] is not None]
    shown = f"{report['run']} on {report['dataset']}, {report['split']} · {report['method']}"
    explanation = (
        "What a country's shops sell is estimated from its products without their labels, and the probabilities are adjusted to it. "
        f"The model is calibrated on {CALIBRATED_ON[report['calibrated_on']]}. True priors are counted from the country's labels: "
        "no estimate can be expected to do better."
    )
    columns = [
        "name",
        "n",
        "top1",
        "top1_calibrated",
        "top1_estimated",
        "top1_true",
        "gain",
        "error_before",
        "error",
    ]
    table = pd.DataFrame([{key: group[key] for key in columns} for group in groups], columns=columns)
    table["gain_low"] = [group["gain_interval"][0] for group in groups]
    table["gain_high"] = [group["gain_interval"][1] for group in groups]
    if table.empty:
        return nothing("priors", "Priors", explanation, shown, "No product here has a label.", table=table)
    total = table.n.sum()
    before, after, best = (float((table[key] * table.n).sum() / total) for key, *_ in STEPS)
    title = f"Top-1 {100 * before:.1f}% as trained, {100 * after:.1f}% with estimated priors, {100 * best:.1f}% with true ones"
    names = [
        f"{label} · {n:,}"
        for label, n in zip(bar_names([name_of(one) for one in groups], 24), table.n, strict=True)
    ]

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        for name, row in zip(names, table.itertuples(), strict=True):
            figure.add_scatter(
                x=[row.top1, row.top1_estimated], y=[name, name], mode="lines", showlegend=False, hoverinfo="skip",
                line={"color": theme.BLUE, "width": 2},
            )  # fmt: skip
        for key, said, colour, symbol in STEPS:
            figure.add_scatter(
                x=table[key], y=names, mode="markers", name=said,
                marker={"size": 11, "color": colour, "symbol": symbol, "line": {"width": 1.8, "color": colour}},
                hovertemplate=f"%{{y}}: %{{x:.1%}} {said}<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(table), 160),
            yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
            xaxis={"title": {"text": "top-1"}, "tickformat": ".0%"},
        )  # fmt: skip
        return figure

    values = {"top1": before, "top1_estimated": after, "top1_true": best}
    return Display(
        "priors", "Priors by country", title, explanation, shown, table, draw, values, source=SOURCE
    )


def priors(report: dict[str, Any], name: str) -> Display:
    """The estimated priors of one target with their intervals, beside the labelled products' and the true ones."""
    group = next(group for group in report["groups"] if group["name"] == name)
    table = pd.DataFrame(group["classes"]).sort_values("prior", ascending=False, ignore_index=True)
    shown = f"{report['run']} on {report['dataset']}, {report['split']} · {group['n']:,} products"
    explanation = (
        "Bars are the estimate, lines its 95% bootstrap interval over products. Grey marks are the shares among the products that "
        "the model is calibrated on; diamonds are the country's own labels, which the estimate does not see."
    )
    top = table.head(CLASSES)
    labels = bar_names([path_from_text(label)[-1] for label in top.label])
    if group["error"] is None:
        title = f"{name_of(group)}: what its shops sell, estimated"
    else:
        title = (
            f"{name_of(group)}: the estimate is {100 * group['error']:.0f} points from the true priors, "
            f"the calibration products' shares {100 * group['error_before']:.0f}"
        )

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_bar(
            x=top.prior, y=labels, orientation="h", name="estimated", marker_color=theme.BLUE,
            error_x={"type": "data", "symmetric": False, "array": top.high - top.prior, "arrayminus": top.prior - top.low,
                     "thickness": 1.4, "width": 3, "color": theme.GREY},
            hovertemplate="%{y}: %{x:.1%} estimated<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=top.source, y=labels, mode="markers", name="calibrated on",
            marker={"symbol": "line-ns-open", "size": 12, "color": theme.GREY, "line": {"width": 2}},
            hovertemplate="%{y}: %{x:.1%} of the labelled products<extra></extra>",
        )  # fmt: skip
        if top.true.notna().any():
            figure.add_scatter(
                x=top.true, y=labels, mode="markers", name="true",
                marker={"symbol": "diamond-open", "size": 10, "color": theme.ORANGE, "line": {"width": 1.8}},
                hovertemplate="%{y}: %{x:.1%} by the labels<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(top), 170),
            yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
            xaxis={"title": {"text": "share of the products"}, "tickformat": ".0%", "rangemode": "tozero"},
        )  # fmt: skip
        return figure

    notes = (f"The {CLASSES} largest of {len(table)} classes.",) if len(table) > CLASSES else ()
    return Display(
        f"priors-{name or 'cohort'}",
        "Priors of one country",
        title,
        explanation,
        shown,
        table,
        draw,
        notes=notes,
        source=SOURCE,
    )
