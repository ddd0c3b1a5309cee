"""A statistic on a page: chart, explanation, table, downloads, and links to its products."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.catalog.spreadsheets import frame_csv
from core.statistics.display import Display
from core.statistics.queue import Pending
from pages.components.shared.markdown import plain
from pages.resources import products, statistics

WAIT_S = 0.3  # for all charts of a page together; slower ones appear when they are ready
ROWS = 1_000  # of a table on the page; the download has all
FORMATS = ("PNG", "SVG")


@dataclass(frozen=True)
class ChartSpec:
    """A statistic and its choices: names and numbers alone, so that two visitors share the answer."""

    make: Callable[..., Display]
    choices: tuple[Any, ...] = ()

    def name(self) -> str:
        return f"{self.make.__module__}.{self.make.__name__}{self.choices}"

    def slug(self) -> str:
        """The name in letters, digits and hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", self.name().lower().removeprefix("core.statistics.")).strip("-")


def show(info: DatasetInfo, cohort: Cohort, charts: Sequence[ChartSpec]) -> None:
    """Draw statistics one below the other. All start at once; a slow one shows a placeholder first."""
    until = time.monotonic() + WAIT_S
    for order in charts:
        _ask(info, cohort, order, 0)
    for order in charts:
        with st.container(border=True, key=f"chart-{order.slug()}"):
            display = _ask(info, cohort, order, max(0.0, until - time.monotonic()))
            if isinstance(display, Pending):
                _wait_for(info, cohort, order)
            else:
                draw(info, display, order.name(), f"figure {order.name()} {cohort.to_query()}")


def _ask(info: DatasetInfo, cohort: Cohort, order: ChartSpec, wait_s: float) -> Display | Pending:
    key = (
        order.name(),
        cohort,
        info.name,
        info.fingerprint,
        info.created,
        statistics.measured_at(info),
        products.map_version(cohort),
    )
    make = partial(order.make, products.table(info.name), cohort, *order.choices)
    return statistics.displays().get(key, make, wait_s)


@st.fragment(run_every=1.0)
def _wait_for(info: DatasetInfo, cohort: Cohort, order: ChartSpec) -> None:
    """The placeholder of a chart that is being computed."""
    display = _ask(info, cohort, order, 0)
    if isinstance(display, Display):
        st.rerun()
    st.skeleton(height=160)
    st.caption(
        f"Counting {info.rows:,} products for {display.seconds:.0f} s. The result is cached with the dataset."
    )


def draw(info: DatasetInfo, display: Display, name: str, key: str) -> None:
    """One display: heading, chart, sentence, table, download.

    Args:
        name: unique on the page.
        key: of the chart; it changes with the products, so that an old selection is dropped.
    """
    st.subheader(display.heading, anchor=False)
    if display.cannot:
        st.info(plain(display.cannot))
    else:
        _figure(display, key)
    st.caption(plain(" ".join([display.explanation, *display.notes])))
    if display.table.empty:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Table"):
            st.dataframe(
                display.table.head(ROWS),
                hide_index=True,
                width=640,
                height="content" if len(display.table) < 12 else 420,
            )
            if len(display.table) > ROWS:
                st.caption(f"The first {ROWS:,} of {len(display.table):,} rows; the download has all.")
        st.download_button(
            "CSV", partial(_csv, display), f"{info.name}-{display.name}.csv", "text/csv",
            key=f"csv {name}", on_click="ignore",
        )  # fmt: skip
        if display.source:
            st.caption(plain(f"Source: {display.source}."))


def _csv(display: Display) -> bytes:
    return frame_csv(display.table)


def _figure(display: Display, key: str) -> None:
    kind = str(st.session_state.get("picture-format", FORMATS[0])).lower()
    config = {
        "displaylogo": False,
        "displayModeBar": "hover",
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {
            "format": kind,
            "filename": display.name,
            "scale": 2 if kind == "png" else 1,
        },
    }
    figure = display.figure(dark=st.context.theme.type == "dark")
    clickable = any(_link(trace.customdata) for trace in figure.data if trace.customdata is not None)
    event = st.plotly_chart(
        figure, theme=None, key=key, config=config, alt=display.title,
        on_select="rerun" if clickable else "ignore", selection_mode="points",
    )  # fmt: skip
    if not clickable:
        return
    points = event["selection"]["points"]  # type: ignore[index]
    query = _link([points[0].get("customdata")]) if points else ""
    if query:
        _go(f"browse?{query}")


def _go(address: str) -> None:
    """Go to another page. `st.switch_page` would drop the filters, which are bound to this page's widgets."""
    st.html(f'<a class="vitrine-go" href="{html.escape(address)}" hidden></a>')  # assets/app.js follows it


def _link(customdata: Any) -> str:
    """The first address in the points' customdata; other charts store numbers there."""
    for entry in customdata:
        while isinstance(entry, list | tuple) and entry:
            entry = entry[0]
        if isinstance(entry, str) and entry.startswith("dataset="):
            return entry
    return ""


def choose_format() -> None:
    """The file format that the charts' camera button saves."""
    st.segmented_control("Save charts as", FORMATS, default=FORMATS[0], required=True, key="picture-format")
