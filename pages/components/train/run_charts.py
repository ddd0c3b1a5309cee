"""Training curves of one or several runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.statistics.theme import COLOURS, template
from core.training.curves import Curve, smoothed

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT_PX, SMALL_PX, LEGEND_PX = 300, 200, 22  # the last: per line of the legend
BURST = (
    3.0  # times the initial loss: the axis ends there, so that a diverging run does not flatten the others
)
WINDOW = 0.02  # share of a curve's points averaged on either side


def dark() -> bool:
    return bool(st.context.theme.type == "dark")


def draw(figure: go.Figure, key: str, alt: str) -> None:
    st.plotly_chart(figure, theme=None, key=key, config={"displayModeBar": False}, alt=alt)


def loss(curves: Mapping[str, Curve]) -> go.Figure:
    """Smoothed loss; for a single run with the raw values behind it."""
    figure = _figure("Loss", curves)
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number]
        if len(curves) == 1:
            figure.add_scatter(
                x=curve.step, y=curve.loss, mode="lines", name="each step",
                line={"color": colour, "width": 1}, opacity=0.5 if dark() else 0.35, hoverinfo="skip",
            )  # fmt: skip
        figure.add_scatter(
            x=curve.step, y=smoothed(curve.loss, max(5, WINDOW * len(curve.loss))), mode="lines",
            name="smoothed" if len(curves) == 1 else name, line={"color": colour, "width": 2.5},
            hovertemplate="step %{x:,}<br>loss %{y:.4g}<extra></extra>",
        )  # fmt: skip
    highest = BURST * max((curve.loss[0] for curve in curves.values() if len(curve.loss)), default=0.0)
    if any((curve.loss > highest).any() for curve in curves.values()):
        figure.update_yaxes(range=[0, highest])
    return figure


def accuracy(curves: Mapping[str, Curve], name: str = "accuracy") -> go.Figure:
    """What validations found, a fraction, called `name`."""
    figure = _figure(f"Validation {name}", curves)
    for number, (of, curve) in enumerate(curves.items()):
        steps, values = zip(*curve.validations, strict=True) if curve.validations else ((), ())
        figure.add_scatter(
            x=steps, y=values, mode="lines+markers", name=of,
            line={"color": COLOURS[number], "width": 2.5}, marker={"size": 8},
            hovertemplate=f"step %{{x:,}}<br>{name} %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(rangemode="tozero", tickformat=".0%")
    return figure


def learning_rate(curve: Curve) -> go.Figure:
    return _line("Learning rate", curve, lambda of: of.learning_rate, "%{y:.2e}")


def throughput(curve: Curve) -> go.Figure:
    return _line("Products per second", curve, lambda of: of.items_per_s, "%{y:,.0f} products/s")


def _line(title: str, curve: Curve, values: Callable[[Curve], NDArray[np.float64]], says: str) -> go.Figure:
    figure = _figure(title, {"": curve}, SMALL_PX)
    figure.add_scatter(
        x=curve.step, y=values(curve), mode="lines", line={"color": COLOURS[0], "width": 2},
        hovertemplate=f"step %{{x:,}}<br>{says}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(rangemode="tozero")
    return figure


def _figure(title: str, curves: Mapping[str, Curve], height: int = HEIGHT_PX) -> go.Figure:
    """An empty chart over the steps of all curves; several curves get a legend below."""
    import plotly.graph_objects as go

    below = LEGEND_PX * len(curves) if len(curves) > 1 else 0
    last = max((int(curve.step[-1]) for curve in curves.values() if len(curve.step)), default=1)
    figure = go.Figure()
    figure.update_layout(
        template=template(dark()),
        title={"text": title},
        height=height + below,
        showlegend=bool(below),
        margin={"t": 44, "b": 56 + below} if below else {"t": 44},
        xaxis={"title": {"text": "step"}, "tickformat": ",d", "range": [0, 1.02 * last], "tick0": 0},
        legend={"orientation": "v", "yref": "container", "y": 0, "yanchor": "bottom"},
        uirevision="same",
    )
    return figure
