"""Charts of the Statistics page as SVG, which needs no script: bars, points, lines and heat maps."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from core.statistics import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

WIDTH = 760  # of the drawing's own unit; the page scales it
BESIDE = 214  # for the names beside horizontal bars
BAND = 19  # height of a category
PLOT_HEIGHT = 250  # of a chart whose vertical axis is a number
MOST_POINTS = 400  # of one series
LETTER = 6.4  # mean width of a letter


@dataclass(frozen=True)
class Axis:
    """One axis: categories by their place, or numbers, linear or logarithmic.

    Attributes:
        names: of the categories, in their order; empty for numbers.
        low, high: ends of the numbers, as logarithms where `log`.
    """

    names: tuple[str, ...]
    low: float
    high: float
    log: bool
    title: str
    share: bool  # numbers are shares, written as percentages
    start: float  # in the drawing
    end: float

    def at(self, value: Any) -> float:
        """Where a value lies in the drawing; NaN where it cannot."""
        if self.names:
            place = (self.names.index(_text(value)) + 0.5) / len(self.names)
        else:
            number = float(value)
            if self.log:
                number = math.log10(number) if number > 0 else math.nan
            place = (number - self.low) / (self.high - self.low)
        return self.start + place * (self.end - self.start)

    @property
    def band(self) -> float:
        """The room of one category, in the drawing."""
        return abs(self.end - self.start) / max(1, len(self.names))

    def ticks(self) -> list[tuple[float, str]]:
        """Places and labels."""
        if self.names:
            every = math.ceil(16 / self.band) if self.band < 16 else 1
            return [(self.at(name), name) for name in self.names[::every]]
        if self.log:
            powers = range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)
            return [(self.at(10.0**power), _number(10.0**power, self.share)) for power in powers]
        step = _step(self.high - self.low)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(self.at(n * step), _number(n * step, self.share)) for n in range(first, last + 1)]


def svg(figure: go.Figure, title: str = "") -> str:
    """A chart as an SVG element; empty where it holds what is not drawn here (trees, clouds of words).

    Args:
        title: what is seen in it, for who cannot see it.
    """
    traces = [trace for trace in figure.data if trace.visible in (None, True)]
    if not traces or any(trace.type not in ("bar", "scatter", "heatmap") for trace in traces):
        return ""
    if not any(len(_values(trace.x)) and len(_values(trace.y)) for trace in traces):
        return ""
    across, up, height = _axes(figure, traces)
    parts = [*_grid(across, up, height), *_lines(figure, across, up)]
    bars = [trace for trace in traces if trace.type == "bar"]
    parts += _bars(bars, figure.layout.barmode or "group", across, up)
    for trace in traces:
        if trace.type == "heatmap":
            parts += _cells(trace, across, up)
        elif trace.type == "scatter":
            parts += _points(trace, across, up)
    parts = [*_legend(traces), *parts]
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{html.escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )


def _values(given: Any) -> list[Any]:
    return [] if given is None else list(given)


def _text(value: Any) -> str:
    """A label as it is read: displays hand Plotly escaped text, with <br> for a new line."""
    return html.unescape(re.sub(r"<br ?/?>", " ", str(value)))


def _cut(text: str, most: int) -> str:
    return html.escape(text if len(text) <= most else text[: most - 1] + "…")


def _number(value: float, share: bool = False) -> str:
    """
    >>> _number(0.25, True), _number(12000.0), _number(0.1)
    ('25%', '12,000', '0.1')
    """
    return f"{100 * value:.4g}%" if share else f"{value:,.10g}" if abs(value) < 1e-3 else f"{value:,.6g}"


def _step(extent: float) -> float:
    """A round distance of ticks: about five of them.

    >>> _step(1.0), _step(37.0)
    (0.2, 10.0)
    """
    rough = extent / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return next(float(nice * power) for nice in (1, 2, 5, 10) if nice * power >= rough * 0.999)


def _axes(figure: go.Figure, traces: Sequence[Any]) -> tuple[Axis, Axis, float]:
    """The horizontal and the vertical axis, and the drawing's height."""
    named = [t for t in traces if t.name and t.showlegend is not False]
    top = 30.0 if len(named) > 1 else 8.0
    names_up, names_across = _names(traces, "y", figure), _names(traces, "x", figure)
    tall = max(60.0, BAND * len(names_up) * (1.0 if len(traces) < 3 else 1.35)) if names_up else PLOT_HEIGHT
    height = top + tall + (74.0 if names_across else 46.0)
    left = BESIDE if names_up else 64.0
    across = _axis(figure, traces, "x", names_across, left, WIDTH - 18.0)
    up = _axis(figure, traces, "y", names_up, top, top + tall)
    if not names_up and figure.layout.yaxis.autorange != "reversed":  # numbers grow upward
        up = Axis(up.names, up.low, up.high, up.log, up.title, up.share, up.end, up.start)
    return across, up, height


