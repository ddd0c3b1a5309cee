"""The training curves of a run, read from its metrics with a bounded number of points."""

from __future__ import annotations

import io
import json
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

METRICS = "metrics.jsonl"
POINTS = 2_000  # maximum of a curve
WHOLE_BYTES = 400_000  # a file up to this size, about 3,000 steps, is read completely
BLOCK_BYTES = 2_048  # contains a complete line from any offset


@dataclass(frozen=True)
class Curve:
    """n points of a run, in the order of steps."""

    step: NDArray[np.int64]  # (n,)
    loss: NDArray[np.float64]  # (n,)
    learning_rate: NDArray[np.float64]  # (n,)
    items_per_s: NDArray[np.float64]  # (n,) products per second, mean since the start of the process
    validations: list[tuple[int, float]] = field(default_factory=list)  # (step, accuracy as a fraction)
    last: dict[str, Any] = field(default_factory=dict)  # the last line
    sampled: bool = False  # n points are a sample of the steps


def read_curve(run_dir: Path) -> Curve:
    """The curve of a run; empty if there are no metrics yet or the folder was deleted."""
    try:
        with (run_dir / METRICS).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= WHOLE_BYTES:
                lines = list(_lines(file.read(size)))
                validating = lines
            else:
                lines = list(_sampled(file.fileno(), size))
                validating = list(_validating(file.fileno(), size))
    except OSError:
        lines, validating, size = [], [], 0
    by_step = {line["step"]: line for line in lines}
    ordered = [by_step[step] for step in sorted(by_step)]
    kept = ordered[:: -(-len(ordered) // POINTS)] if ordered else []
    if ordered and kept[-1] is not ordered[-1]:
        kept.append(ordered[-1])

    def column(name: str) -> NDArray[np.float64]:
        return np.array([_number(line.get(name)) for line in kept], np.float64)

    return Curve(
        np.array([line["step"] for line in kept], np.int64),
        column("loss"),
        column("learning_rate"),
        column("items_per_s"),
        sorted(
            {
                line["step"]: _number(line["validation"].get("top1", line["validation"].get("score")))
                for line in validating
                if isinstance(line.get("validation"), dict)
            }.items()
        )[-POINTS:],
        ordered[-1] if ordered else {},
        size > WHOLE_BYTES or len(kept) < len(ordered),
    )


def last_line(run_dir: Path) -> dict[str, Any]:
    """The last complete line; empty if there is none."""
    try:
        with (run_dir / METRICS).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            block = os.pread(file.fileno(), 2 * BLOCK_BYTES, max(0, size - 2 * BLOCK_BYTES))
    except OSError:
        return {}
    found = list(_lines(block))
    return found[-1] if found else {}


def smoothed(values: NDArray[np.float64], window: float) -> NDArray[np.float64]:
    """Two-sided exponential smoothing with a width of about `window` points on each side.

    Being two-sided, it does not lag behind a falling curve; NaN is ignored.

    >>> smoothed(np.array([1.0, 1.0, 4.0]), 2.0).round(2).tolist()
    [1.43, 1.75, 2.71]
    """
    keep = 1 - 1 / max(1.0, window)
    known = np.isfinite(values)
    numbers = np.where(known, values, 0.0)

    def both(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return _decayed(x, keep) + _decayed(x[::-1], keep)[::-1] - x

    weights = both(known.astype(np.float64))
    return np.divide(both(numbers), weights, out=np.full(len(values), np.nan), where=weights > 0)


def _decayed(x: NDArray[np.float64], keep: float) -> NDArray[np.float64]:
    """Exponentially decayed cumulative sum: x[i] + keep * x[i - 1] + keep^2 * x[i - 2] + ..."""
    total, out = 0.0, np.empty(len(x))
    for place, value in enumerate(x):
        total = keep * total + value
        out[place] = total
    return out


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _lines(block: bytes) -> Iterator[dict[str, Any]]:
    """The complete lines in a block; truncated lines are skipped."""
    for line in io.BytesIO(block):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get("step"), int):
            yield found


def _sampled(file: int, size: int) -> Iterator[dict[str, Any]]:
    """Sample lines at `POINTS` offsets of the file, and its end."""
    yield from _lines(os.pread(file, BLOCK_BYTES, 0))
    places = POINTS - 100  # the first and last block add some
    for place in range(places):
        block = os.pread(file, BLOCK_BYTES, place * size // places)
        yield from islice(_lines(block[block.find(b"\n") + 1 :]), 1)
    yield from _lines(os.pread(file, 2 * BLOCK_BYTES, max(0, size - 2 * BLOCK_BYTES)))


def _validating(file: int, size: int) -> Iterator[dict[str, Any]]:
    """The last `POINTS` lines with a validation."""
    with mmap.mmap(file, size, access=mmap.ACCESS_READ) as text:
        end = size
        for _ in range(POINTS):
            at = text.rfind(b'"validation"', 0, end)
            if at < 0:
                return
            begin, after = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at)
            yield from _lines(text[begin : after if after > 0 else size])
            end = begin
