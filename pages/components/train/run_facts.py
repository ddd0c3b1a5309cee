"""What the list of runs, the comparison and a run's own view say of it: state, title, test accuracy."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

import streamlit as st

from core.training.jobs import Run, State
from pages.components.shared.numbers import duration

RETRIEVAL = ("rank1", "rank5", "rank10", "map")
Colour = Literal["blue", "orange", "green", "gray", "red"]
BADGES: dict[State, tuple[str, Colour]] = {
    "running": ("Running", "blue"),
    "stopping": ("Stopping", "orange"),
    "done": ("Done", "green"),
    "stopped": ("Stopped", "gray"),
    "failed": ("Failed", "red"),
    "interrupted": ("Interrupted", "orange"),
}
SHIPPED: tuple[str, Colour] = ("Shipped", "gray")  # with Vitrine, for reading alone


def badge(run: Run) -> None:
    label, colour = SHIPPED if run.shipped else BADGES[run.state]
    st.badge(label, color=colour)


def facts(run: Run) -> list[str]:
    """The facts of a run, for one line."""
    found = [title(run)]
    if run.steps and run.state != "done":
        found.append(f"step {run.step:,} of {run.steps:,}")
    accuracy = test_accuracy(run)
    if accuracy is not None:
        found.append(f"test accuracy {accuracy:.1%}")
    if (found_by := retrieval(run)) is not None:
        found.append(f"test Rank@1 {found_by['rank1']:.1%}, mAP {found_by['map']:.3f}")
    if run.seconds:
        found.append(f"{'for' if run.alive else 'took'} {duration(run.seconds)}")
    if run.begun and not run.alive:
        found.append(f"started {duration(time.time() - run.begun)} ago")
    if run.error:
        found.append(run.error if len(run.error) < 160 else run.error[:159] + "…")
    return found


def title(run: Run) -> str:
    """Model, preset and datasets of a run."""
    on = f" on {', '.join(run.datasets)}" if run.datasets else ""
    if run.title and run.preset not in ("", run.title):
        return f"{run.title} ({run.preset}){on}"
    return f"{run.title or run.preset or 'A run'}{on}"


def retrieval(run: Run) -> dict[str, float] | None:
    """Rank@1, mAP and so on over trials of test products, of a run that was trained on pairs."""
    result = run.config.get("result")
    report = result.get("retrieval") if isinstance(result, dict) else None
    hundred = report.get("hundred") if isinstance(report, dict) else None
    if not isinstance(hundred, dict):
        return None
    found = {key: float(hundred[key]) for key in RETRIEVAL if isinstance(hundred.get(key), int | float)}
    return found if len(found) == len(RETRIEVAL) else None


def validated(runs: Iterable[Run]) -> tuple[str, str]:
    """What a validation of these runs is called, and a sentence on it."""
    kinds = {run.by_pairs for run in runs}
    if kinds == {True}:
        return (
            "mAP",
            "Mean average precision of held-out pictures, each found by its own text among 100 at most.",
        )
    if len(kinds) > 1:
        return "score", "Top-1 accuracy, of runs by pairs the mAP of retrieval, on held-out products."
    return "accuracy", "Top-1 accuracy on held-out products."


def test_accuracy(run: Run) -> float | None:
    """Top-1 on the test split with all inputs, a fraction."""
    result = run.config.get("result")
    test = result.get("test") if isinstance(result, dict) else None
    figures = test.get("both") if isinstance(test, dict) else None
    found = figures.get("top1") if isinstance(figures, dict) else None
    return float(found) if isinstance(found, int | float) else None
