"""A table of countries by countries, coloured by value; a cell may be a link. Numbers can be read, copied and reached by keys."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from core.schema import COUNTRY_OF_GEO

LEAST = 0.06  # opacity of the lowest value above zero
STRONG = 0.88  # opacity from which white reads better than ink on paper


def show(
    title: str,
    countries: Sequence[str],
    values: np.ndarray,
    written: Callable[[float], str],
    link: Callable[[str, str], str] | None = None,
    most: float | None = None,
    logarithmic: bool = False,
    corner: str = "",
) -> None:
    """Draw it.

    Args:
        values: (c, c), rows are sources; NaN is an empty cell.
        written: a value as text, short.
        link: address of a cell; empty for none.
        most: the value of the full colour; the largest otherwise.
        corner: what rows and columns are, such as "from / to".
    """
    top = most if most is not None else float(np.nanmax(values, initial=0.0))
    head = "".join(f'<th scope="col" title="{_country(geo)}">{html.escape(geo)}</th>' for geo in countries)
    body = []
    for row, source in enumerate(countries):
        cells = [
            _cell(
                values[row, column],
                top,
                written,
                logarithmic,
                link(source, target) if link else "",
                source,
                target,
            )
            for column, target in enumerate(countries)
        ]
        body.append(
            f'<tr><th scope="row" title="{_country(source)}">{html.escape(source)}</th>{"".join(cells)}</tr>'
        )
    st.html(
        f'<figure class="vitrine-heat"><figcaption>{html.escape(title)}</figcaption><table>'
        f'<thead><tr><th class="corner">{html.escape(corner)}</th>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></figure>'
    )


def _cell(
    value: float,
    top: float,
    written: Callable[[float], str],
    logarithmic: bool,
    link: str,
    source: str,
    target: str,
) -> str:
    if source == target:
        return '<td class="own"></td>'
    if math.isnan(value):
        return '<td class="none">·</td>'
    share = 0.0
    if top > 0 and value > 0:
        share = math.log1p(value) / math.log1p(top) if logarithmic else value / top
    share = 0.0 if value <= 0 else max(LEAST, min(1.0, share))
    strong = ' class="strong"' if share > STRONG else ""
    text = html.escape(written(float(value)))
    label = f"{_country(source)} to {_country(target)}"
    inner = f'<a href="{html.escape(link)}" target="_self" title="{label}">{text}</a>' if link else text
    return f'<td{strong} style="--share:{share:.3f}">{inner}</td>'


def _country(geo: str) -> str:
    return html.escape(COUNTRY_OF_GEO.get(geo, geo))


def brief(value: float) -> str:
    """
    >>> brief(37), brief(4669), brief(131073)
    ('37', '4.7k', '131k')
    """
    if value < 1_000:
        return f"{value:.0f}"
    return f"{value / 1_000:.1f}k" if value < 10_000 else f"{value / 1_000:.0f}k"
