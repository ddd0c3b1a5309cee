"""A map without WebGL: a simpler chart of a sample of products; its lasso counts all products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.catalog.cohort import CORNERS, Cohort
from core.catalog.info import DatasetInfo
from core.catalog.map_files import Map
from core.statistics import theme
from core.statistics.colouring import DARK_RAMP, LIGHT_RAMP, Colouring, ramp
from pages.components.map import map_view
from pages.resources import maps, products

if TYPE_CHECKING:
    import plotly.graph_objects as go

POINTS = 5_000  # that a chart without WebGL draws in a second
LABELS = 14
HEIGHT_PX = 620
WHY = {
    "absent": "This browser has no WebGL",
    "lost": "The graphics context of this device was lost",
    "unloaded": "The map's script could not be loaded",
}


def show(info: DatasetInfo, drawn: Map, cohort: Cohort, colour: Colouring, hits: Sequence[int]) -> None:
    """Draw the chart; a lasso or a click changes the address and runs the page again."""
    why = WHY.get(st.session_state[map_view.WITHOUT], "WebGL could not draw the map")
    there = maps.shown(info, drawn.name)
    rows = _sample(there, hits)
    some = "all" if len(rows) == np.count_nonzero(there) else f"{len(rows):,} of"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{why}, so this is a simpler map with {some} {np.count_nonzero(there):,} products, chosen at random. "
            "A lasso or box still counts every product inside."
        )
        st.button("Try WebGL again", on_click=lambda: st.session_state.pop(map_view.WITHOUT, None))
    _say_chosen(info, cohort)
    lit = products.table(info.name).mask(cohort)[rows]
    event = st.plotly_chart(
        _figure(
            drawn,
            colour,
            rows,
            lit,
            hits,
            cohort.area,
            maps.labels(info, drawn.name),
            st.context.theme.type == "dark",
        ),
        theme=None,
        key=f"plain-{info.name}-{drawn.name}-{colour.column}-{st.session_state.get('plain-times', 0)}",
        on_select="rerun",
        selection_mode=("points", "lasso", "box"),
        config={
            "displaylogo": False,
            "scrollZoom": True,
            "modeBarButtonsToRemove": ["toImage", "autoScale2d"],
        },
        alt=f"Map of {len(rows):,} products of {info.name}",
    )
    _take(info, event["selection"])


def _sample(there: NDArray[np.bool_], hits: Sequence[int]) -> NDArray[np.int64]:
    """A random sample of rows with a fixed seed, and the search results."""
    rows = np.flatnonzero(there)
    if len(rows) > POINTS:
        rows = np.random.default_rng(0).choice(rows, POINTS, replace=False)
    return np.union1d(rows, [hit for hit in hits if there[hit]]).astype(np.int64)


def _figure(
    drawn: Map,
    colour: Colouring,
    rows: NDArray[np.int64],
    lit: NDArray[np.bool_],
    hits: Sequence[int],
    area: Sequence[tuple[float, float]],
    named: Sequence[tuple[str, float, float, int]],
    dark: bool,
) -> go.Figure:
    import plotly.graph_objects as go

    points, codes = np.asarray(drawn.points[rows]), colour.codes[rows]
    ink, paper, grid, _ = theme.DARK if dark else theme.LIGHT
    figure = go.Figure()

    def add(chosen: NDArray[np.bool_], name: str, paint: Any, **more: Any) -> None:
        figure.add_scatter(
            x=points[chosen, 0], y=points[chosen, 1], mode="markers", name=name, customdata=rows[chosen],
            marker={"size": 5, "color": paint, **more}, hovertemplate=f"{name}<extra></extra>",
        )  # fmt: skip

    if not lit.all():
        add(~lit, "not selected", grid)
    if colour.entries:
        for place, entry in enumerate(colour.entries):
            if (mine := lit & (codes == place)).any():
                # Plotly reads markup in names: a bracket of the data is not one.
                add(mine, entry.label.replace("<", "‹")[:60], entry.dark if dark else entry.colour)
    else:
        steps = ramp(DARK_RAMP if dark else LIGHT_RAMP)
        add(lit, colour.title, [steps[code] for code in codes[lit]])
    if found := [hit for hit in hits if hit in set(rows.tolist())]:
        add(
            np.isin(rows, found),
            "search result",
            theme.RED,
            symbol="star",
            line={"width": 1, "color": ink},
        )
        figure.data[-1].marker.size = 12
    for label, x, y, _ in named[:LABELS]:
        figure.add_annotation(
            x=x, y=y, text=label.replace("<", "‹")[:40], showarrow=False,
            font={"size": 13, "color": ink}, bgcolor=paper, opacity=0.8,
        )  # fmt: skip
    if area:
        corners = [*area, area[0]]
        figure.add_scatter(
            x=[x for x, _ in corners], y=[y for _, y in corners], mode="lines", name="lasso", hoverinfo="skip",
            line={"color": ink, "width": 2},
        )  # fmt: skip
    figure.update_layout(
        template=theme.template(dark), height=HEIGHT_PX, dragmode="lasso", margin={"l": 0, "r": 0, "t": 40, "b": 0},
        legend={"itemsizing": "constant"},
    )  # fmt: skip
    figure.update_xaxes(visible=False, fixedrange=False)
    figure.update_yaxes(visible=False, fixedrange=False, scaleanchor="x")
    return figure


def _take(info: DatasetInfo, selection: Mapping[str, Any]) -> None:
    """Apply a lasso, a box or a click. The chart's key changes, which clears its own selection."""
    corners: list[tuple[float, float]] = []
    for drawn in (*selection.get("lasso", ()), *selection.get("box", ())):
        xs, ys = drawn["x"], drawn["y"]
        if len(xs) == 2:  # a box's opposite corners
            xs, ys = [xs[0], xs[1], xs[1], xs[0]], [ys[0], ys[0], ys[1], ys[1]]
        kept = np.unique(np.linspace(0, len(xs) - 1, min(len(xs), CORNERS)).astype(int))
        corners = [(float(xs[at]), float(ys[at])) for at in kept]
    clicked = [point["customdata"] for point in selection.get("points", ()) if "customdata" in point]
    if not corners and not clicked:
        return
    st.session_state["plain-times"] = st.session_state.get("plain-times", 0) + 1
    if len(corners) >= 3:
        map_view.take_area(corners)
    elif clicked:
        map_view.open_product(info, clicked[0][0] if isinstance(clicked[0], list) else clicked[0])
    st.rerun()


def _say_chosen(info: DatasetInfo, cohort: Cohort) -> None:
    chosen = map_view.counted(info, cohort)
    if chosen is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if not chosen["count"]:
            st.markdown("**No products inside.**")
        else:
            st.markdown(f"**{chosen['count']:,} of {chosen['of']:,} products**")
            st.link_button(f"Open {chosen['count']:,} in Browse", chosen["browse"], type="primary")
            st.link_button("Open in Statistics", chosen["statistics"])
        st.button("Clear the lasso", on_click=map_view.take_area, args=((),))
