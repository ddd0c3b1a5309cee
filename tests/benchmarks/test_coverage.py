"""The intervals that are printed hold the true figure; that of macro F1 does not, and is not printed."""

from __future__ import annotations

import pandas as pd

from benchmarks.coverage import coverage
from core.evaluation.predictions import intervals, intervals_and_calibration


def test_coverage_of_every_interval_that_is_printed() -> None:
    found = coverage(0.75, 30, trials=150, smoothings=())
    assert len(found) == 7  # of hits that are shares, too: means of five passes, fair ties
    assert all(0.91 <= share <= 1 for share in found.values()), found


def test_f1_has_no_interval_since_none_covers() -> None:
    found = coverage(0.75, 30, trials=40, smoothings=(0,))
    assert found["F1 macro, bootstrap within classes"] < 0.8
    table = pd.DataFrame({"label": ["a", "b"], "prediction": ["a", "a"], "probability": [0.9, 0.6],
                          "hit": [1.0, 0.0]})  # fmt: skip
    assert not {"f1_macro_interval", "f1_weighted_interval"} & {
        *intervals_and_calibration(table, ["a", "b"]),
        *intervals(table.hit.to_numpy(), 1.0),
    }
