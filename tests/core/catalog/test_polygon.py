"""Which points a polygon holds: the grid and the plain rule agree, whatever the line does."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from core.catalog.polygon import FEW, inside

SQUARE = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]


def plainly(x: float, y: float, corners: list[tuple[float, float]]) -> bool:
    """The even-odd rule, one point and one edge at a time."""
    if math.isnan(x) or math.isnan(y):
        return False
    odd = False
    for (x1, y1), (x2, y2) in zip([corners[-1], *corners[:-1]], corners, strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * ((y - y1) / (y2 - y1)) + x1:
            odd = not odd
    return odd


@pytest.mark.parametrize("case", range(12))
def test_the_grid_and_the_plain_rule_agree(case):
    rng = random.Random(case)
    corners = [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(rng.choice([3, 4, 7, 60, 200]))]
    points = np.random.default_rng(case).uniform(-1.1, 1.1, (FEW + 5_000, 2)).astype(np.float32)
    if case % 3 == 0:  # corners, edges and points on the same few lines
        corners = [(round(x, 1), round(y, 1)) for x, y in corners]
        points = np.round(points, 1)
    points[::97, case % 2] = np.nan
    found = inside(points, corners)
    some = rng.sample(range(len(points)), 300)
    expected = [plainly(*map(float, points[row]), corners) for row in some]
    assert found[some].tolist() == expected
    assert (inside(points[some], corners) == found[some]).all()  # few points, no grid


def test_areas_of_everything_of_nothing_and_without_width():
    points = np.random.default_rng(0).uniform(-1, 1, (FEW + 1, 2)).astype(np.float32)
    points[0] = np.nan
    assert inside(points, [(-9, -9), (9, -9), (9, 9), (-9, 9)]).sum() == FEW
    assert not inside(points, [(2, 2), (3, 2), (3, 3)]).any()
    assert not inside(points, [(0, -1), (0, 1), (0, 0)]).any()
    assert not inside(points, [(0.1, 0.1)] * 3).any()
    assert inside(points[:0], SQUARE).shape == (0,)


def test_what_a_line_encloses_twice_is_outside():
    star = [(math.cos(turn), math.sin(turn)) for turn in np.arange(5) * 4 * math.pi / 5]
    assert inside(np.array([[0.0, 0.0], [0.8, 0.0]]), star).tolist() == [False, True]


def test_two_corners_are_no_polygon():
    with pytest.raises(ValueError, match="3 or more"):
        inside(np.zeros((1, 2)), [(0, 0), (1, 1)])
