"""The words of names and descriptions: the most frequent, a cloud, and those most specific to a class or country."""

from __future__ import annotations

import base64
import io
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics import theme
from core.statistics.cache import cached
from core.statistics.counts import narrowing, short_names, spoken
from core.statistics.display import Display, bar_height, bar_names, linked, nothing, percent, plain, shown
from core.statistics.fonts import drawable_file, font_for
from core.statistics.stopwords import of_languages
from core.statistics.tokens import MOST_CHINESE, Column, chinese_texts, sampled_every, word_counts

if TYPE_CHECKING:
    import plotly.graph_objects as go

PRIOR = 1_000.0  # weight of the prior in words
CLOUD_WORDS = 100
CLOUD_SIZE = (900, 480)  # pixels
SOURCE = "Liu et al. 2021, MEP-3M, figure 3"


def _languages(products: Products, cohort: Cohort | None) -> list[str]:
    return [
        str(language)
        for language in products.frame("SELECT DISTINCT language AS l FROM cohort", cohort)["l"].dropna()
    ]


def terms(
    products: Products, cohort: Cohort | None, column: Column, by: str | None = None, stop: bool = True
) -> pd.DataFrame:
    """`core.statistics.tokens.word_counts` without the stop words of the cohort's declared languages."""
    found = word_counts(products, cohort, column, by)
    if not stop:
        return found
    left_out = of_languages(_languages(products, cohort))
    return found[~found["word"].isin(left_out)].reset_index(drop=True)


def _notes(products: Products, cohort: Cohort | None, column: Column) -> tuple[str, ...]:
    notes = []
    every = sampled_every(products, cohort)
    if every > 1:
        notes.append(
            f"About one product in {every} is read, always the same ones: shares hold, counts do not."
        )
    if chinese_texts(products, cohort, column) > MOST_CHINESE:
        notes.append(f"Of the Chinese texts {MOST_CHINESE:,} are cut into words.")
    return tuple(notes)


def _why(products: Products, cohort: Cohort | None, column: Column) -> str:
    counted = products.frame(f"SELECT count(*) AS rows, count({column}) AS texts FROM cohort", cohort)
    if not counted["rows"][0]:
        return "No products match the filter."
    if not counted["texts"][0]:
        return f"None of these products has a {column}."
    return f"The {column}s here hold no words, only numbers, signs or stop words."


