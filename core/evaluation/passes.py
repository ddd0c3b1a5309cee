"""Average the reports of several random passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

DEVIATED = ("top1", "top5")  # metrics with a standard deviation between passes


def mean_report(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean of reports on the same products, one per pass.

    Rows of `per_class` and `confused_pairs` are matched by class names, those of `reliability` by bin. A row missing in a
    pass counts as zero products; undefined fractions are excluded from their mean.

    Args:
        reports: see core.measures.metrics.classification_report and core.evaluation.predictions.intervals_and_calibration.

    Returns:
        The same keys, and top1_deviation and top5_deviation (standard deviation between passes) if there are several.
    """
    if len(reports) == 1:
        return dict(reports[0])
    found = {key: _mean([report[key] for report in reports]) for key in reports[0] if key not in _ROWS}
    for key, (names, counts) in _ROWS.items():
        if key in reports[0]:
            found[key] = _rows([report[key] for report in reports], names, counts)
    for key in DEVIATED:
        found[f"{key}_deviation"] = float(np.std([report[key] for report in reports], ddof=1))
    if "confused_pairs" in found:
        found["confused_pairs"].sort(key=lambda row: (-row["n"], row["label"], row["prediction"]))
    return found


# Lists of rows: key columns, and columns that count products.
_ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "per_class": (("label",), ("n", "predicted")),
    "confused_pairs": (("label", "prediction"), ("n", "share")),
    "reliability": (("low", "high"), ("n",)),
}


def _mean(values: Sequence[Any]) -> Any:
    """The mean of numbers, recursively in dictionaries and lists; None and NaN are excluded."""
    if isinstance(values[0], Mapping):
        return {key: _mean([value[key] for value in values]) for key in values[0]}
    if isinstance(values[0], list | tuple):
        return [_mean(list(each)) for each in zip(*values, strict=True)]
    known = [value for value in values if value is not None and value == value]
    if not known:
        return values[0]
    if all(value == known[0] for value in known):  # counts stay integers
        return known[0]
    return float(np.mean(known))


def _rows(
    passes: Sequence[Sequence[Mapping[str, Any]]], names: Sequence[str], counts: Sequence[str]
) -> list[dict[str, Any]]:
    """Merge the rows of all passes by key, in order of appearance."""
    by_key: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for rows in passes:
        for row in rows:
            by_key.setdefault(tuple(row[name] for name in names), []).append(row)
    found = []
    for key, rows in by_key.items():
        made: dict[str, Any] = dict(zip(names, key, strict=True))
        weights = [float(row["n"]) for row in rows]
        for column in rows[0]:
            if column in made:
                continue
            if column in counts:
                total = sum(row[column] for row in rows) / len(passes)
                made[column] = int(total) if total == int(total) else total
            elif column in ("confidence", "accuracy"):  # of a bin: weighted by its products
                made[column] = float(np.average([row[column] for row in rows], weights=weights))
            else:
                made[column] = _mean([row[column] for row in rows])
        found.append({column: made[column] for column in rows[0]})
    return found
