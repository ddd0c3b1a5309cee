"""How models fare on a cohort, from evaluations that were made already."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalog.cohort import NONE, Cohort, brief_paths, path_from_text
from core.catalog.products import Products
from core.errors import StorageError
from core.evaluation.cache import Evaluation, evaluations
from core.evaluation.charts import subject
from core.measures.intervals import wilson
from core.models.registry import ModelSpec, models

MOST = 8  # evaluations, the newest
FEW = 20  # products below which a country is not named
CONFUSED = 3


@dataclass(frozen=True)
class ModelFigures:
    """One evaluation, counted in the cohort's products.

    Attributes:
        model, choice: what the Evaluate page needs to show it.
        products: of the cohort, that were evaluated.
        top1, low, high: share whose most probable class is the label, and its 95% Wilson interval.
        top5: share whose label is among the five most probable.
        best, worst: country and top-1 of it; None where fewer than two have FEW products.
        confused: (label, prediction, products) of the most frequent mistakes.
    """

    model: str
    title: str
    subject: str
    choice: dict[str, str]
    products: int
    top1: float
    low: float
    high: float
    top5: float
    best: tuple[str, float] | None
    worst: tuple[str, float] | None
    confused: tuple[tuple[str, str, int], ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def model_figures(products: Products, cohort: Cohort) -> list[ModelFigures]:
    """The newest current evaluations on this dataset; those without a product of the cohort are left out."""
    mask = products.mask(cohort)
    found = []
    for spec, evaluation in evaluations(models(), products.info.name)[:MOST]:
        try:
            made = _figures(spec, evaluation, mask)
        except StorageError:  # deleted meanwhile
            continue
        if made is not None:
            found.append(made)
    return found


def _figures(spec: ModelSpec, evaluation: Evaluation, mask: NDArray[np.bool_]) -> ModelFigures | None:
    table = evaluation.predictions()
    table = table[mask[table["row_id"].to_numpy()]]
    if table.empty:
        return None
    hits, n = float(table["hit"].sum()), len(table)
    low, high = wilson(hits, n)
    countries = table.groupby(table["geo"].fillna(NONE))["hit"].agg(["mean", "size"])
    countries = countries[countries["size"] >= FEW].sort_values("mean", kind="stable")
    several = len(countries) > 1
    choice = {key: value for key, value in asdict(evaluation.choice).items() if key != "dataset"}
    return ModelFigures(
        spec.name, spec.title, subject(evaluation), choice, n, hits / n, low, high,
        float(table["rank"].between(1, 5).mean()),
        (str(countries.index[-1]), float(countries["mean"].iloc[-1])) if several else None,
        (str(countries.index[0]), float(countries["mean"].iloc[0])) if several else None,
        _confused(table),
    )  # fmt: skip


def _confused(table: pd.DataFrame) -> tuple[tuple[str, str, int], ...]:
    wrong = table[~table["correct"].astype(bool)]
    counted = wrong.groupby(["label", "prediction"]).size().reset_index(name="n")
    counted = counted[counted["n"] > 1].sort_values(
        ["n", "label", "prediction"], ascending=[False, True, True]
    )
    often = counted.head(CONFUSED)
    names = brief_paths([path_from_text(text) for text in [*often["label"], *often["prediction"]]])
    return tuple(zip(names[: len(often)], names[len(often) :], often["n"].tolist(), strict=True))