def frequent(
    products: Products, cohort: Cohort | None = None, column: Column = "name", top: int = 30
) -> Display:
    """The most frequent words, without stop words."""
    name, heading = f"words-{column}", f"Most frequent words of the {column}"
    explanation = "How often each word occurs, small and capital letters alike; words that every text of the language holds are left out."
    found = terms(products, cohort, column)
    rows = products.count(cohort)
    label = shown(products, cohort, rows)
    if found.empty:
        return nothing(name, heading, explanation, label, _why(products, cohort, column))
    table = found[["word", "n", "texts"]].head(5_000)
    read = max(1, rows // max(1, sampled_every(products, cohort)))
    title = f"“{table['word'][0]}” is the most frequent word, in {percent(min(1.0, table['texts'][0] / read))} of the products"
    base = cohort or Cohort(products.info.name)
    drawn = table.head(top)

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_bar(
            y=bar_names(list(drawn["word"])), x=drawn["n"], orientation="h", marker_color=theme.BLUE, showlegend=False,
            customdata=linked(cohort, products, [{"text": f"{base.text} {word}".strip()} for word in drawn["word"]]),
            text=[f"in {n:,} products" for n in drawn["texts"]], textposition="none",
            hovertemplate="%{y}: %{x:,} times, %{text}<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(drawn)), yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
            xaxis={"title": {"text": "occurrences"}},
        )  # fmt: skip
        return figure

    notes = _notes(products, cohort, column)
    return Display(
        name, heading, title, explanation, label, table, draw, {"words": len(found)}, notes, SOURCE
    )


def cloud(products: Products, cohort: Cohort | None = None, column: Column = "name") -> Display:
    """The most frequent words as a cloud, the larger the more frequent."""
    name, heading = f"cloud-{column}", f"Word cloud of the {column}"
    explanation = "The larger a word the more often it occurs; position and colour have no meaning."
    found = terms(products, cohort, column)
    label = shown(products, cohort, products.count(cohort))
    if found.empty:
        return nothing(name, heading, explanation, label, _why(products, cohort, column))
    table = found[["word", "n", "texts"]].head(CLOUD_WORDS)
    font = font_for(table["word"])
    drawable = table[[not font.missing & set(word) for word in table["word"]]]
    if font.path is None or drawable.empty:
        why = font.says or "There is no font file on this computer to draw a cloud with."
        return nothing(name, heading, explanation, label, why, table=table)
    notes = _notes(products, cohort, column)
    if font.missing:
        notes += (font.says,)
    title = "Most frequent: " + ", ".join(f"“{word}”" for word in drawable["word"].head(3))

    made = _laid_out(drawable, str(drawable_file(font.path)))

    def draw() -> go.Figure:
        return _cloud(products, cohort, drawable, *made)

    return Display(
        name, heading, title, explanation, label, table, draw, {"font": font.path.name}, notes, SOURCE
    )


Placed = tuple[str, int, tuple[int, int]]  # word, size in pixels, (row, column) of its upper left corner


def _laid_out(table: pd.DataFrame, font: str) -> tuple[bytes, list[Placed]]:
    """The cloud as PNG, and the place of each word; computed with the display, since it takes a second."""
    from wordcloud import WordCloud

    width, height = CLOUD_SIZE
    shade = {word: theme.COLOURS[index % 6] for index, word in enumerate(table["word"])}
    made = WordCloud(
        font_path=font, width=width, height=height, scale=2, mode="RGBA", background_color=None, random_state=0,
        prefer_horizontal=1.0, relative_scaling=0.5, max_words=len(table), color_func=lambda word, **_: shade[word],
    ).generate_from_frequencies(dict(zip(table["word"], table["n"].astype(float), strict=True)))  # fmt: skip
    buffer = io.BytesIO()
    made.to_image().save(buffer, "PNG", compress_level=6)
    return buffer.getvalue(), [(entry[0][0], entry[1], entry[2]) for entry in made.layout_]


def _cloud(
    products: Products, cohort: Cohort | None, table: pd.DataFrame, png: bytes, placed: list[Placed]
) -> go.Figure:
    """The cloud as a picture, below invisible points for hovering and clicking."""
    import plotly.graph_objects as go

    width, height = CLOUD_SIZE
    figure = go.Figure()
    figure.add_layout_image(
        source="data:image/png;base64," + base64.b64encode(png).decode(), xref="x", yref="y",
        x=0, y=0, sizex=width, sizey=height, sizing="contain", layer="below",
    )  # fmt: skip
    counts = dict(zip(table["word"], table["n"], strict=True))
    base = cohort or Cohort(products.info.name)
    figure.add_scatter(
        x=[place[1] + 0.3 * size * len(word) for word, size, place in placed],
        y=[place[0] + 0.5 * size for _, size, place in placed], mode="markers", showlegend=False,
        marker={"opacity": 0, "size": [max(8, size) for _, size, _ in placed]},
        text=[f"{plain(word)}: {counts[word]:,} times" for word, _, _ in placed], hovertemplate="%{text}<extra></extra>",
        customdata=linked(cohort, products, [{"text": f"{base.text} {word}".strip()} for word, _, _ in placed]),
    )  # fmt: skip
    hidden = {"visible": False, "fixedrange": True}
    figure.update_layout(
        height=460, xaxis=hidden | {"range": [0, width]}, yaxis=hidden | {"range": [height, 0], "scaleanchor": "x"},
    )  # fmt: skip
    return figure


def log_odds(group: ArrayLike, everything: ArrayLike, prior: float = PRIOR) -> NDArray[np.float64]:
    """z of each word's log-odds in a group against the rest, under an informative Dirichlet prior.

    With y and n the counts and size of the group (i) and the rest (j), a_w = prior * share of w in all, a_0 = prior:

        d_w = ln((y_iw + a_w) / (n_i + a_0 - y_iw - a_w)) - ln((y_jw + a_w) / (n_j + a_0 - y_jw - a_w))
        z_w = d_w / sqrt(1 / (y_iw + a_w) + 1 / (y_jw + a_w))

    Args:
        group, everything: (W,) occurrences of each word in the group and in all groups together, the group included.

    Returns:
        (W,) z; above 1.96 more frequent in the group than in the rest, below -1.96 rarer, at 5% each.

    Source: Monroe, Colaresi and Quinn 2008, "Fightin' Words", equations 16 and 20 to 22.
    """
    y, total = np.asarray(group, dtype=np.float64), np.asarray(everything, dtype=np.float64)
    if y.shape != total.shape or (y > total).any() or (y < 0).any():
        raise ValueError("every count of the group is between 0 and the count of all")
    rest, alpha = total - y, prior * total / total.sum()
    n, m = y.sum(), rest.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log((y + alpha) / (n + prior - y - alpha)) - np.log(
            (rest + alpha) / (m + prior - rest - alpha)
        )
        z = odds / np.sqrt(1 / (y + alpha) + 1 / (rest + alpha))
    return np.asarray(np.nan_to_num(z))


def specific(
    products: Products, cohort: Cohort | None = None, column: Column = "name", by: str = "category",
    group: str | None = None, each: int = 5, top: int = 12,
) -> Display:  # fmt: skip
    """The words most specific to each class or country, or to one of them.

    Args:
        group: one value of `by`; None shows `each` words of the `top` largest.
    """
    what = spoken(by)
    name = f"specific-{column}-by-{by}".replace("_", "-")
    heading = (
        f"Words most specific to each {what}"
        if group is None
        else f"Words most specific to {short_names(by, [group])[0]}"
    )
    explanation = (
        f"z of the log-odds of a word in a {what} against the rest: above 1.96 it is significantly more frequent there; "
        "unlike a plain ratio it is not dominated by rare words."
    )
    label = shown(products, cohort, products.count(cohort))
    make = partial(_most_specific, products, cohort, column, by, group, each, top)
    # Only the overview of all values is worth caching.
    table = make() if group is not None else cached(products, cohort, f"{name}-{each}-{top}", make)
    if table.empty:
        sizes = terms(products, cohort, column, by)["group"].unique()
        if not len(sizes):
            why = _why(products, cohort, column)
        elif len(sizes) == 1:
            why = f"There is one {what} with words only ({short_names(by, [str(sizes[0])])[0]}): nothing to compare it with."
        else:
            why = f"There are no words of {short_names(by, [str(group)])[0]} here."
        return nothing(name, heading, explanation, label, why)
    groups = int(table.pop("groups").iloc[0])
    first = table.iloc[int(table["z"].argmax())]
    title = f"“{first['word']}” is most specific to {short_names(by, [first[by]])[0]} (z = {first['z']:.3g})"
    notes = _notes(products, cohort, column)
    if group is None and groups > top:
        notes += (f"The {top} of {groups:,} with the most words are shown; choose one to see any other.",)

    def draw() -> go.Figure:
        return _specific(products, cohort, table, by)

    return Display(name, heading, title, explanation, label, table, draw, {}, notes,
                   "Monroe, Colaresi and Quinn 2008, Fightin' Words")  # fmt: skip


def _most_specific(
    products: Products, cohort: Cohort | None, column: Column, by: str, group: str | None, each: int, top: int
) -> pd.DataFrame:
    """`by`, `word`, `z`, `n`, `elsewhere` and the number of `groups`; empty if there is nothing to compare."""
    found = terms(products, cohort, column, by)
    sizes = found.groupby("group")["n"].sum().sort_values(ascending=False, kind="stable")
    rows: list[dict[str, Any]] = []
    if len(sizes) > 1:
        everything = found.groupby("word", sort=False)["n"].sum()
        for value in sizes.index[:top] if group is None else [group]:
            own = found[found["group"] == value].set_index("word")["n"]
            z = pd.Series(
                log_odds(own.reindex(everything.index, fill_value=0), everything), index=everything.index
            )
            best = (
                z[own.index].sort_values(ascending=False, kind="stable").head(each if group is None else 25)
            )
            for word, score in zip(best.index.astype(str), best, strict=True):
                here = int(own[word])
                rows.append({by: value, "word": word, "z": score, "n": here, "elsewhere": int(everything[word]) - here,
                             "groups": len(sizes)})  # fmt: skip
    return pd.DataFrame(rows, columns=[by, "word", "z", "n", "elsewhere", "groups"])


def _specific(products: Products, cohort: Cohort | None, table: pd.DataFrame, by: str) -> go.Figure:
    import plotly.graph_objects as go

    values = list(dict.fromkeys(table[by]))
    names = dict(zip(values, short_names(by, values), strict=True))
    several = len(values) > 1
    base = cohort or Cohort(products.info.name)
    labels = [
        f"{names[value]} · {word}" if several else word
        for value, word in zip(table[by], table["word"], strict=True)
    ]
    changes: list[dict[str, Any] | None] = []
    for value, word in zip(table[by], table["word"], strict=True):
        narrowed = narrowing(by, value)
        changes.append(None if narrowed is None else narrowed | {"text": f"{base.text} {word}".strip()})
    figure = go.Figure()
    figure.add_bar(
        y=bar_names(labels, 40), x=table["z"], orientation="h", showlegend=False,
        marker_color=[theme.colour(value, values.index(value)) for value in table[by]],
        customdata=linked(cohort, products, changes),
        text=[f"{n:,} times here, {m:,} elsewhere" for n, m in zip(table["n"], table["elsewhere"], strict=True)],
        textposition="none", hovertemplate="%{y}: z = %{x:.1f}<br>%{text}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        height=bar_height(len(table)), yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
        xaxis={"title": {"text": "z of the log-odds against the rest"}},
    )  # fmt: skip
    return figure
