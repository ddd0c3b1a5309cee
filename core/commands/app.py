"""All commands. Each takes --json, and on an error prints one line and ends with a non-zero status."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from core.catalog import info as catalog
from core.commands import (
    alignment,
    audit,
    benchmark,
    machine_labels,
    maps,
    models,
    preparation,
    reports,
    search,
    stage,
    views,
)
from core.commands.console import Json, Name, say, watched
from core.commands.doctor import Finding, examine
from core.commands.duplicates import duplicates
from core.commands.fetch import fetch
from core.commands.filters import Only, cohort_of
from core.commands.generation import generate
from core.commands.languages import languages, translate
from core.commands.pairs import pairs
from core.commands.passphrases import passphrase
from core.errors import DamagedDatasetError, UsageError, VitrineError
from core.settings import go_offline
from core.stage import preflight
from core.storage import sweep

# As `core.sources` and `core.sources.publications` list them, which a help text does not load; a test compares them.
LAYOUTS = (
    "glami, mep3m, table, folder, fashiongen, fashionproducts, amazon, digikala, huggingface, webdataset"
)

app = typer.Typer(
    help="Vitrine: explore, audit and demonstrate datasets of products.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """Run a command; a VitrineError becomes one line."""
    go_offline()
    try:
        app(prog_name="vitrine")
    except VitrineError as error:
        sys.exit(f"error: {error}")
    except SystemExit as stop:
        if stop.code == 130:  # what typer makes of Ctrl-C
            print("stopped; no partial results were left", file=sys.stderr)
        raise


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help=f"The layout: {LAYOUTS}.")],
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="A file, folder or http(s) URL; several zips for 800x800."),
    ],
    name: Annotated[str, typer.Option(help="Name of the dataset.")] = "",
    map_: Annotated[
        list[str],
        typer.Option(
            "--map",
            metavar="OURS=YOURS",
            help="Map a column of your table, e.g. name=title, or image= for none; repeatable.",
        ),
    ] = [],  # noqa: B006
    separator: Annotated[str, typer.Option(help="Separator of the levels of a category path.")] = " > ",
    clean_text: Annotated[
        bool, typer.Option("--clean-text", help="Clean names and descriptions as GLAMI did.")
    ] = False,
    licence: Annotated[str, typer.Option(help="Licence of your data, shown with the dataset.")] = "",
    encoding: Annotated[
        str, typer.Option(help="Encoding of a text table, e.g. cp1250; detected by default.")
    ] = "",
    delimiter: Annotated[
        str, typer.Option(help="Delimiter of a text table, e.g. ';'; detected by default.")
    ] = "",
    only: Annotated[
        str, typer.Option(help="Import only products whose category path has this level, e.g. Shoes.")
    ] = "",
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show the first rows as they would be imported, without importing."),
    ] = False,
    thumbnails: Annotated[bool, typer.Option("--thumbnails", hidden=True)] = False,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Then make all that the pages show of it (`vitrine prepare`).")
    ] = False,
    progress_lines: Annotated[bool, typer.Option("--progress-lines", hidden=True)] = False,
    as_json: Json = False,
) -> None:
    """Import a dataset from files. The files are not copied; pictures are read in place."""
    from core.catalog.build import import_dataset
    from core.commands import dry_run as previews
    from core.sources.bounds import own_memory
    from core.sources.reading import ReadOptions

    if not name and not dry_run:
        raise UsageError("No name for the dataset: give --name NAME, or preview with --dry-run.")
    columns: dict[str, str] = {}
    for pair in map_:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals):
            raise UsageError(f"--map {pair}: write OURS=YOURS, for example name=title.")
        columns[ours] = theirs
    options = ReadOptions(
        columns=columns, separator=separator, clean_text=clean_text, licence=licence,
        encoding=encoding, only=only, delimiter={"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter),
        notify=lambda line: None if as_json or dry_run else print(line, file=sys.stderr),
    )  # fmt: skip
    with watched(progress_lines) as progress, own_memory():
        if dry_run:
            return previews.dry_run(source, paths, options, progress, as_json, thumbnails)
        report = import_dataset(source, paths, name, options, progress)
        steps = []
        if prepare:
            from core.preparation import job  # torch and umap, which an import alone does without

            steps = list(job.prepare(catalog.info(name), progress=progress))
    lines = [
        f"{report.name}: {report.rows:,} products in {report.seconds:.1f} s, fingerprint {report.fingerprint}"
    ]
    lines += [f"  {count:,} {split}" for split, count in report.splits.items()]
    if report.columns:
        lines.append("  columns: " + ", ".join(f"{ours}={theirs}" for ours, theirs in report.columns.items()))
    lines += [f"  rejected {count:,}: {reason}" for reason, count in report.rejected.items()]
    lines += [f"  note: {warning}" for warning in report.warnings]
    lines += preparation.lines(steps)
    if not prepare:
        lines.append(f"  next: vitrine prepare {name}   (vectors, map, duplicates, evaluations)")
    say(asdict(report), as_json, "\n".join(lines))


@app.command()
def demo(
    name: Annotated[str, typer.Option(help="Name of the dataset.")] = "demo",
    items: Annotated[int, typer.Option(help="Number of products.")] = 6000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same products.")] = 0,
    layout: Annotated[str, typer.Option(help="glami (thirteen languages) or mep3m (Chinese).")] = "glami",
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Do nothing if there is a dataset.")] = False,
    as_json: Json = False,
) -> None:
    """Generate the built-in dataset: products drawn and described by Vitrine, without a download."""
    from core.demo.build import build

    if if_empty and (catalog.datasets() or catalog.damaged()):
        return
    with watched() as progress:
        report = build(name, items, seed, layout, progress)
    say(
        asdict(report),
        as_json,
        f"{name}: {report.rows:,} products drawn and imported in {report.seconds:.0f} s",
    )


@app.command()
def datasets(as_json: Json = False) -> None:
    """List the datasets."""

    sweep()
    found = catalog.datasets()
    broken = catalog.damaged()
    answer: list[dict[str, Any]] = [
        {"name": info.name, "rows": info.rows, "source": info.source} for info in found
    ]
    answer += [{"name": name, "damaged": why} for name, why in broken.items()]
    lines = [f"{info.name:<24} {info.rows:>10,}  {info.source}" for info in found]
    text = "\n".join([*lines, *broken.values()])
    say(answer, as_json, text or "No datasets yet. See: vitrine import --help")


@app.command()
def info(name: Name, as_json: Json = False) -> None:
    """Show the metadata of a dataset."""

    described = asdict(catalog.info(name))
    described["folder"] = str(described["folder"])
    say(described, as_json, "\n".join(f"{key:<14} {value}" for key, value in described.items()))


@app.command()
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a dataset and everything computed from it. The imported files themselves stay."""

    try:
        holds = f"{catalog.info(name).rows:,} products"
    except DamagedDatasetError:
        holds = "damaged"
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"There is no terminal to confirm it: vitrine remove {name} --yes")
        typer.confirm(f"Delete {name} ({holds}) and everything computed from it?", abort=True)
    catalog.remove(name)
    say({"removed": name}, as_json, f"Removed {name}.")


