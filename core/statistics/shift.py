"""Distribution shift between two groups of products: countries, train and test, any column against any other.

Sources: GLAMI-1M figure 3; the measures' own are in `core.statistics.measures`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.catalog.cohort import Cohort, path_text
from core.catalog.products import Products
from core.statistics import measures, theme
from core.statistics.cache import cached
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
# A column that another one determines is redundant, and not a separate test of the family.
DETERMINED = {"language": "geo", "class": "category", "label_kind": "label_source"}
CHANCE = 0.05  # significance level of p and q
NO_PRODUCTS = "No products match the filter."
SOURCE = "Kosar et al. 2022, GLAMI-1M, figure 3"
WORDS = {"geo": "countries", "language": "languages", "category": "categories", "class": "classes",
         "label_source": "label sources", "label_kind": "label kinds", "split": "splits",
         "picture": "pictures", "name_length": "name lengths", "description_length": "description lengths"}  # fmt: skip


def pair_of(table: pd.DataFrame) -> tuple[str, str] | None:
    """The default columns to compare: train and test, else the two largest; None if there are fewer."""
    known = [column for column in table.columns if column != NONE and table[column].sum() > 0]
    if "train" in known and "test" in known:
        return "train", "test"
    if len(known) < 2:
        return None
    first, second = table[known].sum().sort_values(ascending=False, kind="stable").index[:2]
    return first, second


NUMBERS = (
    "chi2", "degrees", "p_value", "permutations", "asymptotic_p", "cramers_v", "cramers_v_by_chance",
    "cramers_v_corrected", "smallest_expected", "total_variation_by_chance", "total_variation_p",
)  # fmt: skip


def numbers(
    table: pd.DataFrame, pair: tuple[str, str] | None, permutations: int | None = None
) -> dict[str, Any]:
    """Total variation, Jensen-Shannon, chi-square, p and Cramér's V of two columns of counts, with their values by chance.

    Products without a value of the compared column (the row `none`) are excluded.

    Args:
        permutations: see core.statistics.measures.association.
    """
    keys = ("total_variation", "jensen_shannon", "jensen_shannon_divergence", *NUMBERS)
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
        **{key: getattr(tested, key) for key in NUMBERS},
    }


def by_chance(p: float | None) -> bool:
    """Whether a difference is not significant."""
    return p is None or p >= CHANCE


def distribution(
    products: Products, cohort: Cohort | None = None, column: str = "geo", by: str = "split", top: int = 30
) -> Display:
    """The distribution of a column within each value of another; default: countries in train and test.

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
    moved = percent(values["total_variation"])
    expected, p_shift = values["total_variation_by_chance"], values["total_variation_p"]
    if expected is None:
        return f"{a} and {b} have the same {WORDS.get(column, column)}", ()
    if by_chance(p_shift):
        title = (
            f"{a} and {b} differ no more than expected by chance: {moved} of {a} would have to move to match {b}, "
            f"{percent(expected)} in random splits"
        )
    else:
        title = (
            f"{moved} of {a} would have to move to match {b} ({percent(expected)} in random splits); "
            f"{names[most]} differs most ({percent(share_a[most])} and {percent(share_b[most])})"
        )
    notes = (
        f"{a} against {b}: total variation {values['total_variation']:.3f}, by chance {expected:.3f} "
        f"(p {_p(p_shift, values)}); Jensen-Shannon distance {values['jensen_shannon']:.3f}; chi-square {values['chi2']:,.1f} "
        f"({values['degrees']} degrees of freedom, p {_p(values['p_value'], values)}); Cramér's V {values['cramers_v']:.3f}, by "
        f"chance {values['cramers_v_by_chance']:.3f}, corrected for chance {_number(values['cramers_v_corrected'])}.",
        f"By chance: the mean of {values['permutations']:,} random splits of the same sizes, which also give the p values; the "
        f"smallest possible is {1 / (1 + values['permutations']):.2g}.",
    )
    return title, notes


