"""Charts of classes in an evaluation: confusions, and accuracy along the long tail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.catalog.cohort import brief_paths, path_from_text
from core.evaluation.cache import Evaluation
from core.evaluation.charts import rows_of, subject
from core.statistics import theme
from core.statistics.display import Display, bar_names, nothing, plain

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEAT_CLASSES = 16


def confusions(evaluation: Evaluation, predictions: pd.DataFrame, classes: int = HEAT_CLASSES) -> Display:
    """A heat map of the most confused classes."""
    explanation = (
        "Rows: labels. Columns: predictions. Cells: share of the row's products. The diagonal is "
        "correct. Shown are the classes with most misclassified products, as label or as prediction."
    )
    brief = class_names(evaluation)
    wrong = predictions[~predictions.correct]
    if wrong.empty:
        why = "No misclassified products." if len(predictions) else "There are no predictions."
        return nothing("confusion", "Most confused classes", explanation, subject(evaluation), why)
    heavy = pd.concat([wrong.label, wrong.prediction]).value_counts().head(classes).index
    chosen = sorted(heavy, key=lambda label: tuple(path_from_text(label)))
    counts = pd.crosstab(predictions.label, predictions.prediction).reindex(
        index=chosen, columns=chosen, fill_value=0
    )
    totals = predictions.label.value_counts().reindex(chosen).fillna(0)
    shares = counts.div(totals.where(totals > 0), axis=0)
    table = counts.rename_axis("label").reset_index()
    covered = int(
        sum(
            label in heavy and said in heavy
            for label, said in zip(wrong.label, wrong.prediction, strict=True)
        )
    )
    names = bar_names([brief[label] for label in chosen], 26)

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        grid, whole = counts.to_numpy().tolist(), totals.astype(int).tolist()
        text = [[f"{n:,}" if n else "" for n in row] for row in grid]
        hover = [
            [f"{n:,} of {whole[i]:,} {names[i]} → {names[j]}" for j, n in enumerate(row)]
            for i, row in enumerate(grid)
        ]
        figure = go.Figure()
        figure.add_heatmap(
            z=shares.where(counts > 0).to_numpy(), x=names, y=names, text=text, texttemplate="%{text}", textfont={"size": 10},
            customdata=hover, hovertemplate="%{customdata}<extra></extra>", zmin=0, zmax=1, showscale=False,
            xgap=1, ygap=1,
        )  # fmt: skip
        figure.update_layout(
            height=190 + 26 * len(names), yaxis={"autorange": "reversed", "title": {"text": "label"}, "dtick": 1},
            xaxis={"side": "bottom", "tickangle": -60, "title": {"text": "prediction"}, "dtick": 1},
        )  # fmt: skip
        return figure

    title = f"{covered:,} of {len(wrong):,} mistakes are among these {len(chosen)} classes"
    return Display(
        "confusion",
        "Most confused classes",
        title,
        explanation,
        subject(evaluation),
        table,
        draw,
        {"wrong": len(wrong)},
    )


def long_tail(evaluation: Evaluation, training: Mapping[str, int]) -> Display:
    """F1 of each class against its number of training products."""
    table = classes_table(evaluation, training)
    explanation = (
        "Each point is a class. Classes on the left have few training products: the cost of a long tail. "
        "Grey points have fewer than 5 evaluated products, too few for F1."
    )
    brief = class_names(evaluation)
    points = table[(table.n > 0) & table.f1.notna() & table.training.notna()]
    if len(points) < 2:
        return nothing(
            "long-tail", "F1 by training products", explanation, subject(evaluation),
            "Fewer than two classes have known training counts.",
        )  # fmt: skip
    rare, common = points[points.training < 20], points[points.training >= 100]
    title = f"{len(points):,} classes by their training products"
    if len(rare) and len(common):
        title = f"Mean F1 {rare.f1.mean():.2f} below 20 training products, {common.f1.mean():.2f} from 100 on"

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        hover = [
            f"{plain(brief[row.label])}: F1 {row.f1:.2f}, {int(row.training):,} training, {row.n:,} evaluated"
            for row in rows_of(points)
        ]
        figure = go.Figure()
        figure.add_scatter(
            x=points.training.clip(lower=0.5), y=points.f1, mode="markers", text=hover, showlegend=False,
            marker={"color": [theme.GREY if n < 5 else theme.BLUE for n in points.n], "opacity": 0.75,
                    "size": 6 + 12 * np.sqrt(points.n / points.n.max())},
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=420, yaxis={"title": {"text": "F1"}, "range": [-0.04, 1.06], "tickformat": ".0%"},
            xaxis={"title": {"text": "training products (logarithmic)"}, "type": "log", "tickformat": ",d",
                   "tickvals": [step * 10**power for power in range(8) for step in (1, 2, 5)]},
        )  # fmt: skip
        return figure

    return Display(
        "long-tail", "F1 by training products", title, explanation, subject(evaluation), points, draw
    )


def classes_table(evaluation: Evaluation, training: Mapping[str, int] | None = None) -> pd.DataFrame:
    """label, n, training (products of the training split; NaN where not known), predicted, precision, recall, f1, ap."""
    columns = ["label", "n", "predicted", "precision", "recall", "f1", "ap"]
    table = pd.DataFrame(evaluation.report["per_class"], columns=columns)
    known = None if training is None else [float(training.get(label, 0)) for label in table.label]
    table.insert(2, "training", np.nan if known is None else known)
    return table


class Names(dict[str, str]):
    """Brief names of classes; an unknown label keeps its own name."""

    def __missing__(self, label: object) -> str:
        return str(label) if isinstance(label, str) else "(none)"


def class_names(evaluation: Evaluation) -> Names:
    """The brief names of classes in charts and tiles."""
    return brief_names([row["label"] for row in evaluation.report["per_class"]])


def brief_names(labels: Sequence[str]) -> Names:
    """The leaf of each label; if several share it, also the nearest level above that distinguishes them.

    >>> brief_names(["Men > Tops > Shirts", "Women > Tops > Shirts", "Bags > Belts"])["Men > Tops > Shirts"]
    'Men › Shirts'
    """
    return Names(zip(labels, brief_paths([path_from_text(label) for label in labels]), strict=True))
