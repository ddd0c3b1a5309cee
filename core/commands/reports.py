"""The command that writes a first look at a dataset; `core.commands.app` registers it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.commands.console import Json, Name, say, watched
from core.commands.filters import Only, Where, cohort_of


def report(
    name: Name,
    out: Annotated[Path | None, typer.Option(help="File of the page. [default: NAME-report.html]")] = None,
    only: Only = "",
    where: Where = None,
    url: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The Vitrine server that the page's links lead to.")
    ] = "http://localhost:8501",
    as_json: Json = False,
) -> None:
    """Write a first look at a dataset or cohort: one page of HTML that can be sent around."""
    from core.catalog.products import Products
    from core.reports import page
    from core.reports.report import check_url
    from core.reports.report import report as look_at

    products = Products.open(name)
    target = out or Path(f"{name}-report.html")
    check_url(url)
    page.check_out(target)
    with watched() as progress:
        made = look_at(products, cohort_of(products, only, where), url, progress)
        text = page.page(made)
    page.write(text, target)
    size = len(text.encode())
    shown = [finding.display.title for finding in made.found if finding.says_something]
    lines = [f"{target}: {made.rows:,} products, {len(shown)} figures, {size / 1e6:.2f} MB"]
    say(
        {"file": str(target), "bytes": size, **made.as_dict()},
        as_json,
        "\n".join([*lines, *(f"  {title}" for title in shown)]),
    )


def register(app: typer.Typer) -> None:
    """Put this command on the app."""
    app.command()(report)
