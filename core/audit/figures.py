"""Charts of audits: shares with their intervals, confusion between given and right labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.catalog.cohort import path_from_text
from core.statistics.display import shorten
from core.statistics.theme import BLUE, DARK, GREY, LIGHT, colours, template

if TYPE_CHECKING:
    import plotly.graph_objects as go

ROW_PX = 30
MOST_CLASSES = 24  # of a confusion that is drawn; the table has all


@dataclass(frozen=True)
class Line:
    """One row of a chart of shares."""

    name: str
    share: Mapping[str, Any]  # core.audit.shares.Share.as_dict, or estimate, low, high and n alone
    value: str = ""  # what decides its colour: a country, a kind of label


def shares(lines: Sequence[Line], dark: bool = False, overall: float | None = None) -> go.Figure:
    """A dot with its 95% interval for each line; the thin line is the interval that holds however often one looks."""
    import plotly.graph_objects as go

    names = [shorten(line.name, 28) for line in lines]
    found = [line.share for line in lines]
    colour = (
        colours([line.value for line in lines]) if any(line.value for line in lines) else [BLUE] * len(lines)
    )
    quiet = (DARK if dark else LIGHT)[3]
    figure = go.Figure()
    for name, share in zip(names, found, strict=True):
        if share.get("anytime_low") is not None and share["estimate"] is not None:
            figure.add_scatter(
                x=[share["anytime_low"], share["anytime_high"]], y=[name, name], mode="lines", hoverinfo="skip",
                line={"width": 1.2, "color": quiet}, showlegend=False,
            )  # fmt: skip
    known = [at for at, share in enumerate(found) if share["estimate"] is not None]
    estimates = [found[at]["estimate"] for at in known]
    figure.add_scatter(
        x=estimates, y=[names[at] for at in known], mode="markers", showlegend=False,
        marker={"size": 11, "color": [colour[at] for at in known]},
        error_x={
            "type": "data", "symmetric": False, "thickness": 4, "width": 0, "color": quiet,
            "array": [found[at]["high"] - value for at, value in zip(known, estimates, strict=True)],
            "arrayminus": [value - found[at]["low"] for at, value in zip(known, estimates, strict=True)],
        },
        customdata=[[found[at]["low"], found[at]["high"], found[at]["n"]] for at in known],
        hovertemplate="%{y}: %{x:.1%}, 95% interval %{customdata[0]:.1%} to %{customdata[1]:.1%}, %{customdata[2]:,} reviewed<extra></extra>",
    )  # fmt: skip
    if overall is not None:
        figure.add_vline(x=overall, line={"color": GREY, "width": 1, "dash": "dot"})
    least = min((share["low"] for share in found if share["estimate"] is not None), default=0.0)
    figure.update_layout(
        template=template(dark), height=80 + ROW_PX * max(1, len(lines)), margin={"l": 8, "r": 16, "t": 16, "b": 8},
        xaxis={"tickformat": ".0%", "range": [max(0.0, np.floor(least * 10 - 0.5) / 10), 1.005], "title": "labels that are right"},
        yaxis={"autorange": "reversed", "showgrid": False, "categoryorder": "array", "categoryarray": names},
    )  # fmt: skip
    return figure


def confusion(table: Mapping[str, Mapping[str, float]], dark: bool = False) -> go.Figure:
    """Rows: labels that the dataset gives. Columns: what people say. Shares of the row; the diagonal is right.

    Args:
        table: given label -> what people say, which may be no class of the dataset, such as "(ambiguous)" -> products.
    """
    import plotly.graph_objects as go

    given = sorted(sorted(table, key=lambda name: -sum(table[name].values()))[:MOST_CLASSES])
    said = Counter[str]()
    for name in given:
        said.update({true: int(count) for true, count in table[name].items()})
    others = [true for true, _ in said.most_common(2 * MOST_CLASSES) if true not in given]
    columns = [*given, *sorted(others)]
    counts = np.array([[table[row].get(column, 0) for column in columns] for row in given], float)
    rows = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    brief = [shorten(path_from_text(name)[-1], 20) for name in columns]
    figure = go.Figure(
        go.Heatmap(
            z=share, x=brief, y=brief[: len(given)], zmin=0, zmax=1, xgap=1, ygap=1, showscale=False, customdata=counts,
            text=[[f"{value:.0%}" if value >= 0.005 else "" for value in line] for line in share],
            texttemplate="%{text}" if len(columns) <= 20 else None, textfont={"size": 11},
            hovertemplate="given %{y}, people say %{x}: %{z:.0%} of the row (%{customdata:,.0f})<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        template=template(dark), height=150 + 24 * len(given), margin={"l": 8, "r": 8, "t": 16, "b": 8},
        xaxis={"title": "people say", "showgrid": False, "tickangle": -40},
        yaxis={"title": "label in the dataset", "autorange": "reversed", "showgrid": False},
    )  # fmt: skip
    return figure
