"""What was measured is read in a bounded number of points, cut short or not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.training.curves import POINTS, WHOLE_BYTES, last_line, read_curve, smoothed


def write(folder: Path, steps: int, validate_every: int = 100) -> None:
    with (folder / "metrics.jsonl").open("w", encoding="utf-8") as file:
        for step in range(1, steps + 1):
            line: dict[str, object] = {
                "step": step, "loss": 4 - step / steps, "learning_rate": 1e-3, "items_per_s": 200.0,
            }  # fmt: skip
            if step % validate_every == 0:
                line["validation"] = {"score": step / steps, "top1": step / steps}
            file.write(json.dumps(line) + "\n")


def test_nothing_measured_yet(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        curve = read_curve(folder)
        assert len(curve.step) == 0 and curve.last == {} and last_line(folder) == {}
    (tmp_path / "metrics.jsonl").touch()
    assert len(read_curve(tmp_path).step) == 0


def test_a_short_run_is_read_whole(tmp_path: Path) -> None:
    write(tmp_path, 250)
    curve = read_curve(tmp_path)
    assert curve.step.tolist() == list(range(1, 251)) and not curve.sampled
    assert curve.validations == [(100, 0.4), (200, 0.8)]
    assert curve.last["step"] == 250 == last_line(tmp_path)["step"]


def test_a_long_run_is_a_bounded_number_of_points(tmp_path: Path) -> None:
    steps = 60_000
    write(tmp_path, steps, validate_every=10_000)
    assert (tmp_path / "metrics.jsonl").stat().st_size > 5 * WHOLE_BYTES
    curve = read_curve(tmp_path)
    assert POINTS / 2 < len(curve.step) <= POINTS + 1 and curve.sampled
    assert curve.step[0] == 1 and curve.step[-1] == steps
    assert np.diff(curve.step).max() < 3 * steps / POINTS  # spread over the whole of it
    assert [step for step, _ in curve.validations] == list(range(10_000, steps + 1, 10_000))
    assert curve.loss == pytest.approx(4 - curve.step / steps)


@pytest.mark.parametrize("steps", [20, 20_000])
def test_lines_that_are_none_are_passed_over(tmp_path: Path, steps: int) -> None:
    write(tmp_path, steps)
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'not json\n[1]\n{"loss": 1}\n' + path.read_bytes() + b'{"step": 99999, "lo')
    curve = read_curve(tmp_path)
    assert curve.last["step"] == steps == last_line(tmp_path)["step"]
    with path.open("ab") as file:
        file.write(b'\n{"step": 99999, "loss": "much", "validation": 3}\n')
    assert np.isnan(read_curve(tmp_path).loss[-1])


def test_the_smoothed_curve_follows_the_raw_one() -> None:
    values = np.array([3.0, 3.0, np.nan, 3.0])
    assert smoothed(values, 10) == pytest.approx(3.0)
    assert np.isnan(smoothed(np.array([np.nan]), 10)[0])
    assert smoothed(np.array([0.0, 1.0]), 1e9) == pytest.approx(0.5)
    falling = np.arange(100.0)
    assert smoothed(falling, 8)[50] == pytest.approx(50, abs=0.1)  # no lag
