"""The command of incorrect pairs; `core.commands.app` registers it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from core.catalog.info import info
from core.commands.console import Json, Lines, Name, say, watched
from core.pairs.table import Described, PairSettings


def pairs(
    name: Name,
    method: Annotated[
        str,
        typer.Option(
            help="clusters: the paper's; random: any other product; below: any whose picture is no more similar than --threshold."
        ),
    ] = "clusters",
    threshold: Annotated[
        float | None, typer.Option(help="Cosine of --method below; the paper has 0.8 and 0.2.")
    ] = None,
    image_vectors: Annotated[
        str, typer.Option(help="Vectors of the pictures; those of an encoder are computed if missing.")
    ] = "clip-tiny",
    text_vectors: Annotated[str, typer.Option(help="Vectors of the texts.")] = "clip-tiny.text",
    split: Annotated[
        str, typer.Option(help="Only products of this split, or all; default: train, where there is one.")
    ] = "",
    clusters: Annotated[int, typer.Option(help="Clusters of the pictures, and of the texts.")] = 10,
    once: Annotated[bool, typer.Option("--once", help="Each product is a partner once at most.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same pairs.")] = 0,
    again: Annotated[bool, typer.Option("--again", help="Generate them again.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be generated; generate nothing.")
    ] = False,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Generate incorrect image-text pairs for contrastive training: each picture gets an unlike product's text."""
    from core.pairs import generation, judging, table

    dataset = info(name)
    chosen = {"": generation.default_settings(dataset).split, "all": ""}.get(split, split)
    settings = PairSettings(
        method, threshold, image_vectors, text_vectors, chosen, clusters, not once, seed  # type: ignore[arg-type]
    ).check()  # fmt: skip
    if dry_run:
        answer = generation.plan(dataset, settings)
        return say(answer, as_json, "\n".join(_planned(answer)))
    with watched(progress_lines) as progress:
        made = generation.pairs(name, settings, again, progress)
    answer = {
        **asdict(made.described),
        "title": settings.title,
        "file": str(table.folder_of(dataset, settings.name) / "pairs.parquet"),
        "false_negatives": asdict(judging.rate(made, judging.judgements(dataset, made.described))),
    }
    say(answer, as_json, "\n".join(_lines(name, made.described, answer)))


def _planned(answer: dict[str, Any]) -> list[str]:
    lines = [f"Nothing was generated. {answer['name']}: {answer['title']}"]
    lines.append("  there already" if answer["there"] else f"  about {answer['seconds']:.0f} s")
    lines += [f"  vectors to compute first: {name}" for name in answer["missing_vectors"]]
    return lines


def _lines(name: str, described: Described, answer: dict[str, Any]) -> list[str]:
    counts = described.counts
    lines = [
        f"{name}: {counts.pairs:,} incorrect pairs ({answer['title']}), {sum(described.seconds.values()):.1f} s",
        f"  {counts.partners:,} distinct partners, one of them {counts.most_used:,} times",
    ]
    for count, what in (
        (counts.left_out, "products have no vector of picture or text"),
        (counts.dropped, "have no candidate and are dropped"),
        (counts.redrawn, "needed another cluster than the first drawn"),
        (counts.fallback, "have no candidate below the threshold and got the least similar one"),
        (counts.same_picture, "pairs share a picture, so that they are no incorrect pairs"),
        (counts.same_text, "pairs share a text"),
    ):
        if count:
            lines.append(f"  {count:,} {what}")
    found = answer["false_negatives"]
    if found["rate"] is not None:
        lines.append(
            f"  in fact matches: {found['rate']:.1%} ({found['low']:.1%} to {found['high']:.1%}), {found['judged']:,} judged"
        )
    return [*lines, f"  {answer['file']}"]