def _p(p: float | None, values: dict[str, Any]) -> str:
    """Format a permutation p-value at its resolution."""
    if p is None:
        return "unknown"
    least = 1 / (1 + values["permutations"])
    return f"at most {least:.2g}" if p <= least * (1 + 1e-9) else f"{p:.2g}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


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
        f"How strongly each column depends on {spoken(by)}: Cramér's V is 0 for not at all and 1 for wholly. Diamonds are what "
        "chance makes of as many products; q is p of permutations, corrected for looking at several columns."
    )
    column_sql(by)
    frame = cached(
        products, cohort, f"every-column-{by}".replace("_", "-"), lambda: _associations(products, cohort, by)
    )
    if frame.empty:
        return nothing(name, heading, explanation, shown(products, cohort, 0), NO_PRODUCTS)
    tested_rows = frame[frame["cramers_v"].notna()]
    label = shown(products, cohort, products.count(cohort))
    if tested_rows.empty:
        why = f"No column can be compared: {spoken(by)} or every other column has one value only."
        return nothing(name, heading, explanation, label, why, table=frame)
    family = tested_rows[tested_rows["q_value"].notna()]
    differing = family[family["q_value"].astype(float) < CHANCE]
    if differing.empty:
        title = f"No column depends on {spoken(by)} more than expected by chance ({len(family)} were tested)"
    else:
        strength = differing["cramers_v_corrected"].astype(float).fillna(0.0).to_numpy()
        strongest = differing.iloc[int(strength.argmax())]
        title = (
            f"{spoken(strongest['column'])} depends most on {spoken(by)} (V = {strongest['cramers_v']:.3f}, "
            f"{strongest['cramers_v_by_chance']:.3f} by chance); {len(differing)} of {len(family)} columns differ at q < {CHANCE:g}"
        )
    draws = int(tested_rows["permutations"].iloc[0])
    notes = [
        f"p is of {draws:,} permutations for every column; the smallest possible is {1 / (1 + draws):.2g}."
    ]
    inside = tested_rows[tested_rows["determined_by"].notna()]
    if len(inside):
        told = ", ".join(
            f"{spoken(column)} (by {spoken(other)})"
            for column, other in zip(inside["column"], inside["determined_by"], strict=True)
        )
        notes.append(f"Not tested, since another column determines it: {told}.")

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        said = [
            f"q = {q:.2g}" if q == q else f"determined by {spoken(other)}"
            for q, other in zip(
                tested_rows["q_value"].astype(float), tested_rows["determined_by"], strict=True
            )
        ]
        figure = go.Figure()
        figure.add_bar(
            y=tested_rows["column"], x=tested_rows["cramers_v"], orientation="h", name="here",
            marker_color=[theme.BLUE if q < CHANCE else theme.GREY for q in tested_rows["q_value"].astype(float)],
            text=said, textposition="outside", cliponaxis=False, showlegend=False,
            hovertemplate="%{y}: Cramér's V %{x:.3f}, %{text}<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            y=tested_rows["column"], x=tested_rows["cramers_v_by_chance"], mode="markers", name="by chance",
            marker={"symbol": "diamond", "size": 9, "color": theme.ORANGE, "line": {"width": 1, "color": "white"}},
            hovertemplate="%{y}: %{x:.3f} by chance<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(tested_rows)) + 40, yaxis={"autorange": "reversed"},
            xaxis={"title": {"text": "Cramér's V<br>(grey: q is 0.05 or more, or not tested)"}, "range": [0, 1.4 * float(tested_rows["cramers_v"].max()) or 1]},
        )  # fmt: skip
        return figure

    return Display(name, heading, title, explanation, label, frame, draw, {"columns": frame.to_dict("records")},
                   tuple(notes), source="Cramér 1946; Bergsma 2013; Benjamini and Hochberg 1995")  # fmt: skip


def determined(products: Products, cohort: Cohort | None, column: str, by: str) -> str | None:
    """The compared column that determines this one, in these products; None if there is none."""
    other = DETERMINED.get(column)
    if other is None or other == by:
        return None
    if column == "class":  # the first part of every category
        return other
    return other if bool(((crosstab(products, cohort, other, column) > 0).sum(axis=1) <= 1).all()) else None


