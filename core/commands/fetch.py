"""The command that downloads a published dataset and imports it."""

from __future__ import annotations

from typing import Annotated

import typer

from core.catalog import info as catalog
from core.commands.console import Json, Lines, say, watched
from core.errors import SourceError, UsageError
from core.settings import settings
from core.storage import check_name

DATASETS = (
    "glami, glami-800, glami-weights, mep3m"  # as `core.sources.publications` has them; a test compares them
)


def fetch(
    what: Annotated[
        str,
        typer.Argument(help=f"{DATASETS} or any http(s) URL."),
    ],
    name: Annotated[str, typer.Option(help="Name of the dataset; by default that of what is fetched.")] = "",
    layout: Annotated[
        str, typer.Option("--layout", help="Layout of a URL's file; by default by its name.")
    ] = "",
    md5: Annotated[str, typer.Option(help="MD5 that a URL's file should have.")] = "",
    only_download: Annotated[bool, typer.Option("--only-download", help="Do not import it.")] = False,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Download a dataset, going on where an earlier download stopped, check it, and import it.

    Files go to downloads/ in VITRINE_HOME and stay there: pictures are read from them.
    """
    from core.catalog.build import import_dataset
    from core.sources import source
    from core.sources.archive import is_url
    from core.sources.bounds import own_memory
    from core.sources.download import Remote, download
    from core.sources.publications import file_name, files_of, layout_of, publication
    from core.sources.reading import ReadOptions

    found = None if is_url(what) else publication(what)
    if found is None and not is_url(what):
        raise UsageError(f"{what} is neither a dataset that can be fetched ({DATASETS}) nor an http(s) URL.")
    folder_name = found.name if found else file_name(what).partition(".")[0]
    layout = layout or (found.layout if found else layout_of(file_name(what)))
    importing = bool(layout) and not only_download
    name = name or folder_name
    if importing:
        source(layout)
        check_name(name)
        if name in (info.name for info in catalog.datasets()):
            raise UsageError(f"There is a dataset {name} already. Choose another: --name NAME")
    folder = settings().home / "downloads" / folder_name
    with watched(progress_lines) as progress:
        remotes = files_of(found) if found else [Remote(what, file_name(what), None, md5)]
        total = sum(remote.size or 0 for remote in remotes)
        if total and not as_json:
            typer.echo(f"{len(remotes)} files, {total / 1e9:.1f} GB, into {folder}", err=True)
        paths = [str(download(remote, folder, progress)) for remote in remotes]
        if not importing:
            hint = "" if only_download or found else " Import it: vitrine import LAYOUT PATH --name NAME"
            return say({"files": paths}, as_json, f"{len(paths)} files are in {folder}.{hint}")
        with own_memory():
            try:
                report = import_dataset(layout, paths, name, ReadOptions(), progress)
            except SourceError as error:
                raise SourceError(f"{error} The download stays in {folder}.") from error
    say(
        {"files": paths, "name": report.name, "rows": report.rows, "rejected": report.rejected,
         "fingerprint": report.fingerprint},
        as_json, f"{report.name}: {report.rows:,} products, fingerprint {report.fingerprint}",
    )  # fmt: skip
