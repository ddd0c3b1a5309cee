"""The figures of some of an evaluation's products, from their stored predictions."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.measures.intervals import wilson


@dataclass(frozen=True)
class PartFigures:
    """Top-1 and top-5 of n products, in [0, 1], each with its 95% interval (Wilson 1927)."""

    n: int
    top1: float
    top1_interval: tuple[float, float]
    top5: float
    top5_interval: tuple[float, float]


def part_figures(predictions: pd.DataFrame) -> PartFigures | None:
    """The figures of these products; None where there are none.

    F1 and AP are not among them: they are means over classes, of which a part of a split has too few products each.

    Args:
        predictions: rows of `core.evaluation.predictions.predictions_table`. Top-5 breaks ties as `rank` does.
    """
    n = len(predictions)
    if not n:
        return None
    hits = float(predictions["hit"].sum())
    among = float(predictions["rank"].between(1, 5).sum())
    return PartFigures(n, hits / n, wilson(hits, n), among / n, wilson(among, n))
