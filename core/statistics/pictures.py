"""Statistics of the measured pictures: resolution, shape, format, bytes, brightness, colour (MEP-3M figure 5, middle)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics import theme
from core.statistics.display import Display, bar_height, nothing, percent, shown
from core.statistics.picture_stats import measured, stats_path

if TYPE_CHECKING:
    import plotly.graph_objects as go

SOURCE = "Liu et al. 2021, MEP-3M, figure 5"
LEVELS = 4  # per colour channel: mean colours are quantised to 4 x 4 x 4 boxes


def _of_cohort(products: Products, cohort: Cohort | None, sql: str) -> pd.DataFrame:
    """Query the measured pictures of a cohort, each picture once; `{measured}` in `sql` is the table."""
    path = str(stats_path(products.info)).replace("'", "''")
    table = f"read_parquet('{path}')"
    # A separate connection: that of the product table can only read its own file.
    with duckdb.connect() as db:
        if cohort is not None and not cohort.is_whole():
            wanted = products.table("SELECT DISTINCT image_id FROM cohort WHERE image IS NOT NULL", cohort)
            db.register("wanted", wanted)
            table = f"(SELECT * FROM {table} SEMI JOIN wanted USING (image_id))"
        return db.sql(sql.format(measured=table)).df()


def _ready(
    products: Products,
    cohort: Cohort | None,
    name: str,
    heading: str,
    explanation: str,
    make: Callable[[str], Display],
) -> Display:
    """The display, or the reason why there is none."""
    state = measured(products.info)
    rows = products.count(cohort)
    label = shown(products, cohort, rows)
    if not rows:
        return nothing(name, heading, explanation, label, "No products match the filter.")
    if state.state != "done":
        return nothing(name, heading, explanation, label, state.says.replace("NAME", products.info.name))
    counted = _of_cohort(products, cohort, "SELECT count(*) AS n, count(width) AS good FROM {measured}").iloc[
        0
    ]
    if not counted["n"]:
        return nothing(name, heading, explanation, label, "None of these products has a picture.")
    if not counted["good"]:
        return nothing(
            name, heading, explanation, label, f"None of the {counted['n']:,} pictures here can be opened."
        )
    return make(f"{label}, {int(counted['n']):,} pictures")


def resolutions(products: Products, cohort: Cohort | None = None, top: int = 20) -> Display:
    """The most frequent sizes in pixels."""
    name, heading = "resolutions", "Resolutions"
    explanation = "How many pictures have each width and height, read from the files' headers."

    def make(label: str) -> Display:
        table = _of_cohort(products, cohort, """
            SELECT width, height, count(*) AS pictures FROM {measured} WHERE width IS NOT NULL
            GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2""")  # fmt: skip
        total = int(table["pictures"].sum())
        first = table.iloc[0]
        title = f"{first['width']} × {first['height']} is the most frequent of {len(table):,} resolutions, with {percent(first['pictures'] / total)} of the pictures"
        if len(table) == 1:
            title = f"All {total:,} pictures are {first['width']} × {first['height']} pixels"
        drawn = table.head(top)
        notes = (
            (f"The {top} most frequent of {len(table):,} are drawn; the table holds all.",)
            if len(table) > top
            else ()
        )

        def draw() -> go.Figure:
            import plotly.graph_objects as go

            figure = go.Figure()
            figure.add_bar(
                y=[f"{w} × {h}" for w, h in zip(drawn["width"], drawn["height"], strict=True)], x=drawn["pictures"],
                orientation="h", marker_color=theme.BLUE, showlegend=False,
                hovertemplate="%{y} pixels: %{x:,} pictures<extra></extra>",
            )  # fmt: skip
            figure.update_layout(
                height=bar_height(len(drawn)), xaxis={"title": {"text": "pictures"}},
                yaxis={"autorange": "reversed", "type": "category", "dtick": 1, "title": {"text": "width × height, pixels"}},
            )  # fmt: skip
            return figure

        return Display(
            name, heading, title, explanation, label, table, draw, {"resolutions": len(table)}, notes, SOURCE
        )

    return _ready(products, cohort, name, heading, explanation, make)


# measure -> (SQL, bin width or None for factors of two, axis, heading, sentence)
MEASURES: dict[str, tuple[str, float | None, str, str]] = {
    "aspect": ("width / height", 0.05, "width divided by height", "Aspect ratios"),
    "bytes": ("bytes", None, "size of the file, kB (each bin √2 times the last)", "Sizes of the files"),
    "brightness": ("brightness", 0.02, "mean brightness, 0 black to 1 white", "Brightness"),
}
EXPLAINED = {
    "aspect": "1 is square, less is upright, more is wide.",
    "bytes": "How many bytes the pictures' files take.",
    "brightness": "The mean luma of each picture; a white studio background lifts it.",
}


def spread(products: Products, cohort: Cohort | None = None, measure: str = "aspect") -> Display:
    """A histogram of aspect ratio, bytes or brightness.

    Raises:
        KeyError: there is no such measure.
    """
    value, width, axis, heading = MEASURES[measure]
    explanation = EXPLAINED[measure]

    def make(label: str) -> Display:
        bin_sql = f"floor(({value}) / {width} + 1e-9)" if width else f"floor(2 * log2(greatest({value}, 1)))"
        known = f"({value}) IS NOT NULL"
        table = _of_cohort(
            products,
            cohort,
            f"SELECT {bin_sql}::INT AS bin, count(*) AS pictures FROM {{measured}} WHERE {known} GROUP BY 1 ORDER BY 1",
        )
        if table.empty:
            return nothing(measure, heading, explanation, label, "None of these pictures can be decoded.")
        q = _of_cohort(
            products,
            cohort,
            f"SELECT quantile_cont(({value})::DOUBLE, [0.25, 0.5, 0.75]) AS q, avg({value}) AS mean FROM {{measured}} WHERE {known}",
        ).iloc[0]
        q1, median, q3 = (float(part) for part in q["q"])
        edges = [
            (b * width, (b + 1) * width) if width else (2 ** (b / 2), 2 ** ((b + 1) / 2))
            for b in table["bin"]
        ]
        output = pd.DataFrame(
            {
                "from": [low for low, _ in edges],
                "to": [high for _, high in edges],
                "pictures": table["pictures"],
            }
        )
        show = (lambda x: f"{x:,.0f}") if measure == "bytes" else (lambda x: f"{x:.2f}")
        title = f"Half of the pictures lie between {show(q1)} and {show(q3)} ({'bytes' if measure == 'bytes' else measure}), median {show(median)}"
        if q1 == q3:
            title = f"At least half of the pictures have the same {'bytes' if measure == 'bytes' else measure}: {show(median)}"

        def draw() -> go.Figure:
            import plotly.graph_objects as go

            figure = go.Figure()
            if width:
                places: list[Any] = [(low + high) / 2 for low, high in edges]
            else:
                places = [f"{low / 1000:.3g}–{high / 1000:.3g}" for low, high in edges]
            figure.add_bar(
                x=places, y=output["pictures"], width=width, marker_color=theme.BLUE, showlegend=False,
                text=[f"{show(low)} to {show(high)}" for low, high in edges], textposition="none",
                hovertemplate="%{text}: %{y:,} pictures<extra></extra>",
            )  # fmt: skip
            figure.update_layout(
                height=340, bargap=0.02, xaxis={"title": {"text": axis}, "type": "linear" if width else "category"},
                yaxis={"title": {"text": "pictures"}},
            )  # fmt: skip
            return figure

        values = {"q1": q1, "median": median, "q3": q3, "mean": float(q["mean"])}
        return Display(measure, heading, title, explanation, label, output, draw, values, source=SOURCE)

    return _ready(products, cohort, measure, heading, explanation, make)


def formats(products: Products, cohort: Cohort | None = None) -> Display:
    """File formats and their bytes."""
    name, heading = "formats", "Formats"
    explanation = "How many pictures are stored in each file format, as their first bytes say, whatever the file's name ends in."

    def make(label: str) -> Display:
        table = _of_cohort(products, cohort, """
            SELECT format, count(*) AS pictures, sum(bytes)::BIGINT AS bytes FROM {measured} WHERE format IS NOT NULL
            GROUP BY 1 ORDER BY 2 DESC, 1""")  # fmt: skip
        total = int(table["pictures"].sum())
        title = f"{percent(table['pictures'][0] / total)} of the pictures are {table['format'][0]}; together they take {table['bytes'].sum() / 1e6:,.1f} MB"

        def draw() -> go.Figure:
            import plotly.graph_objects as go

            figure = go.Figure()
            figure.add_bar(
                y=table["format"], x=table["pictures"], orientation="h", marker_color=theme.BLUE, showlegend=False,
                text=[f"{n / 1e6:,.1f} MB" for n in table["bytes"]], hovertemplate="%{y}: %{x:,} pictures, %{text}<extra></extra>",
            )  # fmt: skip
            figure.update_layout(height=bar_height(len(table)), xaxis={"title": {"text": "pictures"}},
                                 yaxis={"autorange": "reversed", "type": "category", "title": {"text": "format"}})  # fmt: skip
            return figure

        return Display(name, heading, title, explanation, label, table, draw, {}, (), SOURCE)

    return _ready(products, cohort, name, heading, explanation, make)


def colours(products: Products, cohort: Cohort | None = None, top: int = 24) -> Display:
    """The most frequent mean colours."""
    name, heading = "colours", "Mean colours"
    explanation = f"Each bar is a group of pictures of similar mean colour ({LEVELS} levels a channel), drawn in the mean of the group."

    def make(label: str) -> Display:
        step = 256 // LEVELS
        table = _of_cohort(products, cohort, f"""
            SELECT avg(red) AS red, avg(green) AS green, avg(blue) AS blue, count(*) AS pictures FROM {{measured}}
            WHERE red IS NOT NULL GROUP BY red // {step}, green // {step}, blue // {step} ORDER BY pictures DESC, 1, 2, 3""")  # fmt: skip
        if table.empty:
            return nothing(name, heading, explanation, label, "None of these pictures can be decoded.")
        table["colour"] = [f"#{round(r):02x}{round(g):02x}{round(b):02x}" for r, g, b in zip(
            table["red"], table["green"], table["blue"], strict=True)]  # fmt: skip
        total = int(table["pictures"].sum())
        saturation = table[["red", "green", "blue"]].max(axis=1) - table[["red", "green", "blue"]].min(axis=1)
        grey = int(table.loc[saturation < 26, "pictures"].sum())
        title = f"{percent(grey / total)} of the pictures are near grey or white on average"
        drawn = table.head(top)
        notes = (
            (f"The {top} most frequent of {len(table)} groups are drawn; the table holds all.",)
            if len(table) > top
            else ()
        )

        def draw() -> go.Figure:
            import plotly.graph_objects as go

            figure = go.Figure()
            figure.add_bar(
                x=list(range(1, len(drawn) + 1)), y=drawn["pictures"], marker_color=drawn["colour"], showlegend=False,
                marker_line={"width": 1, "color": theme.GREY}, text=drawn["colour"], textposition="none",
                hovertemplate="%{text}: %{y:,} pictures<extra></extra>",
            )  # fmt: skip
            figure.update_layout(height=340, xaxis={"title": {"text": "groups of similar mean colour, most frequent first"}},
                                 yaxis={"title": {"text": "pictures"}})  # fmt: skip
            return figure

        output = table[["colour", "pictures", "red", "green", "blue"]].round(1)
        return Display(
            name,
            heading,
            title,
            explanation,
            label,
            output,
            draw,
            {"near_grey_share": grey / total},
            notes,
            SOURCE,
        )

    return _ready(products, cohort, name, heading, explanation, make)


