"""Charts of incorrect pairs: similarities, weights, how often one partner is reused, which clusters go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.pairs.table import PairTable
from core.statistics.theme import BLUE, GREEN, GREY, ORANGE, template

if TYPE_CHECKING:
    import plotly.graph_objects as go

BINS = 40
TIMES = (1, 2, 3, 5, 9, 17, 33, 65, 129, 257, 513, 1_025)  # where the bars of reuse begin


def similarities(table: PairTable, dark: bool = False) -> go.Figure:
    """Histograms of S_k, the similarity of the two pictures, and of that of the two texts."""
    import plotly.graph_objects as go

    figure = go.Figure()
    edges = np.linspace(-1, 1, 2 * BINS + 1)
    ends = []
    for values, name, colour in (
        (table.similarity, "pictures", BLUE),
        (table.text_similarity, "texts", ORANGE),
    ):
        counts, _ = np.histogram(np.clip(values[table.paired], -1, 1), edges)
        ends += edges[:-1][counts > 0].tolist()
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2, y=counts, width=edges[1] - edges[0], name=name, marker_color=colour,
            opacity=0.72, hovertemplate=name + " %{x:.2f}: %{y:,} pairs<extra></extra>",
        )  # fmt: skip
    reach = [min(ends, default=-1) - 0.05, max(ends, default=1) + 0.08]
    figure.update_layout(
        template=template(dark), barmode="overlay", bargap=0, height=300, margin={"l": 8, "r": 12, "t": 40, "b": 8},
        xaxis={"title": "cosine similarity of anchor and partner", "range": reach}, yaxis={"title": "pairs"},
    )  # fmt: skip
    return figure


def weighted(table: PairTable, dark: bool = False) -> go.Figure:
    """Histograms of the weights of the correct and the incorrect pairs."""
    import plotly.graph_objects as go

    figure = go.Figure()
    edges = np.linspace(0, 1, BINS + 1)
    for values, name, colour in (
        (table.weight_positive, "of the correct pair", GREEN),
        (table.weight_negative, "of the incorrect pair", GREY),
    ):
        counts, _ = np.histogram(values[table.paired], edges)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2, y=counts, width=edges[1] - edges[0], name=name, marker_color=colour,
            opacity=0.72, hovertemplate="%{x:.2f}: %{y:,} pairs<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        template=template(dark), barmode="overlay", bargap=0, height=300, margin={"l": 8, "r": 12, "t": 40, "b": 8},
        xaxis={"title": "weight", "range": [0, 1]}, yaxis={"title": "pairs"},
    )  # fmt: skip
    return figure


def reuse(times: np.ndarray, dark: bool = False) -> go.Figure:
    """How many products are the partner of one, two, ... anchors.

    Args:
        times: of each distinct partner the anchors that share it.
    """
    import plotly.graph_objects as go

    starts = [start for start in TIMES if start <= max(1, int(times.max(initial=1)))]
    ends = [*(start - 1 for start in starts[1:]), int(times.max(initial=1))]
    counts = [int(((times >= low) & (times <= high)).sum()) for low, high in zip(starts, ends, strict=True)]
    pairs = [
        int(times[(times >= low) & (times <= high)].sum()) for low, high in zip(starts, ends, strict=True)
    ]
    names = [
        f"{low:,}" if low >= high else f"{low:,}–{high:,}" for low, high in zip(starts, ends, strict=True)
    ]
    figure = go.Figure()
    figure.add_bar(
        x=names, y=counts, marker_color=BLUE, text=[f"{count:,}" for count in counts], textposition="outside",
        cliponaxis=False, customdata=pairs,
        hovertemplate="%{y:,} partners of %{x} anchors, %{customdata:,} pairs<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        template=template(dark), height=300, margin={"l": 8, "r": 12, "t": 40, "b": 8}, showlegend=False,
        xaxis={"title": "anchors that share a partner", "type": "category"}, yaxis={"title": "partners"},
    )  # fmt: skip
    return figure


def exchanges(table: PairTable, dark: bool = False) -> go.Figure:
    """Rows: the anchor's cluster of pictures. Columns: its partner's. Cell: the mean similarity of the two pictures."""
    import plotly.graph_objects as go

    count = len(table.described.image_sizes)
    total, sums = np.zeros((count, count)), np.zeros((count, count))
    here = table.paired
    place = (table.image_cluster[here], table.partner_image_cluster[here])
    np.add.at(total, place, 1)
    np.add.at(sums, place, table.similarity[here])
    mean = np.where(total > 0, sums / np.maximum(total, 1), np.nan).round(3) + 0  # no -0
    names = [str(number + 1) for number in range(count)]
    text = (
        [[f"{round(value, 2) + 0:.2f}" if value == value else "" for value in line] for line in mean]
        if count <= 12
        else None
    )
    figure = go.Figure(
        go.Heatmap(
            z=mean, x=names, y=names, text=text, texttemplate="%{text}" if text else None, customdata=total, xgap=2, ygap=2,
            colorbar={"title": {"text": "similarity"}, "thickness": 12},
            hovertemplate="from %{y} to %{x}: %{z:.3f}, %{customdata:,.0f} pairs<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        template=template(dark), height=min(640, 130 + 34 * count), margin={"l": 8, "r": 8, "t": 20, "b": 8},
        xaxis={"title": "cluster of the partner's picture", "type": "category", "showgrid": False},
        yaxis={"title": "cluster of the anchor's picture", "type": "category", "autorange": "reversed", "showgrid": False},
    )  # fmt: skip
    return figure
