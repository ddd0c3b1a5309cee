"""Label sources (GLAMI-1M, supplementary table 2), machine labels by category and country, and label conflicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.catalog.cohort import Cohort, path_text
from core.catalog.products import Products
from core.statistics import measures, theme
from core.statistics.cache import cached
from core.statistics.counts import (
    COLUMNS,
    NONE,
    column_sql,
    crosstab,
    narrowing,
    short_names,
    split_order,
    spoken,
)
from core.statistics.display import (
    Display,
    bar_height,
    bar_names,
    linked,
    nothing,
    percent,
    plain,
    shorten,
    shown,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

SOURCE = "Kosar et al. 2022, GLAMI-1M, supplementary table 2"
NO_PRODUCTS = "No products match the filter."
NO_KIND = "The source does not distinguish human and machine labels."


def source_counts(products: Products, cohort: Cohort | None) -> pd.DataFrame:
    """`label_source`, `label_kind`, one column per split, `total`; most frequent first."""
    sql = f"""SELECT {COLUMNS["label_source"]} AS label_source, {COLUMNS["label_kind"]} AS label_kind,
              {COLUMNS["split"]} AS split, count(*) AS n FROM cohort GROUP BY ALL"""
    found = products.frame(sql, cohort)
    table = found.pivot_table(
        index=["label_source", "label_kind"], columns="split", values="n", aggfunc="sum", fill_value=0
    )
    table = table.reindex(columns=split_order(table.columns)).astype("int64")
    table["total"] = table.sum(axis=1)
    return table.sort_values("total", ascending=False, kind="stable").reset_index().rename_axis(columns=None)


def shares(products: Products, cohort: Cohort | None = None) -> Display:
    """Share of each label source in each split."""
    name, heading = "label-sources", "Where the labels come from"
    explanation = "The share of each split's labels that each source gave, coloured by whether people or rules gave them."
    table = source_counts(products, cohort)
    total = int(table["total"].sum()) if len(table) else 0
    label = shown(products, cohort, total)
    if not total:
        return nothing(name, heading, explanation, label, NO_PRODUCTS)
    splits = [column for column in table.columns if column not in ("label_source", "label_kind", "total")]
    output = table.copy()
    for split in splits:
        output[f"{split} share"] = table[split] / table[split].sum()
    if len(table) == 1:
        why = f"All {total:,} labels have one source: {table['label_source'][0]}."
        return nothing(name, heading, explanation, label, why, table=output)
    machine = table[table["label_kind"] == "machine"]
    title = f"{table['label_source'][0]} gave {percent(table['total'][0] / total)} of the labels"
    if (table["label_kind"] != NONE).any():
        title += f"; machines gave {percent(machine['total'].sum() / total)}"
        if len(splits) > 1:
            parts = [f"{percent(machine[split].sum() / table[split].sum())} in {split}" for split in splits]
            title += f" ({', '.join(parts)})"

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        names = bar_names([f"{source} ({kind})" if kind != NONE else source for source, kind in zip(
            table["label_source"], table["label_kind"], strict=True)])  # fmt: skip
        for split in splits:
            changes: list[dict[str, Any] | None] = [
                {**(narrowing("label_source", source) or {}), **(narrowing("split", split) or {})}
                for source in table["label_source"]
            ]
            figure.add_bar(
                y=names, x=table[split] / table[split].sum(), name=split, orientation="h", marker_color=theme.colour(split),
                customdata=linked(cohort, products, changes), text=[f"{n:,}" for n in table[split]], textposition="none",
                hovertemplate="%{y}: %{x:.2%} of " + split + " (%{text} products)<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(table) * len(splits)), yaxis={"autorange": "reversed", "type": "category"},
            xaxis={"title": {"text": "share of the split's products"}, "tickformat": ".0%"},
        )  # fmt: skip
        return figure

    return Display(name, heading, title, explanation, label, output, draw, source=SOURCE)


def machine_by(
    products: Products, cohort: Cohort | None = None, by: str = "category", top: int = 30
) -> Display:
    """Share of machine labels in each category or country, against the whole, with intervals and q values."""
    what = spoken(by)
    name, heading = f"machine-by-{by}".replace("_", "-"), f"Machine labels by {what}"
    explanation = (
        f"The share of machine labels in each {what} with its 95% Wilson interval; the dashed line is the share "
        "over all, and q is the corrected p-value of its difference from the rest."
    )
    table = crosstab(products, cohort, by, "label_kind")
    total = int(table.to_numpy().sum())
    label = shown(products, cohort, total)
    if not total:
        return nothing(name, heading, explanation, label, NO_PRODUCTS)
    if not {"human", "machine"} & set(table.columns):
        return nothing(name, heading, explanation, label, NO_KIND)
    for kind in ("human", "machine"):
        if kind not in table or not table[kind].sum():
            other = "machine" if kind == "human" else "human"
            return nothing(
                name,
                heading,
                explanation,
                label,
                f"All labels here are {other}: there is nothing to compare.",
            )
    if len(table) == 1:
        return nothing(name, heading, explanation, label, f"All products have one {what}: {table.index[0]}.")
    machine, known = int(table["machine"].sum()), int(table[["human", "machine"]].to_numpy().sum())
    counted = table[table["human"] + table["machine"] > 0]
    m, n = counted["machine"].to_numpy(), (counted["human"] + counted["machine"]).to_numpy()
    intervals = np.array([measures.wilson(int(hits), int(size)) for hits, size in zip(m, n, strict=True)])
    output = pd.DataFrame({
        by: counted.index, "machine": m, "human": n - m, "machine share": m / n, "low": intervals[:, 0],
        "high": intervals[:, 1], "times the average": (m / n) / (machine / known),
        "q_value": measures.benjamini_hochberg(measures.against_the_rest(m, n).tolist()),
    })  # fmt: skip
    output = output.sort_values(["machine share", by], ascending=[False, True], ignore_index=True)
    names = short_names(by, list(output[by]))
    title = (
        f"Machines gave {percent(machine / known)} of the labels, most in {names[0]} "
        f"({percent(output['machine share'][0])}), least in {names[-1]} ({percent(output['machine share'].iloc[-1])})"
    )
    drawn = output.head(top)
    notes = (
        (f"The {top} highest of {len(output):,} are drawn; the table has all.",) if len(output) > top else ()
    )

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_bar(
            y=bar_names(names[:top]), x=drawn["machine share"], orientation="h", showlegend=False,
            marker_color=[theme.RED if q is not None and q < 0.05 else theme.GREY for q in drawn["q_value"]],
            error_x={"type": "data", "symmetric": False, "array": drawn["high"] - drawn["machine share"],
                     "arrayminus": drawn["machine share"] - drawn["low"], "thickness": 1, "width": 2},
            customdata=linked(cohort, products, [
                (narrowing(by, str(value)) or {}) | {"label_kind": ("machine",)} for value in drawn[by]]),
            text=[f"{m:,} machine, {h:,} human, q = {q:.2g}" for m, h, q in zip(
                drawn["machine"], drawn["human"], drawn["q_value"].astype(float), strict=True)],
            textposition="none", hovertemplate="%{y}: %{x:.1%} machine<br>%{text}<extra></extra>",
        )  # fmt: skip
        figure.add_vline(x=machine / known, line={"dash": "dash", "width": 1, "color": theme.GREY})
        figure.update_layout(
            height=bar_height(len(drawn)), yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
            xaxis={"title": {"text": "share of machine labels<br>(grey: q is 0.05 or more)"}, "tickformat": ".0%", "rangemode": "tozero"},
        )  # fmt: skip
        return figure

    values = {"machine": machine, "human": known - machine, "machine_share": machine / known}
    return Display(name, heading, title, explanation, label, output, draw, values, notes, SOURCE)


def crossed(products: Products, cohort: Cohort | None = None, by: str = "geo", top: int = 30) -> Display:
    """Every label source crossed with countries or categories, as a heat map of row shares."""
    what = spoken(by)
    column_sql(by)
    name, heading = f"label-sources-by-{by}".replace("_", "-"), f"Label sources by {what}"
    explanation = f"Each row is a {what}; the darker a cell, the larger the share of its labels that came from that source."
    table = crosstab(products, cohort, by, "label_source")
    total = int(table.to_numpy().sum())
    label = shown(products, cohort, total)
    if not total:
        return nothing(name, heading, explanation, label, NO_PRODUCTS)
    if min(table.shape) < 2:
        why = (
            f"All labels have one source: {table.columns[0]}." if table.shape[1] < 2
            else f"None of these products has a {what}." if table.index[0] == NONE
            else f"All products have one {what}: {table.index[0]}."
        )  # fmt: skip
        return nothing(name, heading, explanation, label, why)
    row_shares = table.div(table.sum(axis=1), axis=0)
    spread = (row_shares.max() - row_shares.min()).sort_values(ascending=False)
    names = dict(zip(table.index, short_names(by, list(table.index)), strict=True))
    first = spread.index[0]
    title = (
        f"{first} varies most: {percent(row_shares[first].min())} in {names[row_shares[first].idxmin()]}, "
        f"{percent(row_shares[first].max())} in {names[row_shares[first].idxmax()]}"
    )
    drawn = row_shares.head(top)
    notes = (
        (f"The {top} most frequent of {len(table):,} are drawn; the table has all.",)
        if len(table) > top
        else ()
    )

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_heatmap(
            z=drawn.to_numpy(), x=[plain(shorten(source, 20)) for source in drawn.columns],
            y=bar_names([names[value] for value in drawn.index]), zmin=0, zmax=1,
            customdata=table.head(top).to_numpy(), colorbar={"tickformat": ".0%", "title": {"text": "share"}},
            hovertemplate="%{y}: %{z:.1%} from %{x} (%{customdata:,} products)<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(drawn), 150), xaxis={"title": {"text": "label source"}, "side": "bottom", "type": "category"},
            yaxis={"autorange": "reversed", "type": "category", "dtick": 1, "title": {"text": what}},
        )  # fmt: skip
        return figure

    return Display(
        name,
        heading,
        title,
        explanation,
        label,
        table.reset_index().rename_axis(columns=None),
        draw,
        notes=notes,
        source=SOURCE,
    )


def conflict_tables(
    products: Products, cohort: Cohort | None, most: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pictures with more than one category, and between which categories and kinds of label.

    Returns:
        The `most` pictures with the most products: `image_id`, `categories`, `sources`, `kinds`, `products`. And every
        combination: `categories`, `kinds`, `pictures`, `products`, `examples` (at most 50 image_id).
    """
    # Groups meet by hashes; texts are fetched only for the pictures that disagree.
    disagreeing = f"""
        SELECT image_id, list_sort(list(DISTINCT category_path)) AS categories, count(*) AS products,
               list_sort(list(DISTINCT {COLUMNS["label_source"]})) AS sources,
               list_sort(list(DISTINCT {COLUMNS["label_kind"]})) AS kinds
        FROM cohort WHERE category_path IS NOT NULL AND image_id IS NOT NULL AND hash(image_id) IN (
            SELECT hash(image_id) FROM cohort WHERE image_id IS NOT NULL AND category_path IS NOT NULL
            GROUP BY 1 HAVING min(hash(category_path)) <> max(hash(category_path)))
        GROUP BY image_id"""
    first = cached(
        products, cohort, f"conflict-pictures-{most}",
        lambda: _named(products.frame(f"SELECT * FROM ({disagreeing}) ORDER BY products DESC, image_id LIMIT ?", cohort, [most])),
    )  # fmt: skip
    combined = f"""SELECT categories, kinds, count(*) AS pictures, sum(products)::BIGINT AS products,
                   list_sort(list(image_id))[:50] AS examples
                   FROM ({disagreeing}) GROUP BY ALL ORDER BY pictures DESC, categories, kinds"""
    pairs = cached(products, cohort, "conflict-pairs", lambda: _named(products.frame(combined, cohort)))
    return first, pairs


