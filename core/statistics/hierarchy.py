"""The tree of categories with its counts (MEP-3M figure 4 and table 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from core.catalog.cohort import Cohort, path_text
from core.catalog.products import Products
from core.statistics import theme
from core.statistics.counts import categories
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

Path = tuple[str, ...]
Shape = Literal["treemap", "sunburst", "icicle"]
MOST_NODES = 600  # drawn at once: more are slow and illegible
SOURCE = "Liu et al. 2021, MEP-3M, figure 4 and table 2"
LEVELS = ("classes", "sub-classes", "third levels")


def tree(table: pd.DataFrame) -> dict[Path, int]:
    """The number of products of every node, including inner nodes."""
    nodes: dict[Path, int] = {}
    for path, total in zip(table["path"], table["total"], strict=True):
        for depth in range(1, len(path) + 1):
            nodes[path[:depth]] = nodes.get(path[:depth], 0) + int(total)
    return nodes


def levels(nodes: Mapping[Path, int]) -> list[int]:
    """The number of nodes at each level: classes, sub-classes, third levels, ..."""
    depth = max((len(path) for path in nodes), default=0)
    return [sum(1 for path in nodes if len(path) == level) for level in range(1, depth + 1)]


def nested(nodes: Mapping[Path, int]) -> list[dict[str, Any]]:
    """The tree as nested dictionaries: `name`, `products`, `children`; largest first."""
    made: dict[Path, dict[str, Any]] = {}
    roots: list[dict[str, Any]] = []
    for path in sorted(nodes, key=lambda path: (len(path), -nodes[path], path)):
        made[path] = {"name": path[-1], "products": nodes[path], "children": []}
        (made[path[:-1]]["children"] if len(path) > 1 else roots).append(made[path])
    return roots


def words(counted: list[int]) -> str:
    """
    >>> words([14, 599])
    '14 classes and 599 sub-classes'
    """
    parts = [
        f"{n:,} {LEVELS[level] if level < 3 else f'at level {level + 1}'}" for level, n in enumerate(counted)
    ]
    parts = [part.replace("classes", "class") if part.startswith("1 ") else part for part in parts]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def shape(products: Products, cohort: Cohort | None = None, kind: Shape = "treemap") -> Display:
    """The label tree as treemap, sunburst or icicle."""
    name, heading = f"hierarchy-{kind}", "The tree of categories"
    explanation = (
        "Each field is a category, its size the number of products. Click to go down a level, and back up."
    )
    table = categories(products, cohort)
    if table.empty:
        why = (
            "None of these products has a category."
            if products.count(cohort)
            else "No products match the filter."
        )
        return nothing(name, heading, explanation, shown(products, cohort), why)
    nodes = tree(table)
    counted = levels(nodes)
    total = int(table["total"].sum())
    first, most = max(
        ((node[0], n) for node, n in nodes.items() if len(node) == 1), key=lambda entry: entry[1]
    )
    title = f"{words(counted)}: {first} holds {percent(most / total)} of the products"
    notes: tuple[str, ...] = (
        ("The source is flat: its tree has a single level.",) if len(counted) == 1 else ()
    )
    drawn, hidden = pruned(nodes, MOST_NODES)
    if hidden:
        notes += (
            f"The {len(drawn):,} largest of {len(nodes):,} nodes are drawn, the rest of each branch as one field; the table has all.",
        )
    output = pd.DataFrame(
        [
            {"path": path_text(node), "level": len(node), "name": node[-1], "products": n}
            for node, n in sorted(nodes.items())
        ]
    )

    def draw() -> go.Figure:
        return _figure(products, cohort, drawn, hidden, total, kind)

    values = {"levels": counted, "depth": len(counted), "leaves": len(table)}
    return Display(
        name, heading, title, explanation, shown(products, cohort, total), output, draw, values, notes, SOURCE
    )


def pruned(nodes: dict[Path, int], most: int) -> tuple[dict[Path, int], dict[Path, tuple[int, int]]]:
    """The largest nodes, ancestors first, and the omitted (nodes, products) below each parent."""
    if len(nodes) <= most:
        return nodes, {}
    # An ancestor has at least its child's count: sorting short paths first, every chosen node's ancestors are chosen.
    order = sorted(nodes, key=lambda path: (-nodes[path], len(path), path))
    kept = {path: nodes[path] for path in order[:most]}
    hidden: dict[Path, tuple[int, int]] = {}
    for path in order[most:]:
        if len(path) == 1 or path[:-1] in kept:
            count, n = hidden.get(path[:-1], (0, 0))
            hidden[path[:-1]] = (count + 1, n + nodes[path])
    return kept, hidden


def _figure(
    products: Products,
    cohort: Cohort | None,
    nodes: dict[Path, int],
    hidden: dict[Path, tuple[int, int]],
    total: int,
    kind: Shape,
) -> go.Figure:
    import plotly.graph_objects as go

    number = {path: f"n{index}" for index, path in enumerate(nodes)}  # ids are unique, names may repeat
    roots = sorted((path for path in nodes if len(path) == 1), key=lambda path: -nodes[path])
    shade = {path[0]: theme.COLOURS[index % len(theme.COLOURS)] for index, path in enumerate(roots)}
    ids = ["root", *number.values(), *(f"h{index}" for index in range(len(hidden)))]
    labels = [
        "all",
        *(plain(shorten(path[-1], 40)) for path in nodes),
        *(f"{count:,} more" for count, _ in hidden.values()),
    ]
    parents = [
        "",
        *(number.get(path[:-1], "root") for path in nodes),
        *(number.get(parent, "root") for parent in hidden),
    ]
    values = [total, *nodes.values(), *(n for _, n in hidden.values())]
    colours = [theme.GREY, *(shade[path[0]] for path in nodes), *[theme.GREY] * len(hidden)]
    links = linked(cohort, products, [{}, *({"category": (path,)} for path in nodes), *[None] * len(hidden)])
    trace = {"treemap": go.Treemap, "sunburst": go.Sunburst, "icicle": go.Icicle}[kind]
    more: dict[str, Any] = (
        {"insidetextorientation": "radial"}
        if kind == "sunburst"
        else {"tiling": {"orientation": "v"}}
        if kind == "icicle"
        else {}
    )
    figure = go.Figure(
        trace(
            ids=ids, labels=labels, parents=parents, values=values, branchvalues="total", maxdepth=3, customdata=links,
            marker={"colors": colours, "line": {"width": 1}}, **more,
            hovertemplate="%{label}: %{value:,} products, %{percentRoot:.2%} of all<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(height=560)
    return figure


def classes(products: Products, cohort: Cohort | None = None, top: int = 30) -> Display:
    """Samples and sub-classes of every class (MEP-3M table 2)."""
    name, heading = "classes", "Classes and their sub-classes"
    explanation = "For each class of the first level: its products, and the number of categories below it."
    table = categories(products, cohort)
    if table.empty:
        why = (
            "None of these products has a category."
            if products.count(cohort)
            else "No products match the filter."
        )
        return nothing(name, heading, explanation, shown(products, cohort), why)
    nodes = tree(table)
    total = int(table["total"].sum())
    roots = sorted((path for path in nodes if len(path) == 1), key=lambda path: (-nodes[path], path))
    below: dict[tuple[str, int], int] = {}
    for path in nodes:
        below[path[0], len(path)] = below.get((path[0], len(path)), 0) + 1
    output = pd.DataFrame(
        [{"class": root[0], "products": nodes[root], "sub-classes": below.get((root[0], 2), 0),
          "third levels": below.get((root[0], 3), 0)} for root in roots]
    )  # fmt: skip
    counted = levels(nodes)
    notes = (
        (f"The {top} largest of {len(output):,} classes are drawn; the table has all.",)
        if len(output) > top
        else ()
    )
    if len(counted) == 1:
        why = f"The source is flat: {words(counted)} without anything below."
        return nothing(name, heading, explanation, shown(products, cohort, total), why, table=output)
    title = (
        f"{output['class'][0]} is the largest of {words(counted)}, with {output['products'][0]:,} products"
    )
    drawn = output.head(top)

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_bar(
            y=bar_names(list(drawn["class"])), x=drawn["products"], orientation="h", marker_color=theme.BLUE, showlegend=False,
            customdata=linked(cohort, products, [{"category": ((value,),)} for value in drawn["class"]]),
            text=[f"{n:,} sub-classes" for n in drawn["sub-classes"]],
            hovertemplate="%{y}: %{x:,} products, %{text}<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(drawn)), yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
            xaxis={"title": {"text": "products"}},
        )  # fmt: skip
        return figure

    return Display(name, heading, title, explanation, shown(products, cohort, total), output, draw,
                   {"levels": counted}, notes, SOURCE)  # fmt: skip
