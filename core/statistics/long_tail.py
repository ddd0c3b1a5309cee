"""Class imbalance: the distribution of products over categories (GLAMI-1M figure 2 and table 5; MEP-3M figure 5, left)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics import fits, measures, theme
from core.statistics.counts import categories, narrowing, split_columns
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

MOST_POINTS = 1_500  # of a curve
MANY, FEW = 100, 20  # products per class: many above, few below (Liu et al. 2019, OpenLongTail)
SOURCE = "Kosar et al. 2022, GLAMI-1M, figure 2"
NO_CATEGORIES = "None of these products has a category, so there is nothing to count by."
NO_PRODUCTS = "No products match the filter."


def _why_empty(table: pd.DataFrame, products: Products, cohort: Cohort | None) -> str:
    return NO_CATEGORIES if products.count(cohort) else NO_PRODUCTS


def per_category(products: Products, cohort: Cohort | None = None, top: int = 30) -> Display:
    """The number of products of each category by split, largest first."""
    name, heading = "categories", "Products per category"
    explanation = "Each bar is a category and its length the number of products, coloured by split."
    table = categories(products, cohort)
    if table.empty:
        why = _why_empty(table, products, cohort)
        return nothing(name, heading, explanation, shown(products, cohort), why)
    total = int(table["total"].sum())
    first = table.iloc[0]
    title = f"{first['label']} is {percent(first['total'] / total)} of the products"
    if len(table) > 10:
        ten = percent(table["total"].head(10).sum() / total)
        title += f"; the ten largest of {len(table):,} categories hold {ten}"
    elif len(table) == 1:
        title = f"All {total:,} products are of one category: {first['label']}"
    notes = (
        (f"The {top} largest of {len(table):,} categories are drawn; the table holds all.",)
        if len(table) > top
        else ()
    )

    def draw() -> go.Figure:
        return _bars(products, cohort, table.head(top))

    return Display(
        name, heading, title, explanation, shown(products, cohort, total),
        table.drop(columns="path").assign(path=[" > ".join(path) for path in table["path"]]),
        draw, {"categories": len(table)}, notes, SOURCE,
    )  # fmt: skip


def _bars(products: Products, cohort: Cohort | None, table: pd.DataFrame, log: bool = False) -> go.Figure:
    import plotly.graph_objects as go

    names = bar_names(list(table["label"]))
    figure = go.Figure()
    for split in split_columns(table):
        changes: list[dict[str, Any] | None] = [
            {"category": (path,)} | (narrowing("split", split) or {}) for path in table["path"]
        ]
        figure.add_bar(
            y=names, x=table[split], name=split, orientation="h", marker_color=theme.colour(split),
            customdata=linked(cohort, products, changes), text=[plain(label) for label in table["label"]],
            textposition="none", hovertemplate="%{text}<br>" + split + ": %{x:,} products<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        barmode="stack", height=bar_height(len(table)),
        xaxis={"title": {"text": "products"}, "type": "log" if log else "linear"},
        yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
    )  # fmt: skip
    return figure


def rank_frequency(products: Products, cohort: Cohort | None = None, log: bool = True) -> Display:
    """Samples per category against its rank, train and test, with the best fitting shape."""
    name, heading = "long-tail", "The long tail"
    explanation = (
        "Categories in descending order of size; the straighter the fall on a logarithmic scale, "
        "the closer to an exponential."
    )
    table = categories(products, cohort)
    if table.empty:
        return nothing(
            name, heading, explanation, shown(products, cohort), _why_empty(table, products, cohort)
        )
    total = int(table["total"].sum())
    if len(table) == 1:
        why = f"All {total:,} products are of one category ({table['label'][0]}): there is no tail to draw."
        return nothing(name, heading, explanation, shown(products, cohort, total), why, table=_ranked(table))
    found = fits.fit(table["total"].to_numpy())
    ratio = measures.imbalance(table["total"].to_numpy()) or 1.0
    title = f"The largest of {len(table):,} categories has {ratio:,.3g} times the products of the smallest"
    if found:
        title += f"; {found[0].shape} fits best"
    values: dict[str, Any] = {"best_fit": found[0].shape if found else None}
    notes: tuple[str, ...] = (
        () if found else (f"Shapes are fitted from {fits.FEWEST_CLASSES} categories on.",)
    )
    if len(table) > MOST_POINTS:
        notes += (
            f"Of the {len(table):,} categories the first 300 and a share of the rest are drawn; the table holds all.",
        )

    def draw() -> go.Figure:
        return _curve(table, found, log)

    return Display(name, heading, title, explanation, shown(products, cohort, total), _ranked(table, found),
                   draw, values, notes, SOURCE)  # fmt: skip


def _ranked(table: pd.DataFrame, found: list[fits.Fit] | None = None) -> pd.DataFrame:
    columns = {"rank": np.arange(1, len(table) + 1), "category": table["label"]}
    columns |= {split: table[split] for split in split_columns(table)} | {"total": table["total"]}
    for entry in found or []:
        columns[f"fitted {entry.shape}"] = np.round(entry.expected, 2)
    return pd.DataFrame(columns)


def _curve(table: pd.DataFrame, found: list[fits.Fit], log: bool) -> go.Figure:
    import plotly.graph_objects as go

    shown_at = thinned(len(table))
    ranks, drawn = shown_at + 1, table.iloc[shown_at]
    figure = go.Figure()
    names = [plain(shorten(label, 60)) for label in drawn["label"]]
    for split in split_columns(table):
        positive = drawn[split].where(drawn[split] > 0)  # a logarithmic axis has no zero
        figure.add_scatter(
            x=ranks, y=positive, name=split, mode="markers", text=names,
            marker={"color": theme.colour(split), "size": 6 if len(table) < 400 else 4},
            hovertemplate="%{text}<br>rank %{x}: %{y:,} products (" + split + ")<extra></extra>",
        )  # fmt: skip
    dashes = ("solid", "dash", "dot", "dashdot")
    for entry, dash in zip(found, dashes, strict=False):
        figure.add_scatter(
            x=ranks, y=entry.expected[shown_at], mode="lines", name=entry.shape, hoverinfo="skip",
            line={"color": theme.GREY, "width": 2.5 if dash == "solid" else 1.5, "dash": dash},
            visible=True if dash == "solid" else "legendonly",
        )  # fmt: skip
    counted = drawn[split_columns(table)].to_numpy()
    low = max(0.5, float(counted[counted > 0].min()) / 1.5)
    figure.update_layout(
        height=460,
        xaxis={"title": {"text": "rank of the category<br>by its products in all splits"}},
        yaxis={"title": {"text": "products" + (" (logarithmic)" if log else "")},
               "type": "log" if log else "linear",
               "range": [np.log10(low), np.log10(float(table["total"].max()) * 1.5)] if log else None},
    )  # fmt: skip
    return figure


def thinned(classes: int) -> NDArray[np.int64]:
    """Ranks to draw: the first 300, then evenly spaced, MOST_POINTS at most."""
    if classes <= MOST_POINTS:
        return np.arange(classes)
    rest = np.linspace(300, classes - 1, MOST_POINTS - 300)
    return np.concatenate([np.arange(300), np.unique(rest.round().astype(np.int64))])


def extremes(products: Products, cohort: Cohort | None = None, each: int = 10) -> Display:
    """The ten most and ten least frequent categories (GLAMI-1M table 5)."""
    name, heading = "extremes", "Most and least frequent categories"
    explanation = "The categories with the most and with the fewest products, counted in the training split where there is one."
    table = categories(products, cohort)
    if table.empty:
        return nothing(
            name, heading, explanation, shown(products, cohort), _why_empty(table, products, cohort)
        )
    by = "train" if table["train"].sum() else "total"
    ordered = table.sort_values([by, "label"], ascending=[False, True], kind="stable")
    if len(table) < 2:
        why = f"There is one category only ({table['label'][0]}): it is the most and the least frequent."
        return nothing(name, heading, explanation, shown(products, cohort), why)
    half = min(each, len(table) // 2)
    picked = pd.concat([ordered.head(half), ordered.tail(half)]).reset_index(drop=True)
    most, least = picked.iloc[0], picked.iloc[-1]
    title = (
        f"From {int(most[by]):,} products of {most['label']} down to {int(least[by]):,} of {least['label']}"
    )
    kept = ["label", *split_columns(table), "total"]

    def draw() -> go.Figure:
        return _bars(products, cohort, picked)

    return Display(
        name, heading, title, explanation, shown(products, cohort, int(table["total"].sum())),
        picked[kept].rename(columns={"label": "category"}).assign(end=["most"] * half + ["least"] * half),
        draw, source="Kosar et al. 2022, GLAMI-1M, table 5",
    )  # fmt: skip


def numbers(
    counts: np.ndarray, many: int = MANY, few: int = FEW, training: np.ndarray | None = None
) -> dict[str, Any]:
    """Imbalance, Gini, entropy, effective classes, head, middle and tail of class counts.

    Args:
        counts: (K,) products per class.
        many, few: a class is head above `many` training products, tail below `few`, middle between (both included).
        training: (K,) training products per class, which define head and tail in every split, as in OpenLongTail;
            `counts` themselves where there are none.
    """
    n = np.asarray(counts)
    known = n if training is None else np.asarray(training)
    known, n = known[n > 0], n[n > 0]
    groups = {"head": known > many, "middle": (known <= many) & (known >= few), "tail": known < few}
    total = n.sum()
    return {
        "classes": int(n.size),
        "products": int(total),
        "imbalance": measures.imbalance(n),
        "gini": measures.gini(n),
        "entropy": measures.entropy(n),
        "effective_classes": measures.effective_classes(n),
        **{
            group: {
                "classes": int(chosen.sum()),
                "products": int(n[chosen].sum()),
                "share": float(n[chosen].sum() / total) if total else None,
            }
            for group, chosen in groups.items()
        },
    }


def training_counts(table: pd.DataFrame) -> np.ndarray | None:
    """(K,) training products of each category of `categories`; None without training products."""
    return table["train"].to_numpy() if len(table) and table["train"].sum() else None


def balance(products: Products, cohort: Cohort | None = None, many: int = MANY, few: int = FEW) -> Display:
    """The measures of imbalance, and the share of head, middle and tail."""
    name, heading = "balance", "Head, middle and tail"
    table = categories(products, cohort)
    training = training_counts(table)
    kind = "products" if training is None else "training products"
    explanation = (
        f"A category with more than {many:,} {kind} is head, with fewer than {few:,} tail, else middle, in every split; "
        "classifiers are usually reported on the three apart."
    )
    if table.empty:
        return nothing(
            name, heading, explanation, shown(products, cohort), _why_empty(table, products, cohort)
        )
    splits = split_columns(table)
    values = {"all": numbers(table["total"].to_numpy(), many, few, training)}
    values |= {
        split: numbers(table[split].to_numpy(), many, few, training) for split in splits if splits != [split]
    }
    rows = []
    for split, of in values.items():
        flat = {"split": split} | {key: value for key, value in of.items() if not isinstance(value, dict)}
        for group in ("head", "middle", "tail"):
            flat |= {f"{group} classes": of[group]["classes"], f"{group} share": of[group]["share"]}
        rows.append(flat)
    everything = values["all"]
    title = (
        f"{everything['tail']['classes']:,} of {everything['classes']:,} categories have fewer than {few:,} {kind}; "
        f"all are as diverse as {everything['effective_classes']:.3g} equal ones"
    )

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        for group, shade in (("head", theme.BLUE), ("middle", theme.SKY), ("tail", theme.ORANGE)):
            figure.add_bar(
                y=list(values), x=[of[group]["classes"] for of in values.values()], name=group, orientation="h",
                marker_color=shade, text=[percent(of[group]["share"] or 0) for of in values.values()],
                textposition="none",
                hovertemplate=group + ": %{x:,} categories, %{text} of the products (%{y})<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            barmode="stack", height=bar_height(len(values)), xaxis={"title": {"text": "categories"}},
            yaxis={"autorange": "reversed", "type": "category"},
        )  # fmt: skip
        return figure

    return Display(name, heading, title, explanation, shown(products, cohort, everything["products"]),
                   pd.DataFrame(rows), draw, values, source="Liu et al. 2019, arXiv:1904.05160; Hill 1973")  # fmt: skip


def shapes(products: Products, cohort: Cohort | None = None) -> Display:
    """The four fitted shapes, compared by AIC."""
    name, heading = "fits", "Which shape the tail has"
    explanation = (
        "Four curves are fitted to the rank-frequency curve by maximum likelihood; the lowest AIC fits best, "
        "and a difference above 10 leaves no doubt between the four."
    )
    table = categories(products, cohort)
    if table.empty:
        return nothing(
            name, heading, explanation, shown(products, cohort), _why_empty(table, products, cohort)
        )
    found = fits.fit(table["total"].to_numpy())
    if not found:
        why = f"A shape is fitted from {fits.FEWEST_CLASSES} categories on; here there are only {len(table)}."
        return nothing(name, heading, explanation, shown(products, cohort), why)
    rows = pd.DataFrame(
        {
            "shape": entry.shape,
            "AIC": entry.aic,
            "difference": entry.delta_aic,
            "Akaike weight": entry.weight,
            "log10 RMSE": entry.log10_rmse,
            "parameters": ", ".join(f"{key} = {value:.4g}" for key, value in entry.parameters.items()),
        }
        for entry in found
    )
    title = f"{found[0].shape} fits best, by {found[1].delta_aic:,.3g} in AIC before {found[1].shape}"
    if found[1].delta_aic < 2:
        title = f"{found[0].shape} and {found[1].shape} fit equally well"
    values = {
        entry.shape: {"aic": entry.aic, "delta_aic": entry.delta_aic, **entry.parameters} for entry in found
    }

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_bar(
            y=rows["shape"], x=rows["difference"] + 1, orientation="h", marker_color=theme.BLUE,
            customdata=rows["difference"], text=rows["parameters"], textposition="none",
            hovertemplate="%{y}: %{customdata:,.1f} above the best<br>%{text}<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=bar_height(4), yaxis={"autorange": "reversed"}, showlegend=False,
            xaxis={"title": {"text": "AIC above the best, plus 1 (logarithmic)"}, "type": "log"},
        )  # fmt: skip
        return figure

    return Display(name, heading, title[0].upper() + title[1:], explanation,
                   shown(products, cohort, int(table["total"].sum())), rows, draw, values,
                   source="Akaike 1974; Clauset, Shalizi and Newman 2009")  # fmt: skip