def _named(found: pd.DataFrame) -> pd.DataFrame:
    found["categories"] = [
        " | ".join(path_text(tuple(path)) for path in paths) for paths in found["categories"]
    ]
    found["kinds"] = [" and ".join(kinds) for kinds in found["kinds"]]
    if "sources" in found:
        found["sources"] = [", ".join(sources) for sources in found["sources"]]
    return found


def conflicts(products: Products, cohort: Cohort | None = None, most: int = 1_000) -> Display:
    """Pictures that carry more than one category, and between which sources they disagree."""
    name, heading = "conflicts", "Pictures with two labels"
    explanation = "Products that share a picture should share a category; where they do not, at least one label is doubtful."

    table, pairs = conflict_tables(products, cohort, most)
    rows = products.count(cohort)
    label = shown(products, cohort, rows)
    if not rows:
        return nothing(name, heading, explanation, label, NO_PRODUCTS)
    if pairs.empty:
        return nothing(name, heading, explanation, label, "No picture here carries two different categories.",
                       values={"pictures": 0, "products": 0})  # fmt: skip
    pictures = int(pairs["pictures"].sum())
    values = {
        "pictures": pictures,
        "products": int(pairs["products"].sum()),
        "between": {str(kinds): int(n) for kinds, n in pairs.groupby("kinds")["pictures"].sum().items()},
    }
    drawn = pairs.groupby("categories", sort=False).agg(
        pictures=("pictures", "sum"), examples=("examples", "first")
    )
    drawn = drawn.sort_values("pictures", ascending=False, kind="stable").head(20)
    title = f"{pictures:,} pictures carry more than one category, on {values['products']:,} products; most often {drawn.index[0]}"
    notes = (f"The first {most:,} pictures are in the table.",) if pictures > most else ()

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_bar(
            y=bar_names(list(drawn.index), 56), x=drawn["pictures"], orientation="h", marker_color=theme.RED, showlegend=False,
            customdata=linked(cohort, products, [{"image_id": tuple(some)} for some in drawn["examples"]]),
            hovertemplate="%{y}: %{x:,} pictures<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(drawn)), yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
            xaxis={"title": {"text": "pictures"}},
        )  # fmt: skip
        return figure

    return Display(name, heading, title, explanation, label, table, draw, values, notes, SOURCE)
