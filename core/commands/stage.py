"""Commands for the stage: tours, the locked room; `core.commands.app` registers them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.catalog import info as catalog
from core.commands.console import Json, Name, say
from core.errors import UsageError
from core.stage import room as the_room
from core.stage import tours as stored


def tours(
    name: Name,
    add: Annotated[
        str,
        typer.Option(
            metavar="LINK", help="Add a view: a link copied from the browser, with --to and --line."
        ),
    ] = "",
    to: Annotated[str, typer.Option(metavar="TOUR", help="The tour that is meant.")] = "",
    line: Annotated[str, typer.Option(help="What the audience reads below the view.")] = "",
    notes: Annotated[str, typer.Option(help="What only the speaker sees.")] = "",
    export: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the tour to a file.")] = None,
    import_: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="Store the tour of a file.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Delete the tour.")] = False,
    as_json: Json = False,
) -> None:
    """List the tours of a dataset, and change them."""
    if (add or export or remove) and not to:
        raise UsageError("Say which tour: --to TOUR.")
    if remove:
        stored.remove(name, to)
    if add:
        stored.add(name, to, to, stored.stop_of_link(line, add, name, notes))
    try:
        if import_:
            with import_.open("rb") as file:
                stored.receive(name, file.read(stored.FILE_BYTES + 1))
        if export:
            export.write_bytes(stored.tour(name, to).bytes())
    except OSError as error:
        raise UsageError(f"Cannot open {import_ or export} ({error.strerror or error}).") from error
    there = stored.tours(catalog.info(name))
    lines = []
    for each in there:
        lines.append(f"{each.name:<24} {stored.place(name, each.name):<32} {each.title}")
        lines += [f"  {number:>2}. {stop.address(name):<60} {stop.trouble(name) or stop.line}" for number, stop in enumerate(each.stops, 1)]  # fmt: skip
    said = [
        {"name": each.name, "title": each.title, "address": stored.place(name, each.name),
         "stops": [stop.as_dict() | {"address": stop.address(name), "trouble": stop.trouble(name)} for stop in each.stops]}
        for each in there
    ]  # fmt: skip
    say(said, as_json, "\n".join(lines) or "No tours yet: every page has a button that adds its view to one.")


def room(
    open_: Annotated[bool, typer.Option("--open", help="Open a locked room without its code.")] = False,
    as_json: Json = False,
) -> None:
    """Say whether the room is locked: then nobody may import, train or judge in the browser."""
    if open_:
        the_room.open_()
    locked = the_room.locked()
    say({"locked": locked}, as_json, "The room is locked." if locked else "The room is open.")


def register(app: typer.Typer) -> None:
    """Put these commands on the app."""
    app.command()(tours)
    app.command()(room)
