"""Length of names and descriptions (GLAMI-1M figure 4; MEP-3M figure 5, right)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics import theme
from core.statistics.cache import cached
from core.statistics.counts import COLUMNS, column_sql, narrowing, path_name, short_names, split_order, spoken
from core.statistics.display import Display, bar_height, bar_names, linked, nothing, percent, plain, shown

if TYPE_CHECKING:
    import plotly.graph_objects as go

Column = Literal["name", "description"]
Unit = Literal["characters", "words"]

BIN, LAST = 10, 990  # characters: GLAMI-1M figure 4, whose last bin is everything over 990
LOG_STEPS = 6  # bins per decade
UNSPACED = (
    "zh",
    "ja",
    "th",
)  # written without spaces between words: `core.statistics.words` segments Chinese
SOURCE = "Kosar et al. 2022, GLAMI-1M, figure 4"


def length_counts(
    products: Products, cohort: Cohort | None, column: Column, unit: Unit, by: str
) -> pd.DataFrame:
    """The number of texts of each length.

    Returns:
        `side` (a value of `by`), `length` (characters, or words between spaces), `n`. Missing texts are left out;
        for words also those in languages that are written without spaces.
    """
    side = column_sql(by)
    if unit == "characters":
        sql = f"SELECT {side} AS side, {column}_length AS length, count(*) AS n FROM cohort WHERE {column}_length IS NOT NULL GROUP BY 1, 2"
        return _sides(
            cached(products, cohort, f"lengths-{column}-{by}", lambda: products.frame(sql, cohort)), by
        )
    languages = ", ".join(f"'{language}'" for language in UNSPACED)
    sql = f"""
        SELECT {side} AS side, len(list_filter(string_split(translate({column}, chr(9) || chr(10) || chr(13), '   '), ' '), lambda w: w <> ''))
        AS length, count(*) AS n FROM cohort
        WHERE {column} IS NOT NULL AND coalesce(language, '') NOT IN ({languages}) GROUP BY 1, 2
    """
    return _sides(cached(products, cohort, f"words-{column}-{by}", lambda: products.frame(sql, cohort)), by)


def _sides(found: pd.DataFrame, by: str) -> pd.DataFrame:
    if by == "category":
        found["side"] = [path_name(path) for path in found["side"]]
    return found


def describe(lengths: pd.DataFrame) -> dict[str, Any]:
    """Median, quartiles, mean and extremes of texts counted by length.

    Quartiles are linearly interpolated, as in numpy and pandas.

    Args:
        lengths: `length` and `n`.
    """
    if not len(lengths):
        return {"n": 0, **dict.fromkeys(("median", "q1", "q3", "mean", "min", "max"))}
    ordered = lengths.groupby("length")["n"].sum().sort_index()
    values, counts = ordered.index.to_numpy(np.float64), ordered.to_numpy(np.int64)
    ends = counts.cumsum()
    n = int(ends[-1])

    def quantile(q: float) -> float:
        at = q * (n - 1)
        low, high = (
            values[np.searchsorted(ends, place, side="right")] for place in (int(at), min(int(at) + 1, n - 1))
        )
        return float(low + (high - low) * (at - int(at)))

    return {
        "n": n,
        "median": quantile(0.5),
        "q1": quantile(0.25),
        "q3": quantile(0.75),
        "mean": float((values * counts).sum() / n),
        "min": int(values[0]),
        "max": int(values[-1]),
    }


def histogram(
    lengths: pd.DataFrame, log: bool = False, width: int = BIN, last: int = LAST
) -> list[dict[str, Any]]:
    """The number of texts in bins of length.

    Returns:
        `from` (included), `to` (not included; None for the last bin, which holds everything longer) and `count`. Linear
        bins are the paper's, `width` wide up to `last`; logarithmic ones have LOG_STEPS a decade, empty texts apart.
    """
    length, n = lengths["length"].to_numpy(np.int64), lengths["n"].to_numpy(np.int64)
    if log:
        most = max(int(length.max(initial=1)), 1)
        exact = 10 ** (np.arange(0, LOG_STEPS * (np.log10(most) + 1) + 1) / LOG_STEPS)
        edges = np.unique(np.concatenate([[0], np.ceil(exact)])).astype(np.int64)
        edges = edges[: np.searchsorted(edges, most, side="right") + 1]
    else:
        edges = np.arange(0, last + width, width, dtype=np.int64)
    place = np.clip(np.searchsorted(edges, length, side="right") - 1, 0, len(edges) - 1)
    counted = np.bincount(place, weights=n, minlength=len(edges)).astype(np.int64)
    if log:
        counted, edges = counted[: len(edges) - 1], edges
        return [
            {"from": int(a), "to": int(b), "count": int(c)}
            for a, b, c in zip(edges, edges[1:], counted, strict=False)
        ]
    ends = [*edges[1:].tolist(), None]
    return [{"from": int(a), "to": b, "count": int(c)} for a, b, c in zip(edges, ends, counted, strict=True)]


def lengths(
    products: Products,
    cohort: Cohort | None = None,
    column: Column = "name",
    unit: Unit = "characters",
    log: bool = False,
) -> Display:
    """Histogram of lengths by split, as shares, with median and quartiles."""
    name, heading = f"{column}-{unit}", f"Length of the {column} in {unit}"
    explanation = f"The share of each split's {column}s of each length; " + (
        "bins grow by a constant factor." if log else f"the last bin holds everything from {LAST} {unit} on."
    )
    found = length_counts(products, cohort, column, unit, "split")
    rows = products.count(cohort)
    label = shown(products, cohort, rows)
    if found.empty:
        return nothing(name, heading, explanation, label, _why(products, cohort, rows, column, unit))
    sides = split_order(found["side"])
    values = {side: describe(found[found["side"] == side]) for side in sides}
    values["all"] = describe(found)
    bins = {side: histogram(found[found["side"] == side], log) for side in sides}
    if log:  # all splits use the bins of the longest
        edges = histogram(found, log)
        bins = {side: _rebin(found[found["side"] == side], edges) for side in sides}
    table = pd.DataFrame(
        {"from": [entry["from"] for entry in bins[sides[0]]], "to": [entry["to"] for entry in bins[sides[0]]]}
    )
    for side in sides:
        table[side] = [entry["count"] for entry in bins[side]]
    table["to"] = table["to"].astype("Int64")
    everything = values["all"]
    title = f"Half of the {column}s have {everything['median']:,.4g} {unit} or fewer, the middle half {everything['q1']:,.4g} to {everything['q3']:,.4g}"
    if "train" in values and "test" in values and values["train"]["median"] != values["test"]["median"]:
        title += (
            f"; median {values['train']['median']:,.4g} in train, {values['test']['median']:,.4g} in test"
        )
    notes = ("Words are what stands between spaces.",) if unit == "words" else ()

    def draw() -> go.Figure:
        return _histogram(table, sides, unit, log)

    return Display(name, heading, title, explanation, label, table, draw, values, notes, SOURCE)


def _rebin(part: pd.DataFrame, edges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    starts = np.array([entry["from"] for entry in edges])
    place = np.searchsorted(starts, part["length"].to_numpy(), side="right") - 1
    counted = np.bincount(place, weights=part["n"].to_numpy(), minlength=len(starts)).astype(int)
    return [entry | {"count": int(count)} for entry, count in zip(edges, counted, strict=True)]


def _why(products: Products, cohort: Cohort | None, rows: int, column: str, unit: str) -> str:
    if not rows:
        return "No products match the filter."
    if unit == "words" and products.frame(f"SELECT count({column}) AS n FROM cohort", cohort)["n"][0]:
        return f"These {column}s are in a language written without spaces: words cannot be counted by spaces."
    return f"None of these products has a {column}."


def _histogram(table: pd.DataFrame, sides: list[str], unit: str, log: bool) -> go.Figure:
    import plotly.graph_objects as go

    used = table[table[sides].sum(axis=1) > 0].index
    drawn = table.loc[used.min() : used.max()]
    names = [
        f"{a}–{b - 1}" if not pd.isna(b) else f"{a} and more"
        for a, b in zip(drawn["from"], drawn["to"], strict=True)
    ]
    figure = go.Figure()
    for side in sides:
        share = drawn[side] / max(1, table[side].sum())
        figure.add_bar(
            x=names, y=share, name=side, marker_color=theme.colour(side), text=[f"{n:,}" for n in drawn[side]],
            textposition="none", hovertemplate="%{x} " + unit + ": %{y:.2%} of " + side + " (%{text} texts)<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=380, bargap=0.05, bargroupgap=0, barmode="group",
        xaxis={"title": {"text": unit + (" (logarithmic bins)" if log else "")}, "type": "category", "nticks": 16},
        yaxis={"title": {"text": "share of the split's texts"}, "tickformat": ".0%"},
    )  # fmt: skip
    return figure


def lengths_by(
    products: Products, cohort: Cohort | None = None, column: Column = "name", unit: Unit = "characters",
    by: str = "geo", top: int = 30,
) -> Display:  # fmt: skip
    """Median and quartiles of the lengths for each value of a column: country, language, category, source."""
    what = spoken(by)
    name, heading = (
        f"{column}-{unit}-by-{by}".replace("_", "-"),
        f"Length of the {column} in {unit} by {what}",
    )
    explanation = f"The dot is the median {column} of each {what}, the line reaches from the first quartile to the third."
    found = length_counts(products, cohort, column, unit, by)
    rows = products.count(cohort)
    label = shown(products, cohort, rows)
    if found.empty:
        return nothing(name, heading, explanation, label, _why(products, cohort, rows, column, unit))
    table = pd.DataFrame([{by: side} | describe(part) for side, part in found.groupby("side", sort=False)])
    table = table.sort_values(["n", by], ascending=[False, True], ignore_index=True)
    if len(table) == 1:
        only = table[by][0]
        why = (
            f"No product has a {what}." if only == "none" else f"All these products have one {what}: {only}."
        )
        return nothing(name, heading, explanation, label, why, table=table)
    drawn = table.head(top).sort_values("median", ascending=False)
    names = short_names(by, list(drawn[by]))
    title = (
        f"{names[0]} has the longest {column}s (median {drawn['median'].iloc[0]:,.4g} {unit}), "
        f"{names[-1]} the shortest ({drawn['median'].iloc[-1]:,.4g})"
    )
    notes = (
        (f"The {top} most frequent of {len(table):,} are drawn; the table holds all.",)
        if len(table) > top
        else ()
    )

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_scatter(
            y=bar_names(names), x=drawn["median"], mode="markers", showlegend=False,
            marker={"size": 10, "color": theme.BLUE},
            error_x={"type": "data", "symmetric": False, "array": drawn["q3"] - drawn["median"],
                     "arrayminus": drawn["median"] - drawn["q1"], "thickness": 3, "width": 0, "color": theme.SKY},
            customdata=linked(cohort, products, [narrowing(by, str(value)) for value in drawn[by]]),
            text=[f"{a:,.4g} to {b:,.4g}, {n:,} texts" for a, b, n in zip(drawn["q1"], drawn["q3"], drawn["n"], strict=True)],
            hovertemplate="%{y}: median %{x:,.4g} " + unit + "<br>middle half %{text}<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(drawn)), xaxis={"title": {"text": unit}, "rangemode": "tozero"},
            yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
        )  # fmt: skip
        return figure

    return Display(name, heading, title, explanation, label, table, draw, {}, notes, SOURCE)


def repeated(products: Products, cohort: Cohort | None = None) -> Display:
    """Shares of missing, repeated and cross-split texts, by split."""
    name, heading = "repeated-texts", "Missing, repeated and shared texts"
    explanation = (
        "Missing: no text; repeated: another product here has exactly the same; shared: one of those is in another split, "
        "so a model may have seen it."
    )

    def compute() -> pd.DataFrame:
        # One pass per column: equal texts are grouped by their 64-bit hash.
        parts = [
            f"""SELECT '{column}' AS of, split, sum(n) AS texts, sum(n) FILTER (WHERE total > 1) AS repeated,
                sum(n) FILTER (WHERE sides > 1) AS shared FROM (
                    SELECT split, n, sum(n) OVER (PARTITION BY h) AS total, count(*) OVER (PARTITION BY h) AS sides FROM (
                        SELECT hash({column}) AS h, {COLUMNS["split"]} AS split, count(*) AS n
                        FROM cohort WHERE {column} IS NOT NULL GROUP BY 1, 2)) GROUP BY split"""
            for column in ("name", "description")
        ]
        sizes = f"""SELECT 'rows' AS of, {COLUMNS["split"]} AS split, count(*) AS texts, 0 AS repeated, 0 AS shared
                    FROM cohort GROUP BY split"""
        found = products.frame(" UNION ALL ".join([*parts, sizes]), cohort)
        return found.fillna(0).astype({"texts": "int64", "repeated": "int64", "shared": "int64"})

    found = cached(products, cohort, "repeated-texts", compute)
    sizes = found[found["of"] == "rows"].set_index("split")["texts"]
    label = shown(products, cohort, int(sizes.sum()))
    if sizes.empty:
        return nothing(name, heading, explanation, label, "No products match the filter.")
    rows = []
    for column in ("name", "description"):
        for split in split_order(sizes.index):
            chosen = found[(found["of"] == column) & (found["split"] == split)]
            texts, again, shared = (int(chosen[key].sum()) for key in ("texts", "repeated", "shared"))
            size = int(sizes[split])
            rows.append({
                "column": column, "split": split, "products": size, "missing": size - texts, "repeated": again,
                "shared": shared, "missing share": (size - texts) / size, "repeated share": again / size,
                "shared share": shared / size,
            })  # fmt: skip
    table = pd.DataFrame(rows)
    total = int(sizes.sum())
    total_repeated = {
        column: table.loc[table["column"] == column, "repeated"].sum() for column in ("name", "description")
    }
    title = (
        f"{percent(total_repeated['name'] / total)} of the products share their name with another, "
        f"{percent(total_repeated['description'] / total)} their description"
    )
    shared = int(table["shared"].sum())
    if len(sizes) > 1:
        title += (
            "; none across splits"
            if not shared
            else f"; {percent(table['shared share'].max())} at most across splits"
        )

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        for kind, shade in (("missing", theme.GREY), ("repeated", theme.BLUE), ("shared", theme.ORANGE)):
            figure.add_bar(
                y=[f"{plain(split)} {column}" for column, split in zip(table["column"], table["split"], strict=True)],
                x=table[f"{kind} share"], name=kind, orientation="h", marker_color=shade, customdata=table[kind],
                hovertemplate="%{y}: %{x:.2%} " + kind + " (%{customdata:,} products)<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            height=bar_height(2 * len(table)), yaxis={"autorange": "reversed", "type": "category"},
            xaxis={"title": {"text": "share of the split's products"}, "tickformat": ".0%", "rangemode": "tozero"},
        )  # fmt: skip
        return figure

    return Display(
        name, heading, title, explanation, label, table, draw, source="Kosar et al. 2022, section 3"
    )
