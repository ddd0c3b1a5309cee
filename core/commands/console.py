"""Shared by all commands: common options, output, progress bar."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from core.progress import Progress, no_progress

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Name = Annotated[str, typer.Argument(help="Name of the dataset.")]
Lines = Annotated[bool, typer.Option("--progress-lines", hidden=True)]


def say(result: Any, as_json: bool, text: str) -> None:
    """Print the result of a command, as JSON or as text."""
    print(json.dumps(result, ensure_ascii=False, indent=2, default=str) if as_json else text)


@contextmanager
def watched(lines: bool = False) -> Iterator[Progress]:
    """A progress bar on a terminal, JSON lines where another program asked for them, else nothing."""
    if lines:
        last = [0.0]

        def tell(done: int, total: int, what: str) -> None:
            if time.monotonic() - last[0] > 0.1:
                last[0] = time.monotonic()
                print(json.dumps({"done": done, "total": total, "what": what}), file=sys.stderr, flush=True)

        yield tell
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
        )
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Starting", total=None)
            yield lambda done, total, what: bar.update(
                task, completed=done, total=total or None, description=what
            )
    else:
        yield no_progress
