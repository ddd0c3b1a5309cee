"""Compare the open dataset with those in the papers' tables (GLAMI-1M tables 1 to 3, MEP-3M table 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics import theme
from core.statistics.cache import cached
from core.statistics.display import Display, bar_height, bar_names, nothing, plain, shown
from core.statistics.papers import TABLES, PaperTable, number

if TYPE_CHECKING:
    import plotly.graph_objects as go


def own_numbers(products: Products, cohort: Cohort | None) -> dict[str, Any]:
    """The numbers of items, unique pictures, unique texts, languages and classes of the open dataset."""
    sql = """
        SELECT count(*) AS items, count(DISTINCT hash(coalesce(image_id, image))) FILTER (WHERE image IS NOT NULL) AS images,
               count(DISTINCT hash(name, description)) FILTER (WHERE name IS NOT NULL OR description IS NOT NULL) AS texts,
               count(DISTINCT language) AS languages, count(DISTINCT category_path) AS classes,
               count(name) AS names, count(description) AS descriptions
        FROM cohort"""
    row = cached(products, cohort, "totals", lambda: products.frame(sql, cohort)).iloc[0]
    found = {key: int(row[key]) for key in ("items", "images", "texts", "languages", "classes")}
    features = ["image"] if found["images"] else []
    features += [column for column in ("name", "description") if row[f"{column}s"]]
    features += [f"class ({found['classes']:,})"] if found["classes"] else []
    return found | {"features": ", ".join(features)}


def paper_table(name: str) -> PaperTable:
    """
    Raises:
        KeyError: there is no such table.
    """
    return {table.name: table for table in TABLES}[name]


def beside(
    products: Products, cohort: Cohort | None = None, table: str = "fashion", measure: str | None = None
) -> Display:
    """A table of the papers with the open dataset inserted by size.

    Args:
        measure: the column to draw and sort by; default: the first.

    Raises:
        KeyError: there is no such table.
    """
    paper = paper_table(table)
    measure = measure or paper.measures[0]
    name = f"beside-{paper.name}"
    explanation = f"The datasets in a paper's comparison table, by {measure}; the values of the open dataset are computed."
    own = own_numbers(products, cohort)
    label = shown(products, cohort, own["items"])
    if not own["items"]:
        return nothing(name, paper.heading, explanation, label, "No products match the filter.")
    rows = [
        dict(zip(paper.columns, row, strict=True))
        | {"open": False, "value": number(row[paper.columns.index(measure)])}
        for row in paper.rows
    ]
    mine: dict[str, Any] = {column: "" for column in paper.columns} | {
        "dataset": products.info.name,
        "open": True,
        "value": float(own[measure]),
    }
    mine |= {column: f"{own[column]:,}" for column in paper.columns if column in own and column != "features"}
    if "features" in paper.columns:
        mine["features"] = own["features"]
    frame = pd.DataFrame([*rows, mine]).sort_values(
        ["value", "open"], ascending=[False, True], kind="stable", ignore_index=True
    )
    place = int(frame.index[frame["open"]][0]) + 1
    title = f"By {measure}, {products.info.name} ({own[measure]:,}) is number {place} of {len(frame)}"
    notes = (
        () if own[measure] else (f"The open dataset has no {measure} to count: it is drawn without a bar.",)
    )

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_bar(
            y=bar_names(list(frame["dataset"])), x=frame["value"].clip(lower=0.5), orientation="h", showlegend=False,
            marker_color=[theme.ORANGE if mine else theme.BLUE for mine in frame["open"]],
            text=[plain(value or "0") for value in frame[measure]], hovertemplate="%{y}: %{text} " + measure + "<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(frame)), yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
            xaxis={"title": {"text": f"{measure} (logarithmic)<br>orange: the open dataset"}, "type": "log"},
        )  # fmt: skip
        return figure

    output = frame[[*paper.columns, "open"]]
    return Display(name, paper.heading, title, explanation, label, output, draw, own, notes, paper.source)