def _names(traces: Sequence[Any], side: str, figure: go.Figure) -> tuple[str, ...]:
    """The categories of an axis; none where it holds numbers."""
    found = [value for trace in traces for value in _values(trace[side])]
    kind = figure.layout[f"{side}axis"].type
    if kind == "category" or any(isinstance(value, str) for value in found):
        return tuple(dict.fromkeys(_text(value) for value in found))
    return ()


def _axis(
    figure: go.Figure, traces: Sequence[Any], side: str, names: tuple[str, ...], start: float, end: float
) -> Axis:
    said = figure.layout[f"{side}axis"]
    title, share = _text(said.title.text or ""), bool(said.tickformat and "%" in said.tickformat)
    if names:
        return Axis(names, 0, 1, False, title, share, start, end)
    log = said.type == "log"
    if said.range and None not in said.range:
        low, high = (float(edge) for edge in said.range)
        return Axis((), low, high if high > low else low + 1, log, title, share, start, end)
    numbers = _extent(traces, side, figure.layout.barmode == "stack")
    if log:
        numbers = [math.log10(number) for number in numbers if number > 0] or [0.0, 1.0]
    low, high = min(numbers), max(numbers)
    length = side == ("x" if _horizontal(traces) else "y")
    if length and any(trace.type == "bar" for trace in traces) and not log:
        low, high = min(0.0, low), max(0.0, high)
    elif said.rangemode == "tozero":
        low = min(0.0, low)
    room = 0.04 * (high - low or 1.0)
    low = low if low == 0 or log else low - room
    return Axis((), low, (high if high == 0 else high + room) or low + 1, log, title, share, start, end)


def _horizontal(traces: Sequence[Any]) -> bool:
    return any(trace.type == "bar" and trace.orientation == "h" for trace in traces)


