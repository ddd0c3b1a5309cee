"""The colours of products on a map: one byte per product, and a legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalog.cohort import CHOICES, NONE, brief_paths, path_text
from core.catalog.columns import Mask
from core.catalog.map_files import Map
from core.catalog.products import Products
from core.errors import UsageError
from core.statistics import theme

# The theme's colours, then others that differ from them and each other, also with colour vision deficiency (smallest
# OKLab distance in normal, protan and deutan vision, the latter two weighted by 1.3: at least 0.08).
COLOURS = (
    theme.BLUE, theme.ORANGE, theme.GREEN, theme.RED, theme.SKY, theme.PURPLE, "#783A44", "#70DBA5", "#8585F8",
    "#B72D89", "#2424F3", "#A93E08", "#F65570", "#98CBE5", "#5B2A86", "#BAD147", "#DA0BB7",
)  # fmt: skip
OTHER = "other"
STEPS = 48  # of a numeric scale
# Higher values contrast more with the background, in light and dark.
LIGHT_RAMP = ("#A9D0E6", "#56A5CE", "#0072B2", "#00395A", "#001B2E")
DARK_RAMP = ("#123B57", "#0072B2", "#56A5CE", "#B9DDF0", "#FFFFFF")

TITLES = {
    "category": "Category", "group": "Category, first level", "region": "Region of the map", "geo": "Country",
    "split": "Split", "language": "Language", "label_kind": "Labelled by", "label_source": "Label source",
    "picture": "Picture", "name_length": "Length of the name", "description_length": "Length of the description",
}  # fmt: skip
NUMBERS = ("name_length", "description_length")


@dataclass(frozen=True)
class Entry:
    """An entry of the legend."""

    label: str
    colour: str  # on a light background
    dark: str  # on a dark background
    value: str | None  # value in a filter of the column; None if it cannot be filtered


@dataclass(frozen=True)
class Colouring:
    """One byte per product: an index into `entries`, or a step of a numeric scale."""

    column: str
    title: str
    codes: NDArray[np.uint8]  # (n,)
    entries: tuple[Entry, ...]  # most frequent first; empty for numbers
    low: str = ""  # labels of the ends of a numeric scale
    high: str = ""
    gathered: int = 0  # values that share the colour `other`

    def counts(self, mask: Mask) -> list[int]:
        """The number of products in `mask` of each entry."""
        found = np.bincount(self.codes[mask], minlength=max(1, len(self.entries)))
        return [int(count) for count in found[: len(self.entries)]]


def columns(products: Products, drawn: Map) -> list[str]:
    """The columns with more than one value, by which products of a map can be coloured."""
    coded = products.columns
    found = ["category"] if len(coded.category.values) > 1 else []
    if len({path[:1] for path in coded.category.values}) in range(2, len(coded.category.values)):
        found.append("group")
    if drawn.description.regions:
        found.append("region")
    found += [column for column in ("geo", "split", "language", "label_kind", "label_source")
              if len(coded.choices[column].values) > 1]  # fmt: skip
    if 0 < products.info.with_picture < products.info.rows:
        found.append("picture")
    return [*found, *NUMBERS]


def colouring(products: Products, drawn: Map, column: str) -> Colouring:
    """
    Raises:
        UsageError: products cannot be coloured by that column.
    """
    if column not in TITLES:
        raise UsageError(f"Products cannot be coloured by {column!r}. Columns: {', '.join(TITLES)}.")
    if column in NUMBERS:
        return _number(products, column)
    values, codes, labels, filters = _values(products, drawn, column)
    frequent = np.argsort(-np.bincount(codes, minlength=len(values)), kind="stable")
    gathered = max(0, len(values) - len(COLOURS)) if len(values) > len(COLOURS) else 0
    shown = frequent[: len(values) - gathered]
    place = np.full(len(values), len(shown), np.uint8)
    place[shown] = np.arange(len(shown))
    entries = []
    for position, value in enumerate(shown.tolist()):
        colour = _colour(column, labels[value], position)
        entries.append(Entry(labels[value], colour, lifted(colour), filters[value]))
    if gathered:
        entries.append(Entry(f"{gathered} {OTHER}", theme.GREY, theme.GREY, None))
    return Colouring(column, TITLES[column], place[codes], tuple(entries), gathered=gathered)


def _values(
    products: Products, drawn: Map, column: str
) -> tuple[list[Any], NDArray[Any], list[str], list[str | None]]:
    """The unique values of a column, the index of each product's value, their names, and their values in a filter."""
    coded = products.columns
    if column == "category":
        paths = list(coded.category.values)
        return paths, coded.category.codes, brief_paths(paths), [
            path_text(path) or None for path in paths
        ]  # fmt: skip
    if column == "group":
        tops, unique = pd.factorize(
            np.array([path[0] if path else "" for path in coded.category.values], object)
        )
        names = [str(name) for name in unique]
        return names, tops[coded.category.codes], [name or NONE for name in names], [
            path_text((name,)) if name else None for name in names
        ]  # fmt: skip
    if column == "region":
        names = [region.label for region in drawn.description.regions] + ["between regions"]
        inside = np.minimum(np.asarray(drawn.clusters), len(names) - 1)
        return names, np.where(inside < 0, len(names) - 1, inside), names, [None] * len(names)
    if column == "picture":
        return [False, True], coded.picture.astype(np.int8), ["none", "has one"], ["no", "yes"]
    assert column in CHOICES
    known = [NONE if value is None else value for value in coded.choices[column].values]
    return known, coded.choices[column].codes, known, list(known)


