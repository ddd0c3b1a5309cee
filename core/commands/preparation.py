"""The command that computes everything the pages need; `core.commands.app` registers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from core.catalog.info import info
from core.commands.console import Json, Lines, Name, say, watched
from core.preparation.state import Step, spoken


def prepare(
    name: Name,
    only: Annotated[
        list[str],
        typer.Option(
            metavar="PART",
            help="vectors, evaluation, map, duplicates, index, pictures, pairs or copies; repeatable.",
        ),
    ] = [],  # noqa: B006
    everything: Annotated[
        bool, typer.Option("--all", help="Also what takes longer than half an hour.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be computed and how long it takes, and stop.")
    ] = False,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Compute everything the pages show of a dataset: vectors, map, duplicates, evaluations. Resumable."""
    from core.preparation import job

    dataset = info(name)
    if dry_run:
        steps = job.plan(dataset, only, everything)
    else:
        with watched(progress_lines) as progress:
            steps = job.prepare(dataset, only, everything, progress)
    say([asdict(step) for step in steps], as_json, "\n".join(lines(steps)))
    if any(step.state == "failed" for step in steps):
        raise typer.Exit(1)


def lines(steps: Sequence[Step]) -> list[str]:
    """One line a part."""
    said = []
    for step in steps:
        text: str = step.state
        if step.state == "waiting":
            text = f"to do, {spoken(step.seconds)}"
        elif step.state == "done":
            text = f"done in {step.seconds:.0f} s" if step.seconds else "there already"
        elif step.why:
            text += f": {step.why}"
        said.append(f"  {step.key:<12} {text}")
    return said


def register(app: typer.Typer) -> None:
    """Put this command on the app."""
    app.command()(prepare)
