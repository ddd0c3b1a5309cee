"""The figures of a part of an evaluation."""

from __future__ import annotations

import pandas as pd
import pytest

from core.evaluation.part import part_figures
from core.measures.intervals import wilson


def test_top1_and_top5_of_a_part() -> None:
    table = pd.DataFrame({"hit": [1.0, 0.0, 0.5, 0.0], "rank": [1, 6, 2, 0]})
    figures = part_figures(table)
    assert figures is not None and figures.n == 4
    assert figures.top1 == pytest.approx(0.375) and figures.top5 == pytest.approx(0.5)
    assert figures.top5_interval == wilson(2, 4)
    assert part_figures(table[:0]) is None
