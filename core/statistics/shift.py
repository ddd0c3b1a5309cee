"""How two groups of products differ: countries, train against test, any column against any other.

Sources: GLAMI-1M figure 3; the measures' own are in `core.statistics.measures`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.catalog.cohort import Cohort, path_text
from core.catalog.products import Products
from core.statistics import measures, theme
from core.statistics.cache import kept
from core.statistics.counts import COLUMNS, NONE, column_sql, crosstab, narrowing, pivot, short_names, spoken
from core.statistics.display import Display, bar_height, bar_names, linked, nothing, percent, plain, shown

if TYPE_CHECKING:
    import plotly.graph_objects as go

COMPARED = (
    "geo",
    "language",
    "category",
    "class",
    "label_source",
    "label_kind",
    "picture",
    "name_length",
    "description_length",
)
NO_PRODUCTS = "There are no products here: the filter leaves none."
SOURCE = "Kosar et al. 2022, GLAMI-1M, figure 3"
WORDS = {"geo": "countries", "language": "languages", "category": "categories", "class": "classes",
         "label_source": "label sources", "label_kind": "label kinds", "split": "splits",
         "picture": "pictures", "name_length": "name lengths", "description_length": "description lengths"}  # fmt: skip


def pair_of(table: pd.DataFrame) -> tuple[str, str] | None:
    """The two columns that are compared where nobody chose: train and test, else the two largest; None without."""
    known = [column for column in table.columns if column != NONE and table[column].sum() > 0]
    if "train" in known and "test" in known:
        return "train", "test"
    if len(known) < 2:
        return None
    first, second = table[known].sum().sort_values(ascending=False, kind="stable").index[:2]
    return first, second


def numbers(
    table: pd.DataFrame, pair: tuple[str, str] | None, permutations: int = measures.PERMUTATIONS
) -> dict[str, Any]:
    """Total variation, Jensen-Shannon, chi-square, p and Cramér's V of two columns of counts.

    Products without a value of the compared column (the row `none`) are left out.
    """
    keys = ("total_variation", "jensen_shannon", "jensen_shannon_divergence", "chi2", "p_value", "degrees",
            "cramers_v", "smallest_expected", "permutation_p", "permutations")  # fmt: skip
    known = table.drop(index=NONE, errors="ignore")
    if pair is None or len(known) < 2 or any(known[side].sum() == 0 for side in pair):
        why = (
            "there are no two splits to compare" if pair is None
            else f"there is no value of {table.index.name} to count" if known.empty
            else f"{table.index.name} has one value only" if len(known) < 2
            else f"one of {pair[0]} and {pair[1]} has no value of {table.index.name}"
        )  # fmt: skip
        return {"between": list(pair) if pair else None, **dict.fromkeys(keys), "cannot": why}
    counts = known[list(pair)].to_numpy()
    tested = measures.association(counts, permutations)
    distance = measures.jensen_shannon(counts[:, 0], counts[:, 1])
    return {
        "between": list(pair),
        "total_variation": measures.total_variation(counts[:, 0], counts[:, 1]),
        "jensen_shannon": distance,
        "jensen_shannon_divergence": None if distance is None else distance**2,
        "chi2": tested.chi2,
        "p_value": tested.p_value,
        "degrees": tested.degrees,
        "cramers_v": tested.cramers_v,
        "smallest_expected": tested.smallest_expected,
        "permutation_p": tested.permutation_p,
        "permutations": tested.permutations,
    }


def distribution(
    products: Products, cohort: Cohort | None = None, column: str = "geo", by: str = "split", top: int = 30
) -> Display:
    """Shares of a column's values in each value of another: by default countries in train and in test.

    Raises:
        UsageError: products are not counted by such a column.
    """
    what, groups = WORDS.get(column, column), WORDS.get(by, by)
    name, heading = (
        f"{column}-by-{by}".replace("_", "-"),
        f"{what[0].upper()}{what[1:]} by {spoken(by)}",
    )
    explanation = f"The share of each of the {what} within each of the {groups}: bars of different length side by side are a shift."
    if column == by:
        return nothing(
            name,
            heading,
            explanation,
            shown(products, cohort),
            f"{column} against itself shows nothing: choose two columns.",
        )
    table = crosstab(products, cohort, column, by)
    total = int(table.to_numpy().sum())
    label = shown(products, cohort, total)
    if not total:
        return nothing(name, heading, explanation, label, NO_PRODUCTS)
    if list(table.index) == [NONE]:
        return nothing(name, heading, explanation, label, f"None of these products has a {spoken(column)}.")
    pair = pair_of(table)
    values = numbers(table, pair)
    output = table.reset_index()
    output.insert(1, "total", table.sum(axis=1).to_numpy())
    for side in table.columns:
        output[f"{side} share"] = (table[side] / max(1, table[side].sum())).to_numpy()
    if len(table) == 1:
        why = f"All {total:,} products have the same {spoken(column)} ({table.index[0]}): there is nothing to compare."
        return nothing(name, heading, explanation, label, why, table=output, values=values)
    title, notes = _words(table, column, pair, values)
    if len(table) > top:
        notes += (f"The {top} most frequent of {len(table):,} {what} are drawn; the table holds all.",)
    if len(table.columns) > len(theme.COLOURS):
        notes += (
            f"The {len(theme.COLOURS)} largest of {len(table.columns)} {groups} are drawn; the table holds all.",
        )

    def draw() -> go.Figure:
        return _bars(products, cohort, table, column, by, top)

    return Display(name, heading, title, explanation, label, output, draw, values, notes, SOURCE)


def _words(
    table: pd.DataFrame, column: str, pair: tuple[str, str] | None, values: dict[str, Any]
) -> tuple[str, tuple[str, ...]]:
    """Title and notes."""
    names = dict(zip(table.index, short_names(column, list(table.index)), strict=True))
    if values.get("total_variation") is None or pair is None:
        first = table.sum(axis=1)
        title = f"{names[first.index[0]]} is {percent(first.iloc[0] / first.sum())} of the products"
        reason = values.get("cannot")
        return title, (f"No shift is measured: {reason}.",) if reason else ()
    a, b = pair
    share_a, share_b = table[a] / table[a].sum(), table[b] / table[b].sum()
    most = str((share_b - share_a).drop(index=NONE, errors="ignore").abs().idxmax())
    title = (
        f"{percent(values['total_variation'])} of {a} would have to move to match {b}; "
        f"{names[most]} differs most ({percent(share_a[most])} and {percent(share_b[most])})"
    )
    p = values["p_value"] if values["permutation_p"] is None else values["permutation_p"]
    kind = "permutation p" if values["permutation_p"] is not None else "p"
    notes = (
        f"{a} against {b}: total variation {values['total_variation']:.3f}, Jensen-Shannon distance "
        f"{values['jensen_shannon']:.3f}, chi-square {values['chi2']:,.1f} ({values['degrees']} degrees of freedom, "
        f"{kind} {p:.2g}), Cramér's V {values['cramers_v']:.3f}.",
    )
    return title, notes


def _bars(
    products: Products, cohort: Cohort | None, table: pd.DataFrame, column: str, by: str, top: int
) -> go.Figure:
    import plotly.graph_objects as go

    drawn = table.head(top)
    names = bar_names(short_names(column, list(drawn.index)))
    sides = list(table.sum().sort_values(ascending=False, kind="stable").index[: len(theme.COLOURS)])
    sides = [side for side in table.columns if side in sides and table[side].sum()]
    figure = go.Figure()
    for position, side in enumerate(sides):
        changes: list[dict[str, Any] | None] = []
        for value in drawn.index:
            one, other = narrowing(column, str(value)), narrowing(by, str(side))
            changes.append(None if one is None else one | (other or {}))
        shares = drawn[side] / table[side].sum()
        figure.add_bar(
            y=names, x=shares, name=plain(side), orientation="h", marker_color=theme.colour(str(side), position),
            customdata=linked(cohort, products, changes), text=[f"{count:,}" for count in drawn[side]], textposition="none",
            hovertemplate="%{y}: %{x:.2%} of " + plain(side) + " (%{text} products)<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=bar_height(int(len(drawn) * (0.6 + 0.4 * min(len(sides), 6)))),
        xaxis={"title": {"text": f"share of the {spoken(by)}'s products"}, "tickformat": ".0%"},
        yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
    )  # fmt: skip
    return figure


def every_column(products: Products, cohort: Cohort | None = None, by: str = "split") -> Display:
    """Every column against one: all measures, with Benjamini-Hochberg over the family of tests."""
    name, heading = f"shift-by-{by}".replace("_", "-"), f"Every column by {spoken(by)}"
    explanation = (
        f"How strongly each column depends on {spoken(by)}: Cramér's V is 0 for not at all and 1 for wholly; "
        "q is p corrected for looking at several columns."
    )
    column_sql(by)
    frame = kept(
        products, cohort, f"every-column-{by}".replace("_", "-"), lambda: _associations(products, cohort, by)
    )
    if frame.empty:
        return nothing(name, heading, explanation, shown(products, cohort, 0), NO_PRODUCTS)
    tested_rows = frame[frame["cramers_v"].notna()]
    label = shown(products, cohort, products.count(cohort))
    if tested_rows.empty:
        why = f"No column can be compared: {spoken(by)} or every other column has one value only."
        return nothing(name, heading, explanation, label, why, table=frame)
    significant = int((tested_rows["q_value"].astype(float) < 0.05).sum())
    strongest = tested_rows.iloc[0]
    title = (
        f"{spoken(strongest['column'])} depends most on {spoken(by)} (V = {strongest['cramers_v']:.3f}); "
        f"{significant} of {len(tested_rows)} columns differ at q < 0.05"
    )

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_bar(
            y=tested_rows["column"], x=tested_rows["cramers_v"], orientation="h", showlegend=False,
            marker_color=[theme.BLUE if q < 0.05 else theme.GREY for q in tested_rows["q_value"].astype(float)],
            text=[f"q = {q:.2g}" for q in tested_rows["q_value"].astype(float)],
            hovertemplate="%{y}: Cramér's V %{x:.3f}, %{text}<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(tested_rows)), yaxis={"autorange": "reversed"},
            xaxis={"title": {"text": "Cramér's V<br>(grey: q is 0.05 or more)"}, "rangemode": "tozero"},
        )  # fmt: skip
        return figure

    return Display(name, heading, title, explanation, label, frame, draw, {"columns": frame.to_dict("records")},
                   source="Cramér 1946; Benjamini and Hochberg 1995")  # fmt: skip


def _associations(products: Products, cohort: Cohort | None, by: str) -> pd.DataFrame:
    """One row a compared column with every measure, the strongest first; empty without products."""
    rows: list[dict[str, Any]] = []
    for column in [column for column in COMPARED if column != by]:
        table = crosstab(products, cohort, column, by)
        if not len(table):
            return pd.DataFrame()
        known = table.drop(index=NONE, errors="ignore").drop(columns=NONE, errors="ignore")
        tested = measures.association(known.to_numpy() if known.size else np.zeros((0, 0)))
        pair = pair_of(table)
        two = numbers(table, pair, permutations=0)
        p = tested.p_value if tested.permutation_p is None else tested.permutation_p
        rows.append({
            "column": column, "values": len(known), "between": " and ".join(pair) if pair else None,
            "total_variation": two["total_variation"], "jensen_shannon": two["jensen_shannon"],
            "chi2": tested.chi2, "degrees": tested.degrees, "p_value": tested.p_value,
            "permutation_p": tested.permutation_p, "p_used": p, "cramers_v": tested.cramers_v,
            "why_not": tested.why or None,
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["q_value"] = measures.benjamini_hochberg([None if pd.isna(p) else p for p in frame["p_used"]])
    return frame.drop(columns="p_used").sort_values(
        "cramers_v", ascending=False, na_position="last", ignore_index=True
    )


def movers(products: Products, cohort: Cohort | None = None, each: int = 3) -> Display:
    """Which categories move most between train and test, in each country."""
    name, heading = "movers", "What moves in each country"
    explanation = (
        "For each country the categories whose share differs most between train and test; the bar is the difference "
        "in percentage points, the country's q says whether its categories differ at all."
    )
    sql = f"""SELECT {COLUMNS["geo"]} AS geo, category_path AS path, split, count(*) AS n FROM cohort
              WHERE split IN ('train', 'test') AND category_path IS NOT NULL GROUP BY ALL"""
    found = kept(products, cohort, "geo-categories", lambda: products.frame(sql, cohort))
    total = products.count(cohort)
    label = shown(products, cohort, total)
    if not total:
        return nothing(name, heading, explanation, label, NO_PRODUCTS)
    if set(found["split"]) != {"train", "test"}:
        missing = " and no ".join(sorted({"train", "test"} - set(found["split"])))
        return nothing(
            name,
            heading,
            explanation,
            label,
            f"There is no {missing} split with categories here, so nothing can move.",
        )

    found["r"], found["c"] = [path_text(tuple(path)) for path in found["path"]], found["split"]
    rows: list[dict[str, Any]] = []
    countries: list[dict[str, Any]] = []
    for geo, part in found.groupby("geo", sort=True):
        table = pivot(part, "category", "split")
        if set(table.columns) != {"train", "test"}:
            continue
        train, test = table["train"], table["test"]
        tested = measures.association(table.to_numpy(), permutations=199)
        p = tested.p_value if tested.permutation_p is None else tested.permutation_p
        countries.append({"geo": geo, "p": p, "total_variation": measures.total_variation(train, test)})
        change = test / test.sum() - train / train.sum()
        for value in change.abs().sort_values(ascending=False, kind="stable").index[:each]:
            rows.append({
                "geo": geo, "category": value, "train": int(train[value]), "test": int(test[value]),
                "train share": train[value] / train.sum(), "test share": test[value] / test.sum(),
                "difference": change[value],
            })  # fmt: skip
    if not rows:
        return nothing(name, heading, explanation, label, "No country has products in both train and test.")
    q_values = measures.benjamini_hochberg([country["p"] for country in countries])
    q_of = {country["geo"]: q for country, q in zip(countries, q_values, strict=True)}
    frame = pd.DataFrame(rows)
    frame["q_value"] = [q_of[geo] for geo in frame["geo"]]
    frame["total_variation"] = frame["geo"].map(
        {country["geo"]: country["total_variation"] for country in countries}
    )
    most = frame.iloc[int(frame["difference"].abs().argmax())]
    title = (
        f"{short_names('category', [most['category']])[0]} moves most: "
        f"{100 * most['difference']:+.1f} percentage points from train to test"
    ) + (f" in {most['geo']}" if most["geo"] != NONE else "")
    significant = sum(1 for q in q_values if q is not None and q < 0.05)
    if not significant:
        title += ", but no country's categories differ more than chance would have it"
    notes = (
        f"In {significant} of {len(countries)} countries the categories differ between train and test at q < 0.05.",
    )

    def draw() -> go.Figure:
        return _movers(products, cohort, frame)

    return Display(
        name, heading, title, explanation, label, frame, draw, {"countries": countries}, notes, SOURCE
    )


def _movers(products: Products, cohort: Cohort | None, frame: pd.DataFrame) -> go.Figure:
    import plotly.graph_objects as go

    names = bar_names([name if geo == NONE else f"{geo} · {name}" for geo, name in zip(
        frame["geo"], short_names("category", list(frame["category"])), strict=True)])  # fmt: skip
    changes = [
        (narrowing("geo", geo) or {}) | (narrowing("category", category) or {})
        for geo, category in zip(frame["geo"], frame["category"], strict=True)
    ]
    figure = go.Figure()
    figure.add_bar(
        y=names, x=100 * frame["difference"], orientation="h", showlegend=False,
        marker_color=[theme.BLUE if value > 0 else theme.ORANGE for value in frame["difference"]],
        customdata=linked(cohort, products, changes),
        text=[f"{a:.1%} of train, {b:.1%} of test" for a, b in zip(frame["train share"], frame["test share"], strict=True)],
        textposition="none", hovertemplate="%{y}: %{x:+.2f} points<br>%{text}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        height=bar_height(len(frame)), yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
        xaxis={"title": {"text": "percentage points more in test than in train"}},
    )  # fmt: skip
    return figure
