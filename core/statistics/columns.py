"""The content of each column (GLAMI-1M table 4), and repeated items and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics import theme
from core.statistics.cache import cached
from core.statistics.counts import COLUMNS, split_order
from core.statistics.display import Display, bar_height, nothing, percent, shown

if TYPE_CHECKING:
    import plotly.graph_objects as go

SOURCE = "Kosar et al. 2022, GLAMI-1M, table 4"
DESCRIPTIONS = {
    "item_id": "identifier of the item; may repeat",
    "image_id": "identifier of the picture; one picture may serve several products",
    "image": "where the picture's file is; missing where there is none",
    "geo": "country code",
    "language": "language of the text, a BCP-47 tag",
    "name": "the product's name",
    "description": "the product's description",
    "category": "the leaf category's name",
    "category_path": "the category from root to leaf",
    "category_id": "identifier of the category, as the source has it",
    "label_source": "source of the label",
    "label_kind": "human or machine, by the source's own rule",
}
SIZES = {"2": (2, 2), "3 to 5": (3, 5), "6 to 10": (6, 10), "11 to 100": (11, 100), "over 100": (101, 10**12)}
NO_PRODUCTS = "No products match the filter."


def column_counts(products: Products, cohort: Cohort | None) -> pd.DataFrame:
    """Rows, unique and missing values of every column, by split.

    Returns:
        `split`, `rows`, then `unique_<column>` (without missing values) and `missing_<column>`. Long texts are
        compared by a 64-bit hash: the probability of a collision among 3M texts is 2e-7.
    """

    def compute() -> pd.DataFrame:
        wanted = []
        for column in DESCRIPTIONS:
            value = (
                f"hash({column})"
                if column in ("name", "description", "item_id", "image_id", "image")
                else column
            )
            # hash(NULL) is a number, which must not be counted.
            known = f"FILTER (WHERE {column} IS NOT NULL)"
            wanted.append(f"count(DISTINCT {value}) {known} AS unique_{column}")
            wanted.append(f"count(*) - count({column}) AS missing_{column}")
        sql = f"SELECT {COLUMNS['split']} AS split, count(*) AS rows, {', '.join(wanted)} FROM cohort GROUP BY 1"
        return products.frame(sql, cohort)

    found = cached(products, cohort, "columns", compute).set_index("split")
    return found.loc[split_order(found.index)].astype("int64").reset_index()


def contents(products: Products, cohort: Cohort | None = None) -> Display:
    """Description, unique and missing values of every column, per split."""
    name, heading = "columns", "What each column holds"
    explanation = "Unique values and missing values of every column, in each split."
    found = column_counts(products, cohort)
    if found.empty:
        return nothing(name, heading, explanation, shown(products, cohort, 0), NO_PRODUCTS)
    rows: list[dict[str, Any]] = []
    for column, description in DESCRIPTIONS.items():
        row: dict[str, Any] = {"column": column, "description": description}
        for _, counted in found.iterrows():
            row[f"{counted['split']} unique"] = int(counted[f"unique_{column}"])
            row[f"{counted['split']} missing"] = int(counted[f"missing_{column}"])
        rows.append(row)
    table = pd.DataFrame(rows)
    total = int(found["rows"].sum())
    missing = {column: int(found[f"missing_{column}"].sum()) for column in DESCRIPTIONS}
    worst = max(missing, key=lambda column: missing[column])
    empty = [column for column, count in missing.items() if count == total]
    if missing[worst] == 0:
        title = f"Every column is filled in all {total:,} products"
    elif empty:
        title = f"{len(empty)} of {len(DESCRIPTIONS)} columns are empty: {', '.join(empty)}"
    else:
        title = f"{worst} is missing in {percent(missing[worst] / total)} of the products, more than any other column"

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        for _, counted in found.iterrows():
            split = str(counted["split"])
            shares = [counted[f"missing_{column}"] / counted["rows"] for column in DESCRIPTIONS]
            figure.add_bar(
                y=list(DESCRIPTIONS), x=shares, name=split, orientation="h", marker_color=theme.colour(split),
                customdata=[int(counted[f"missing_{column}"]) for column in DESCRIPTIONS],
                hovertemplate="%{y}: %{customdata:,} missing (%{x:.1%}) in " + split + "<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(DESCRIPTIONS) * max(1, len(found)) // 2 + 4), yaxis={"autorange": "reversed"},
            xaxis={"title": {"text": "share of the split's products without a value"}, "tickformat": ".0%", "range": [0, 1]},
        )  # fmt: skip
        return figure

    values = {
        str(counted["split"]): {
            "rows": int(counted["rows"]),
            "unique": {column: int(counted[f"unique_{column}"]) for column in DESCRIPTIONS},
            "missing": {column: int(counted[f"missing_{column}"]) for column in DESCRIPTIONS},
        }
        for _, counted in found.iterrows()
    }
    return Display(
        name, heading, title, explanation, shown(products, cohort, total), table, draw, values, source=SOURCE
    )


def repeat_counts(products: Products, cohort: Cohort | None, column: str) -> pd.DataFrame:
    """The number of values of `item_id` or `image_id` that occur n times.

    Returns:
        `times`, `geos` (countries among those products), `splits`, and `ids`, the number of such values.
    """
    assert column in ("item_id", "image_id")
    sql = f"""
        SELECT times, geos, splits, count(*) AS ids FROM (
            SELECT count(*) AS times, count(DISTINCT geo) AS geos, count(DISTINCT split) AS splits
            FROM cohort WHERE {column} IS NOT NULL GROUP BY hash({column})
        ) GROUP BY ALL ORDER BY ALL
    """
    return cached(products, cohort, f"repeats-{column}", lambda: products.frame(sql, cohort))


def repeats(products: Products, cohort: Cohort | None = None, column: str = "image_id") -> Display:
    """How many products share an item_id or a picture, within one country and across countries."""
    what = "a picture" if column == "image_id" else "an item_id"
    name, heading = f"repeated-{column}", f"Products that share {what}"
    explanation = (
        f"Products are grouped by {column}; a group of two or more shares {what}, "
        "inside one country or across several."
    )
    found = repeat_counts(products, cohort, column)
    rows = int((found["times"] * found["ids"]).sum())
    label = shown(products, cohort, rows)
    if not rows:
        why = f"No product here has an {column}." if products.count(cohort) else NO_PRODUCTS
        return nothing(name, heading, explanation, label, why)
    shared = found[found["times"] > 1]
    values = {
        "ids": int(found["ids"].sum()),
        "repeated_ids": int(shared["ids"].sum()),
        "products_sharing": int((shared["times"] * shared["ids"]).sum()),
        "most_times": int(found["times"].max()),
        "repeated_within_one_geo": int(shared.loc[shared["geos"] <= 1, "ids"].sum()),
        "repeated_across_geos": int(shared.loc[shared["geos"] > 1, "ids"].sum()),
        "repeated_across_splits": int(shared.loc[shared["splits"] > 1, "ids"].sum()),
    }
    table = pd.DataFrame(
        [
            {
                "products that share": size,
                "within one country": int(_sum(shared, low, high, across=False)),
                "across countries": int(_sum(shared, low, high, across=True)),
            }
            for size, (low, high) in SIZES.items()
        ]
    )
    if shared.empty:
        why = f"Nothing repeats: all {values['ids']:,} values of {column} occur once."
        return nothing(name, heading, explanation, label, why, table=table, values=values)
    title = (
        f"{percent(values['products_sharing'] / rows)} of the products share {what} with another, "
        f"{values['repeated_across_geos']:,} of {values['repeated_ids']:,} such groups across countries"
    )
    if values["repeated_across_splits"]:
        title += f"; {values['repeated_across_splits']:,} lie in more than one split"

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        for where, shade in (("within one country", theme.BLUE), ("across countries", theme.ORANGE)):
            figure.add_bar(
                x=table["products that share"], y=table[where], name=where, marker_color=shade,
                hovertemplate="%{y:,} groups of %{x} products, " + where + "<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            height=340, barmode="stack", yaxis={"title": {"text": f"values of {column}"}},
            xaxis={"title": {"text": f"products that share {what}"}, "type": "category"},
        )  # fmt: skip
        return figure

    return Display(
        name, heading, title, explanation, label, table, draw, values, source="Kosar et al. 2022, section 3"
    )


def _sum(shared: pd.DataFrame, low: int, high: int, across: bool) -> int:
    chosen = shared["times"].between(low, high) & ((shared["geos"] > 1) == across)
    return int(shared.loc[chosen, "ids"].sum())