@app.command()
def stats(
    name: Name,
    only: Only = "",
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Measure the pictures first; the measurements are cached.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compute every statistic of the Statistics page."""
    from core.catalog.products import Products
    from core.statistics import overview, picture_stats, summary

    products = Products.open(name)
    cohort = cohort_of(products, only)
    with watched() as progress:
        if pictures:
            picture_stats.measure(products.info, progress)
        if as_json:
            return say(summary.summary(products, cohort, progress), True, "")
        progress(0, 0, "Counting")
        lines = overview.report(products, cohort)
    say(None, False, "\n".join(lines))


@app.command()
def doctor(
    stage: Annotated[
        bool, typer.Option("--stage", help="Also try all that a demo needs, at a running server.")
    ] = False,
    url: Annotated[
        str, typer.Option(metavar="URL", help="Where that server is, with --stage.")
    ] = "http://127.0.0.1:8501",
    as_json: Json = False,
) -> None:
    """Check the installation before a demo."""

    findings = list(examine())
    if stage:
        tried = preflight.examine(url.rstrip("/"))
        findings += [
            Finding(each.subject, each.ok, f"{each.finding} ({each.seconds:.1f} s)") for each in tried
        ]
    text = "\n".join(
        f"{'ok  ' if found.ok else 'LOOK'}  {found.subject:<{22 if stage else 14}} {found.finding}"
        for found in findings
    )
    if stage:
        wrong = [found.subject for found in findings if not found.ok]
        text += f"\n{'Ready.' if not wrong else 'Not ready: ' + ', '.join(wrong) + '.'}"
    say([asdict(found) for found in findings], as_json, text)
    if not all(found.ok for found in findings):
        raise typer.Exit(1)


models.register(app)
search.register(app)
maps.register(app)
preparation.register(app)
audit.register(app)
machine_labels.register(app)
alignment.register(app)
reports.register(app)
views.register(app)
stage.register(app)
app.add_typer(benchmark.benchmark, name="benchmark")
app.command()(duplicates)
app.command()(fetch)
app.command()(languages)
app.command()(translate)
app.command()(generate)
app.command()(pairs)
app.command()(passphrase)
