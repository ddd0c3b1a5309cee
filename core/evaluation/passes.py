"""One report of several random passes: every figure is the mean over the passes, as a reader of one figure expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

DEVIATED = ("top1", "top5")  # figures whose standard deviation between passes is given


def mean_report(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean of every number of some reports of the same products, one a pass.

    Rows of `per_class` and `confused_pairs` are matched by their names, those of `reliability` by their bin; a row that a
    pass lacks counts as no product there, and a share that it cannot have is left out of the share's mean.

    Args:
        reports: see core.measures.metrics.classification_report and core.evaluation.judging.intervals_and_calibration.

    Returns:
        The same keys, and top1_deviation and top5_deviation (standard deviation between passes) where there are several.
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


# Lists of rows: what names a row, and which of its numbers count products.
_ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "per_class": (("label",), ("n", "predicted")),
    "confused_pairs": (("label", "prediction"), ("n", "share")),
    "reliability": (("low", "high"), ("n",)),
}


def _mean(values: Sequence[Any]) -> Any:
    """Of numbers, or of each entry of dictionaries and lists; None and NaN are left out."""
    if isinstance(values[0], Mapping):
        return {key: _mean([value[key] for value in values]) for key in values[0]}
    if isinstance(values[0], list | tuple):
        return [_mean(list(each)) for each in zip(*values, strict=True)]
    known = [value for value in values if value is not None and value == value]
    if not known:
        return values[0]
    if all(value == known[0] for value in known):  # a count stays a whole number
        return known[0]
    return float(np.mean(known))


def _rows(
    passes: Sequence[Sequence[Mapping[str, Any]]], names: Sequence[str], counts: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows of all passes, in the order in which they appear, those of one name as one."""
    alike: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for rows in passes:
        for row in rows:
            alike.setdefault(tuple(row[name] for name in names), []).append(row)
    found = []
    for key, rows in alike.items():
        made: dict[str, Any] = dict(zip(names, key, strict=True))
        weights = [float(row["n"]) for row in rows]
        for column in rows[0]:
            if column in made:
                continue
            if column in counts:
                total = sum(row[column] for row in rows) / len(passes)
                made[column] = int(total) if total == int(total) else total
            elif column in ("confidence", "accuracy"):  # of a bin: over the products that fell into it
                made[column] = float(np.average([row[column] for row in rows], weights=weights))
            else:
                made[column] = _mean([row[column] for row in rows])
        found.append({column: made[column] for column in rows[0]})
    return found
