"""The command for saved views; `core.commands.app` registers it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.catalog import views as saved
from core.commands.console import Json, say
from core.errors import UsageError


def views(
    export: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all of them to a file.")] = None,
    add: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="Add those of such a file.")
    ] = None,
    remove: Annotated[str, typer.Option(metavar="NAME", help="Delete one.")] = "",
    as_json: Json = False,
) -> None:
    """List the saved views: addresses of pages with a name."""
    if remove:
        saved.remove(remove)
    if add:
        try:
            with add.open("rb") as file:
                saved.receive(file.read(saved.FILE_BYTES + 1))
        except OSError as error:
            raise UsageError(f"Cannot read {add} ({error.strerror or error}).") from error
    there = saved.views()
    if export:
        try:
            export.write_bytes(saved.shared(there))
        except OSError as error:
            raise UsageError(f"Cannot write to {export} ({error.strerror or error}).") from error
    lines = [f"{made.name:<40} {made.address}" for made in there]
    say(
        [made.as_dict() | {"address": made.address, "trouble": made.trouble()} for made in there],
        as_json,
        "\n".join(lines) or "No saved views yet: every page has a button that saves one.",
    )


def register(app: typer.Typer) -> None:
    """Put this command on the app."""
    app.command()(views)