def _extent(traces: Sequence[Any], side: str, stacked: bool) -> list[float]:
    """Every number that an axis must reach."""
    found: list[float] = []
    sums: dict[str, float] = {}
    for trace in traces:
        other = _values(trace["y" if side == "x" else "x"])
        for place, value in enumerate(_values(trace[side])):
            if not _is_number(value):
                continue
            found.append(float(value))
            if stacked and trace.type == "bar":
                key = str(other[place])
                sums[key] = sums.get(key, 0.0) + float(value)
        if trace.type != "heatmap" and (error := trace[f"error_{side}"]) and error.array is not None:
            ends = zip(_values(trace[side]), _values(error.array), strict=False)
            found += [
                float(value) + float(more) for value, more in ends if _is_number(value) and _is_number(more)
            ]
    return [*found, *sums.values()] or [0.0, 1.0]


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _grid(across: Axis, up: Axis, height: float) -> list[str]:
    top, bottom = sorted((up.start, up.end))
    parts = []
    for x, label in across.ticks():
        if across.names:
            turned = len(across.names) > 8 or max(map(len, across.names)) * LETTER > across.band
            place = f"translate({x:.1f},{bottom + 14:.1f})" + (" rotate(-32)" if turned else "")
            anchor = "end" if turned else "middle"
            parts.append(f'<text transform="{place}" text-anchor="{anchor}">{_cut(label, 16)}</text>')
        else:
            parts.append(f'<line class="g" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>')
            parts.append(
                f'<text x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{html.escape(label)}</text>'
            )
    for y, label in up.ticks():
        if not up.names:
            parts.append(
                f'<line class="g" x1="{across.start:.1f}" x2="{across.end:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
        most = int((across.start - 12) / LETTER)
        parts.append(
            f'<text x="{across.start - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{_cut(label, most)}</text>'
        )
    middle = (across.start + across.end) / 2
    if across.title:
        parts.append(
            f'<text class="q" x="{middle:.0f}" y="{height - 8:.1f}" text-anchor="middle">{_cut(across.title, 100)}</text>'
        )
    if up.title and not up.names:
        parts.append(
            f'<text class="q" transform="translate(14,{(top + bottom) / 2:.0f}) rotate(-90)" '
            f'text-anchor="middle">{_cut(up.title, 40)}</text>'
        )
    return parts


def _lines(figure: go.Figure, across: Axis, up: Axis) -> list[str]:
    """Vertical lines that a chart draws at a number, such as the share over all."""
    top, bottom = sorted((up.start, up.end))
    found = [shape for shape in figure.layout.shapes if shape.type == "line" and shape.x0 == shape.x1]
    places = [across.at(shape.x0) for shape in found if not across.names]
    return [
        f'<line class="d" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'
        for x in places
        if math.isfinite(x)
    ]


def _colour_of(trace: Any, place: int, otherwise: str = theme.BLUE) -> str:
    said = trace.marker.color
    if isinstance(said, str):
        return said
    if said is not None and place < len(said) and isinstance(said[place], str):
        return str(said[place])
    return otherwise


def _bars(bars: Sequence[Any], mode: str, across: Axis, up: Axis) -> list[str]:
    parts: list[str] = []
    ends: dict[tuple[str, bool], float] = {}
    sideways = _horizontal(bars)
    along, beside = (across, up) if sideways else (up, across)
    for number, trace in enumerate(bars):
        lengths, places = _values(trace.x if sideways else trace.y), _values(trace.y if sideways else trace.x)
        for place, (length, where) in enumerate(zip(lengths, places, strict=False)):
            if not _is_number(length) or not float(length):
                continue
            key = (_text(where), float(length) >= 0)
            begins = ends.get(key, 0.0) if mode == "stack" else 0.0
            ends[key] = begins + float(length)
            middle, room = _room(beside, where, trace, places)
            if mode == "group" and beside.names:
                room /= len(bars)
                middle += (number - (len(bars) - 1) / 2) * room
            floor = along.start if along.log and begins <= 0 else along.at(begins)
            a, b = sorted((floor, along.at(ends[key])))
            if not math.isfinite(a + b):
                continue
            fill, opacity = _colour_of(trace, place), " opacity='.7'" if not beside.names and number else ""
            box = (a, middle - room / 2, b - a, room) if sideways else (middle - room / 2, a, room, b - a)
            parts.append(
                f'<rect x="{box[0]:.1f}" y="{box[1]:.1f}" width="{max(box[2], 0.6):.1f}" '
                f'height="{max(box[3], 0.6):.1f}" fill="{fill}"{opacity}/>'
            )
            parts += _error(trace, place, along, along.at(ends[key]), middle, sideways)
    return parts


def _room(beside: Axis, where: Any, trace: Any, places: Sequence[Any]) -> tuple[float, float]:
    """The middle of a bar and its width."""
    if beside.names:
        return beside.at(where), 0.78 * beside.band
    width = trace.width
    if width is None or not _is_number(width):
        numbers = sorted({float(place) for place in places})
        width = min((b - a for a, b in pairwise(numbers)), default=1.0)
    return beside.at(where), abs(beside.at(float(where) + float(width)) - beside.at(where))


def _error(trace: Any, place: int, along: Axis, at: float, beside: float, sideways: bool) -> list[str]:
    """The interval of a bar or point; `at` is where its value lies."""
    error = trace.error_x if sideways else trace.error_y
    if error is None or error.array is None:
        return []
    value = _values(trace.x if sideways else trace.y)[place]
    more = _values(error.array)[place]
    less = _values(error.arrayminus)[place] if error.arrayminus is not None else more
    if not (_is_number(more) and _is_number(less)):
        return []
    a, b = along.at(float(value) - float(less)), along.at(float(value) + float(more))
    if not math.isfinite(a + b + at):
        return []
    x1, x2, y1, y2 = (a, b, beside, beside) if sideways else (beside, beside, a, b)
    return [f'<line class="e" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>']


def _points(trace: Any, across: Axis, up: Axis) -> list[str]:
    xs, ys = _values(trace.x), _values(trace.y)
    drawn = [
        (place, across.at(x), up.at(y))
        for place, (x, y) in enumerate(zip(xs, ys, strict=False))
        if (across.names or _is_number(x)) and (up.names or _is_number(y))
    ]
    drawn = [(place, x, y) for place, x, y in drawn if math.isfinite(x + y)]
    drawn = drawn[:: math.ceil(len(drawn) / MOST_POINTS) or 1]
    if "lines" in (trace.mode or ""):
        path = " ".join(f"{x:.1f},{y:.1f}" for _, x, y in drawn)
        colour = trace.line.color or _colour_of(trace, 0)
        return [f'<polyline points="{path}" fill="none" stroke="{html.escape(colour)}" stroke-width="1.6"/>']
    if "markers" not in (trace.mode or "markers"):
        return []
    sideways = trace.error_x is not None and trace.error_x.array is not None
    parts = []
    for place, x, y in drawn:
        parts += _error(
            trace, place, across if sideways else up, x if sideways else y, y if sideways else x, sideways
        )
        fill = html.escape(_colour_of(trace, place))
        if trace.marker.symbol == "diamond":
            parts.append(f'<path d="M{x:.1f} {y - 5:.1f}l4 5l-4 5l-4-5z" fill="{fill}"/>')
        else:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{fill}"/>')
    return parts


def _cells(trace: Any, across: Axis, up: Axis) -> list[str]:
    """A heat map; the share is written into each cell where there is room."""
    parts = []
    shows = across.band > 30
    for y, row in zip(_values(trace.y), _values(trace.z), strict=False):
        for x, value in zip(_values(trace.x), _values(row), strict=False):
            if not _is_number(value):
                continue
            share = min(1.0, max(0.0, float(value)))
            left, top = across.at(x) - across.band / 2, up.at(y) - up.band / 2
            parts.append(
                f'<rect x="{left + 0.5:.1f}" y="{top + 0.5:.1f}" width="{across.band - 1:.1f}" '
                f'height="{up.band - 1:.1f}" fill="{theme.BLUE}" fill-opacity="{0.06 + 0.94 * share:.2f}"/>'
            )
            if shows and share >= 0.005:
                tone = ' fill="#fff"' if share > 0.55 else ""
                parts.append(
                    f'<text x="{across.at(x):.1f}" y="{up.at(y) + 4:.1f}" text-anchor="middle"{tone}>{share:.0%}</text>'
                )
    return parts


def _legend(traces: Sequence[Any]) -> list[str]:
    named = [trace for trace in traces if trace.name and trace.showlegend is not False]
    if len(named) < 2:
        return []
    parts, x = [], 8.0
    for trace in named:
        label = _text(trace.name)
        if x + LETTER * len(label) + 20 > WIDTH:
            break
        line = trace.type == "scatter" and "lines" in (trace.mode or "")
        colour = (trace.line.color if line else None) or _colour_of(trace, 0)
        parts.append(f'<rect x="{x:.0f}" y="7" width="11" height="11" fill="{html.escape(colour)}"/>')
        parts.append(f'<text x="{x + 16:.0f}" y="17">{html.escape(label)}</text>')
        x += 16 + LETTER * len(label) + 22
    return parts