def _associations(products: Products, cohort: Cohort | None, by: str) -> pd.DataFrame:
    """One row per compared column with all measures, strongest first; empty without products.

    The family of tests are the columns that no other determines, all with the same number of permutations.
    """
    compared = [column for column in COMPARED if column != by]
    tables = {column: crosstab(products, cohort, column, by) for column in compared}
    if not all(len(table) for table in tables.values()):
        return pd.DataFrame()
    draws = measures.draws_for(max(table.size for table in tables.values()))
    rows: list[dict[str, Any]] = []
    for column, table in tables.items():
        known = table.drop(index=NONE, errors="ignore").drop(columns=NONE, errors="ignore")
        tested = measures.association(known.to_numpy() if known.size else np.zeros((0, 0)), draws)
        pair = pair_of(table)
        two = numbers(table, pair, draws)
        rows.append({
            "column": column, "values": len(known), "between": " and ".join(pair) if pair else None,
            "total_variation": two["total_variation"],
            "total_variation_by_chance": two["total_variation_by_chance"],
            "total_variation_p": two["total_variation_p"], "jensen_shannon": two["jensen_shannon"],
            "chi2": tested.chi2, "degrees": tested.degrees, "p_value": tested.p_value,
            "permutations": tested.permutations, "asymptotic_p": tested.asymptotic_p, "cramers_v": tested.cramers_v,
            "cramers_v_by_chance": tested.cramers_v_by_chance, "cramers_v_corrected": tested.cramers_v_corrected,
            "determined_by": determined(products, cohort, column, by), "why_not": tested.why or None,
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    own = frame["determined_by"].isna()
    frame["q_value"] = measures.benjamini_hochberg(
        [p if mine else None for p, mine in zip(frame["p_value"], own, strict=True)]
    )
    return frame.sort_values("cramers_v", ascending=False, na_position="last", ignore_index=True)


def movers(products: Products, cohort: Cohort | None = None, each: int = 3) -> Display:
    """The categories whose share changes most between train and test, in each country."""
    name, heading = "movers", "What moves in each country"
    explanation = (
        "For each country the categories whose share differs most between train and test; the bar is the difference "
        "in percentage points, the country's q says whether its categories differ at all."
    )
    sql = f"""SELECT {COLUMNS["geo"]} AS geo, category_path AS path, split, count(*) AS n FROM cohort
              WHERE split IN ('train', 'test') AND category_path IS NOT NULL GROUP BY ALL"""
    found = cached(products, cohort, "geo-categories", lambda: products.frame(sql, cohort))
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
    tables: dict[str, pd.DataFrame] = {}
    for geo, part in found.groupby("geo", sort=True):
        table = pivot(part, "category", "split")
        if set(table.columns) != {"train", "test"}:
            continue
        tables[str(geo)] = table
    tests = cached(products, cohort, "movers-tests", lambda: _tests_of(tables))
    countries: list[dict[str, Any]] = [
        {str(key): value for key, value in row.items()} for row in tests.to_dict("records")
    ]
    for geo, table in tables.items():
        train, test = table["train"], table["test"]
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
    for key in ("total_variation", "total_variation_by_chance"):
        frame[key] = frame["geo"].map({country["geo"]: country[key] for country in countries})
    most = frame.iloc[int(frame["difference"].abs().argmax())]
    title = (
        f"{short_names('category', [most['category']])[0]} moves most: "
        f"{100 * most['difference']:+.1f} percentage points from train to test"
    ) + (f" in {most['geo']}" if most["geo"] != NONE else "")
    significant = sum(1 for q in q_values if q is not None and q < CHANCE)
    if not significant:
        title += ", but no country's categories differ more than expected by chance"
    notes = (
        f"In {significant} of {len(countries)} countries the categories differ between train and test at q < {CHANCE:g}. Every p "
        f"is of {int(tests['permutations'].min()):,} permutations.",
    )

    def draw() -> go.Figure:
        return _movers(products, cohort, frame)

    return Display(
        name, heading, title, explanation, label, frame, draw, {"countries": countries}, notes, SOURCE
    )


def _tests_of(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per country: geo, p, permutations (the same for all), total_variation, total_variation_by_chance."""
    draws = measures.draws_for(sum(table.size for table in tables.values()))
    rows = []
    for geo, table in tables.items():
        tested = measures.association(table.to_numpy(), draws)
        rows.append(
            {
                "geo": geo, "p": tested.p_value, "permutations": draws,
                "total_variation": measures.total_variation(table["train"], table["test"]),
                "total_variation_by_chance": tested.total_variation_by_chance,
            }
        )  # fmt: skip
    return pd.DataFrame(
        rows, columns=["geo", "p", "permutations", "total_variation", "total_variation_by_chance"]
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
