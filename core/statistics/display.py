"""The result of a statistic: a table, a chart, and their texts."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pandas as pd

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

TITLE_WIDTH = 40  # characters per line: the width of a phone at the title's size
LABEL_WIDTH = 34  # characters of a category's name beside a bar
BAR_HEIGHT_PX = 22
MOST_LEGEND = 3  # entries above a chart; more are placed below


@dataclass(frozen=True)
class Display:
    """A statistic of a cohort."""

    name: str  # in downloads and URLs: lower case, hyphens
    heading: str  # the subject, the same for every dataset
    title: str  # the finding for this dataset
    explanation: str  # one sentence
    shown: str  # description of the cohort
    table: pd.DataFrame
    draw: Callable[[], go.Figure] | None = field(repr=False, default=None)
    values: dict[str, Any] = field(default_factory=dict)  # single numbers, for the command line
    notes: tuple[str, ...] = ()  # omissions and approximations
    source: str = ""
    cannot: str = ""  # reason why there is no chart

    def frame(self) -> pd.DataFrame:
        """A copy of the table."""
        return self.table.copy()

    def figure(self, dark: bool = False) -> go.Figure:
        """The chart in the app's template, or the reason why there is none."""
        import plotly.graph_objects as go

        if self.cannot or self.draw is None:
            figure = go.Figure()
            figure.add_annotation(text=lines(self.cannot), showarrow=False, align="left", font={"size": 14})
            figure.update_layout(height=220, xaxis={"visible": False}, yaxis={"visible": False})
        else:
            figure = self.draw()
        title = lines(self.title)
        rows = title.count("<br>") + 1
        named = [
            trace for trace in figure.data if trace.name and getattr(trace, "showlegend", None) is not False
        ]
        below = len(named) > MOST_LEGEND  # a long legend would cover the title of a narrow chart
        legend = 26 if 1 < len(named) <= MOST_LEGEND else 6
        top = 24 + 20 * rows + 18 + legend
        figure.update_layout(
            template=theme.template(dark),
            title={"text": title, "subtitle": {"text": plain(shorten(self.shown, 56))}},
            margin={"t": top},
        )
        if figure.layout.height:
            extra = 20 * (rows - 1) + (24 * -(-len(named) // 3) if below else 0)
            figure.update_layout(height=figure.layout.height + extra)
            if below:
                y = -75 / max(100, figure.layout.height - top - 75 - 24 * -(-len(named) // 3))
                figure.update_layout(legend={"y": y, "yanchor": "top"})
        return figure


def nothing(name: str, heading: str, explanation: str, shown: str, why: str, **more: Any) -> Display:
    """A display without a chart, with the reason."""
    table = more.pop("table", pd.DataFrame())
    return Display(name, heading, more.pop("title", heading), explanation, shown, table, cannot=why, **more)


def shown(products: Products, cohort: Cohort | None, rows: int | None = None) -> str:
    """Describe the products of a chart."""
    words = "all products" if cohort is None else cohort.describe()
    count = "" if rows is None else f" · {rows:,} product{'' if rows == 1 else 's'}"
    return f"{products.info.name}: {words}{count}"


def plain(text: object) -> str:
    """Escape text of a dataset for Plotly.

    >>> plain("</script>")
    '&lt;/script&gt;'
    """
    return html.escape(str(text), quote=False)


def shorten(text: object, width: int = LABEL_WIDTH) -> str:
    """Truncate to `width` characters.

    >>> shorten("womens-tops-tank-tops-and-t-shirts", 12)
    'womens-tops…'
    """
    words = str(text)
    return words if len(words) <= width else words[: width - 1] + "…"


def bar_names(labels: Sequence[object], width: int = LABEL_WIDTH) -> list[str]:
    """Labels for an axis: truncated, escaped and unique (Plotly merges bars with equal labels).

    >>> bar_names(["summer dresses", "summer shoes"], 8)
    ['summer …', 'summer … (2)']
    """
    seen: dict[str, int] = {}
    names = []
    for label in labels:
        name = plain(shorten(label, width))
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def lines(text: str, width: int = TITLE_WIDTH) -> str:
    """Wrap text for Plotly."""
    return "<br>".join(plain(line) for line in textwrap.wrap(text, width)) or plain(text)


def link(cohort: Cohort) -> str:
    """A cohort as the query of a URL, stored in a bar for clicks."""
    return urlencode(cohort.to_query(), doseq=True)


def linked(cohort: Cohort | None, products: Products, changes: Sequence[dict[str, Any] | None]) -> list[str]:
    """`link` of the cohort with each of `changes`; empty for None."""
    base = cohort or Cohort(products.info.name)
    return ["" if change is None else link(base.with_(**change)) for change in changes]


def percent(share: float) -> str:
    """Format a fraction for a title.

    >>> percent(0.314), percent(0.004), percent(0), percent(1), percent(0.9996)
    ('31%', '0.4%', '0%', '100%', '99.96%')
    """
    if share in (0, 1):
        return f"{share:.0%}"
    if share > 0.995:
        return f"{min(100 * share, 99.99):.2f}%"
    return f"{share:.0%}" if share >= 0.0995 else f"{100 * share:.2g}%"


def bar_height(bars: int, extra_px: int = 110) -> int:
    """Height of a chart of horizontal bars in pixels."""
    return extra_px + max(bars, 3) * BAR_HEIGHT_PX
