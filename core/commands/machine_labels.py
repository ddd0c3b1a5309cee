"""The command of machine labels: how they err beside human ones."""

from __future__ import annotations

from dataclasses import asdict

import typer

from core.commands.console import Json, Lines, Name, say, watched
from core.schema import COUNTRY_OF_GEO


def machine_errors(name: Name, progress_lines: Lines = False, as_json: Json = False) -> None:
    """Estimate the share of wrong machine labels by country, from products that people labelled; kept for the pages."""
    from core.catalog.products import Products  # DuckDB
    from core.labels.machine_report import estimate

    with watched(progress_lines) as progress:
        found = estimate(Products.open(name), progress=progress)
    lines = [
        f"{COUNTRY_OF_GEO.get(row['country'], row['country']) or 'all':<16} {row['n']:>8,}  {row['wrong']:6.1%}  "
        f"({row['low']:.1%} to {row['high']:.1%})"
        for row in found.countries
    ]
    lines += [f"{row['n']:8.1f}  {row['machine']} -> {row['label']}" for row in found.confused]
    say(asdict(found), as_json, "\n".join(lines))


def register(app: typer.Typer) -> None:
    """Put this command on the app."""
    app.command(name="machine-errors")(machine_errors)
