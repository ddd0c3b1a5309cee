"""The command of maps; `core.commands.app` registers it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from core.catalog.info import info
from core.commands.console import Json, Lines, Name, say, watched
from core.embeddings.store import sets
from core.errors import EmbeddingError


def map_(
    name: Name,
    encoder: Annotated[
        str | None, typer.Option(help="The set of vectors, as `embed` named it; default: the newest.")
    ] = None,
    dense: Annotated[
        bool, typer.Option("--dense", help="Use densMAP, which preserves local density.")
    ] = False,
    sample: Annotated[
        int,
        typer.Option(help="Vectors to fit; further ones are placed by their neighbours."),
    ] = 200_000,
    neighbours: Annotated[
        int, typer.Option(help="UMAP's n_neighbors: large for global structure, small for detail.")
    ] = 15,
    min_dist: Annotated[float, typer.Option(help="UMAP's min_dist: the least distance of points.")] = 0.1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same map.")] = 0,
    again: Annotated[bool, typer.Option("--again", help="Recompute it.")] = False,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Make a map of a dataset: project its vectors to the plane with UMAP."""
    from core.maps.projection import project

    dataset = info(name)
    if encoder is None:
        have = sets(dataset)
        if not have:
            raise EmbeddingError(f"{name} has no vectors yet. Compute them: vitrine embed {name}")
        encoder = have[0][0]
    with watched(progress_lines) as progress:
        found = project(dataset, encoder, dense, progress, sample, neighbours, min_dist, seed, again)
    lines = [
        f"{found.name}: {found.present:,} of {found.rows:,} products on the map, {_differ(found.different)}, "
        f"{found.fitted:,} fitted, {len(found.regions)} regions, {found.seconds['all']:.1f} s"
    ]
    for part, quality in found.quality.items():
        if quality.trustworthiness is not None:
            lines.append(
                f"  {part}: trustworthiness {quality.trustworthiness:.3f}, {quality.neighbour_recall:.0%} of the "
                f"{quality.neighbours} nearest neighbours preserved ({quality.n:,} measured among {quality.among:,})"
            )
    lines += [f"  {region.size:>8,}  {region.label}" for region in found.regions[:12]]
    say(asdict(found), as_json, "\n".join(lines))


def _differ(vectors: int) -> str:
    return f"{vectors:,} distinct vectors" if vectors > 1 else "all vectors are identical and share one point"


def register(app: typer.Typer) -> None:
    """Put this command on the app."""
    app.command("map")(map_)