def _colour(column: str, label: str, position: int) -> str:
    if label in (NONE, "between regions"):
        return theme.GREY
    if column in ("geo", "split", "label_kind"):
        return theme.colour(label, position)
    return COLOURS[position % len(COLOURS)]


def _number(products: Products, column: str) -> Colouring:
    """Numbers on a logarithmic scale from the 1st to the 99th percentile, clipped.

    Missing texts are excluded from the percentiles, and drawn at the low end.
    """
    read = products.table(f"SELECT coalesce({column}, -1) AS value FROM cohort ORDER BY row_id")
    lengths = np.asarray(read.column("value")).astype(np.float32)
    known, values = lengths >= 0, np.log1p(lengths.clip(min=0))
    low, high = np.percentile(values[known], (1, 99)) if known.any() else (0.0, 1.0)
    share = (values - low) / max(float(high - low), 1e-6)
    codes = np.clip(share * (STEPS - 1), 0, STEPS - 1).round().astype(np.uint8)
    ends = [f"{round(float(np.expm1(end))):,} characters" for end in (low, high)]
    if not known.all():
        ends[0] += " or none"
    return Colouring(column, TITLES[column], codes, (), ends[0], ends[1])


def lifted(colour: str) -> str:
    """A colour for a dark background: dark colours are lightened.

    >>> lifted("#FFFFFF"), lifted("#000000")
    ('#FFFFFF', '#737373')
    """
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    light = (0.299 * red + 0.587 * green + 0.114 * blue) / 255
    white = 0.45 * (1 - light) ** 2
    return "#" + "".join(f"{round(part + (255 - part) * white):02X}" for part in (red, green, blue))


def ramp(stops: tuple[str, ...], steps: int = STEPS) -> list[str]:
    """`steps` colours from the first stop to the last.

    >>> ramp(("#000000", "#0000FF"), 3)
    ['#000000', '#000080', '#0000FF']
    """
    parts = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in stops], float)
    places = np.linspace(0, len(stops) - 1, steps)
    mixed = [np.interp(places, np.arange(len(stops)), parts[:, channel]) for channel in range(3)]
    return [f"#{red:02X}{green:02X}{blue:02X}" for red, green, blue in np.rint(mixed).astype(int).T]
