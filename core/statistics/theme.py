"""The Plotly template of the app: colour-blind-safe colours, light and dark.

Source of the colours: Okabe and Ito 2008, "Color Universal Design", https://jfly.uni-koeln.de/color/;
their yellow is darkened, because it cannot be seen on white paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from core.schema import COUNTRY_OF_GEO

if TYPE_CHECKING:
    import plotly.graph_objects as go

FONT = "Inter, 'Noto Sans SC', 'Noto Sans', sans-serif"

BLUE, ORANGE, GREEN, RED, SKY, PURPLE, YELLOW = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#B5A300",
)  # fmt: skip
GREY = "#8A8F98"
# The seven, then a darker or paler variant of each for further countries.
COLOURS = (
    BLUE, ORANGE, GREEN, RED, SKY, PURPLE, YELLOW,
    "#5C6BC0", "#8D6E63", "#00897B", "#AD1457", "#7CB342", "#546E7A",
)  # fmt: skip

# ink and paper as in .streamlit/config.toml, grid line, quiet text
LIGHT = ("#1C1B19", "#FCFBF9", "#E6E2DA", "#5F5B54")
DARK = ("#EFECE6", "#161513", "#35322D", "#ADA79C")

COLOUR_OF_SPLIT = {"train": BLUE, "test": ORANGE, "validation": GREEN, "none": GREY}
COLOUR_OF_KIND = {"human": BLUE, "machine": RED, "none": GREY}
COLOUR_OF_GEO = dict(zip(COUNTRY_OF_GEO, COLOURS, strict=True))
_FIXED = COLOUR_OF_SPLIT | COLOUR_OF_KIND | COLOUR_OF_GEO

# Default scale, for counts and shares: from the background colour, so that zero is invisible.
SEQUENTIAL = [[0.0, "#EAF3F9"], [0.25, "#A9D0E6"], [0.5, "#56A5CE"], [0.75, "#0072B2"], [1.0, "#00395A"]]
SEQUENTIAL_DARK = [[0.0, "#1F2429"], [0.25, "#0C476B"], [0.5, "#0072B2"], [0.75, "#56A5CE"], [1.0, "#D6EBF7"]]
DIVERGING = [[0.0, "#00507D"], [0.25, "#6BAED6"], [0.5, "#F1F1EF"], [0.75, "#F0A35E"], [1.0, "#A64500"]]


def colour(value: str, position: int = 0) -> str:
    """The fixed colour of a split, a label kind or a country; of other values, by position.

    >>> colour("train"), colour("cz"), colour("shirt", 1)
    ('#0072B2', '#0072B2', '#E69F00')
    """
    return _FIXED.get(value, COLOURS[position % len(COLOURS)])


def colours(values: Sequence[str]) -> list[str]:
    """`colour` of each name; the first thirteen names without a fixed colour differ."""
    return [colour(value, position) for position, value in enumerate(values)]


@cache
def template(dark: bool = False) -> go.layout.Template:
    """The template of every chart."""
    import plotly.graph_objects as go

    ink, paper, grid, quiet = DARK if dark else LIGHT
    sequential = SEQUENTIAL_DARK if dark else SEQUENTIAL
    axis = {
        "gridcolor": grid, "linecolor": grid, "zerolinecolor": grid, "automargin": True, "fixedrange": True,
        "title": {"font": {"size": 13, "color": quiet}, "standoff": 8},
        "tickfont": {"size": 12, "color": ink},
    }  # fmt: skip
    layout = go.Layout(
        font={"family": FONT, "size": 13, "color": ink},
        paper_bgcolor=paper,
        plot_bgcolor=paper,
        colorway=list(COLOURS),
        title={
            "font": {"size": 14, "color": ink}, "x": 0, "xref": "container", "xanchor": "left",
            "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12, "l": 8},
            "subtitle": {"font": {"size": 12, "color": quiet}},
        },
        xaxis=axis,
        yaxis=axis,
        legend={"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "traceorder": "normal",
                "title": {"text": ""}},
        margin={"l": 8, "r": 12, "t": 90, "b": 8},
        hoverlabel={"font": {"family": FONT, "size": 13}},
        hovermode="closest",
        bargap=0.25,
        separators=".,",
        colorscale={"sequential": sequential, "diverging": DIVERGING},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": quiet, "activecolor": ink},
    )  # fmt: skip
    return go.layout.Template(layout=layout, data={"heatmap": [go.Heatmap(colorscale=sequential)]})