def problems(products: Products, cohort: Cohort | None = None, most: int = 1_000) -> Display:
    """Products without a picture, and missing or damaged pictures."""
    name, heading = "broken", "Missing and broken pictures"
    explanation = (
        "Missing: the product has none, or its file is not there; broken: it is there and cannot be decoded."
    )
    counted = products.frame("SELECT count(*) AS rows, count(image) AS with_image FROM cohort", cohort).iloc[
        0
    ]
    rows, without = int(counted["rows"]), int(counted["rows"] - counted["with_image"])
    label = shown(products, cohort, rows)
    if not rows:
        return nothing(name, heading, explanation, label, "No products match the filter.")
    values: dict[str, Any] = {"products_without_picture": without, "broken": None, "unreadable": None}
    parts = [("no picture given or found at import", without)]
    table = pd.DataFrame(columns=["image_id", "problem"])
    state = measured(products.info)
    notes: tuple[str, ...] = ()
    if state.state == "done":
        found = _of_cohort(products, cohort, """
            SELECT CASE WHEN problem LIKE 'cannot be read%' THEN 'unreadable' ELSE 'broken' END AS kind, count(*) AS n
            FROM {measured} WHERE problem IS NOT NULL GROUP BY 1""")  # fmt: skip
        counts = dict(zip(found["kind"], found["n"].astype(int), strict=True))
        values |= {"broken": int(counts.get("broken", 0)), "unreadable": int(counts.get("unreadable", 0))}
        parts += [("file missing since", values["unreadable"]), ("cannot be decoded", values["broken"])]
        table = _of_cohort(products, cohort, f"""SELECT image_id, problem FROM {{measured}} WHERE problem IS NOT NULL
                                                 ORDER BY image_id LIMIT {int(most)}""")  # fmt: skip
    else:
        notes = (state.says.replace("NAME", products.info.name),)
    bad = sum(n for _, n in parts)
    if not bad:
        why = "Every product has a picture" + (
            ", and every picture can be opened."
            if state.state == "done"
            else "; whether it opens is not measured yet."
        )
        return nothing(name, heading, explanation, label, why, table=table, values=values, notes=notes)
    title = (
        f"{percent(without / rows)} of the products have no picture"
        if without
        else f"{bad:,} pictures cannot be opened"
    )

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_bar(
            y=[part for part, _ in parts], x=[n for _, n in parts], orientation="h", marker_color=theme.RED, showlegend=False,
            hovertemplate="%{y}: %{x:,}<extra></extra>",
        )  # fmt: skip
        figure.update_layout(height=bar_height(len(parts)), yaxis={"autorange": "reversed"},
                             xaxis={"title": {"text": "products without, pictures otherwise"}})  # fmt: skip
        return figure

    return Display(name, heading, title, explanation, label, table, draw, values, notes, SOURCE)


def numbers(products: Products, cohort: Cohort | None = None) -> dict[str, Any]:
    """All statistics above as numbers, for the command line."""
    state = measured(products.info)
    result: dict[str, Any] = {"state": state.state, "measured": state.done, "total": state.total}
    result |= problems(products, cohort).values
    if state.state != "done":
        return result | {"cannot": state.says.replace("NAME", products.info.name)}
    for made in (resolutions(products, cohort), formats(products, cohort)):
        result[made.name] = made.frame().head(50).to_dict("records")
    for measure in MEASURES:
        result[measure] = spread(products, cohort, measure).values
    result["colours"] = colours(products, cohort).frame().head(24).to_dict("records")
    return result
