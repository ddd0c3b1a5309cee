"""The leaderboard as a picture: each submission's accuracy with its interval, and its range of ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.benchmark.leaderboard import Board
from core.benchmark.ranking import spoken
from core.statistics import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST = 30  # rows
NAME_CHARACTERS = 34


def accuracies(board: Board, dark: bool = False) -> go.Figure:
    """Top-1 of the best ranked submissions, with 95% intervals; the range of ranks stands behind each name."""
    import plotly.graph_objects as go

    rows = [row for row in board.rows if row.first is not None][:MOST][::-1]
    values = [100 * row.report["top1"] for row in rows]
    low = [100 * row.report["top1_interval"][0] for row in rows]
    high = [100 * row.report["top1_interval"][1] for row in rows]
    names = [f"{_brief(row.submission.name)}   {spoken(row.first or 1, row.last or 1)}" for row in rows]
    places = list(range(len(rows)))
    figure = go.Figure(
        go.Scatter(
            x=values, y=places, mode="markers", marker={"size": 11, "color": theme.BLUE},
            error_x={
                "type": "data", "symmetric": False, "array": [b - v for b, v in zip(high, values, strict=True)],
                "arrayminus": [v - a for a, v in zip(low, values, strict=True)], "thickness": 2, "width": 0,
            },
            hovertemplate="%{x:.1f}%<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        template=theme.template(dark), height=90 + 30 * len(rows), showlegend=False,
        margin={"l": 10, "r": 20, "t": 10, "b": 40},
    )  # fmt: skip
    figure.update_xaxes(title_text="Top-1, %")
    figure.update_yaxes(
        tickmode="array",
        tickvals=places,
        ticktext=names,
        range=[-0.6, len(rows) - 0.4],
        automargin=True,
        zeroline=False,
    )
    return figure


def _brief(name: str) -> str:
    """A name as Plotly shows it as text: it reads a few HTML tags."""
    cut = name if len(name) <= NAME_CHARACTERS else name[: NAME_CHARACTERS - 1] + "…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
