"""Charts of duplicates: overview of detectors, matrix of splits, precision by threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core.duplicates.detectors import detector
from core.duplicates.judging import Precision
from core.duplicates.leakage import Leakage
from core.statistics.theme import BLUE, GREY, ORANGE, template

if TYPE_CHECKING:
    import plotly.graph_objects as go


def overview(found: Sequence[Leakage], sizes: Mapping[str, int], dark: bool = False) -> go.Figure:
    """Products with a duplicate in another split, and in their own only, by detector."""
    import plotly.graph_objects as go

    total = sum(sizes.values())
    titles = [detector(one.detector).title for one in found]
    leaking = [sum(one.leaking.values()) for one in found]
    alone = [one.own_only for one in found]
    figure = go.Figure()
    for name, values, colour in (
        ("in another split", leaking, ORANGE),
        ("in its own split only", alone, BLUE),
    ):
        figure.add_bar(
            y=titles, x=values, name=name, orientation="h", marker_color=colour,
            hovertemplate="%{y}: %{x:,} products have a duplicate " + name + "<extra></extra>",
        )  # fmt: skip
    ends = [sum(pair) for pair in zip(leaking, alone, strict=True)]
    figure.add_scatter(  # beside the bars, since narrow bars have no space for text
        y=titles, x=ends, mode="text", textposition="middle right", cliponaxis=False, hoverinfo="skip", showlegend=False,
        text=[f" {across:,} + {own:,}" for across, own in zip(leaking, alone, strict=True)],
    )  # fmt: skip
    figure.update_layout(
        template=template(dark), barmode="stack", height=110 + 46 * len(titles),
        margin={"l": 8, "r": 24, "t": 40, "b": 8},
        xaxis={"title": f"products, of {total:,}", "range": [0, 1.35 * max(1, *ends)]}, yaxis={"autorange": "reversed"},
    )  # fmt: skip
    return figure


def matrix(found: Leakage, sizes: Mapping[str, int], dark: bool = False) -> go.Figure:
    """Rows: splits. Columns: where their products have a duplicate."""
    import plotly.graph_objects as go

    names = list(sizes)
    counts = [
        [
            found.within[row]["products"] if row == column else found.across[row, column]["products"]
            for column in names
        ]
        for row in names
    ]
    shares = [[count / max(1, sizes[row]) for count in line] for row, line in zip(names, counts, strict=True)]
    text = [
        [f"{count:,}<br>{share:.1%}" for count, share in zip(*lines, strict=True)]
        for lines in zip(counts, shares, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=shares, x=[f"in {name}" for name in names], y=names, text=text, texttemplate="%{text}",
            zmin=0, zmax=max(0.2, *(max(line) for line in shares)), showscale=False,
            xgap=3, ygap=3, hovertemplate="%{y} %{x}: %{text}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        template=template(dark), height=90 + 90 * len(names), margin={"l": 8, "r": 8, "t": 40, "b": 8},
        yaxis={"autorange": "reversed", "showgrid": False}, xaxis={"side": "top", "showgrid": False},
    )  # fmt: skip
    return figure


def precision_curve(points: Sequence[Precision], key: str, at: float, dark: bool = False) -> go.Figure:
    """The precision at each threshold, from judgements, with its 95% interval."""
    import plotly.graph_objects as go

    judged = [point for point in points if point.precision is not None]
    figure = go.Figure()
    figure.add_scatter(
        x=[point.threshold for point in judged], y=[point.precision for point in judged], mode="lines+markers",
        line={"color": BLUE}, marker={"size": 8},
        error_y={
            "type": "data", "symmetric": False, "color": GREY, "thickness": 1.5, "width": 5,
            "array": [point.high - (point.precision or 0) for point in judged],
            "arrayminus": [(point.precision or 0) - point.low for point in judged],
        },
        customdata=[[point.judged, point.low, point.high, point.pairs] for point in judged],
        hovertemplate="threshold %{x}: %{y:.0%} (%{customdata[1]:.0%} to %{customdata[2]:.0%}), "
        "%{customdata[0]} judged of %{customdata[3]:,} pairs<extra></extra>",
    )  # fmt: skip
    kind = detector(key)
    figure.add_vline(x=at, line={"color": ORANGE, "dash": "dot"})
    figure.update_layout(
        template=template(dark), height=300, margin={"l": 8, "r": 12, "t": 20, "b": 8}, showlegend=False,
        xaxis={"title": "threshold (stricter to the left)", "autorange": "reversed" if kind.exact > kind.loosest else True},
        yaxis={"title": "true duplicates", "range": [0, 1.02], "tickformat": ".0%"},
    )  # fmt: skip
    return figure
