"""The command that draws pictures; `core.commands.app` registers it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from core.commands.console import Json, Lines, say, watched
from core.generation.phrases import hint
from core.storage import storage_errors


def generate(
    text: Annotated[str, typer.Option(help="What to draw, in any of the 13 languages or English.")],
    out: Annotated[Path, typer.Option(help="A PNG file; several pictures get -1, -2 and so on.")],
    model: Annotated[str, typer.Option(help="generator-tiny (bundled), a run, or a folder.")] = "",
    count: Annotated[int, typer.Option(help="Pictures, 1 to 16.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same picture.")] = 0,
    steps: Annotated[int, typer.Option(help="Steps of each stage, 1 to 500.")] = 20,
    guidance: Annotated[float, typer.Option(help="Classifier-free guidance, 0 to 20; 1 is none.")] = 3.0,
    sampler: Annotated[str, typer.Option(help="dpm-solver++, ddim or ancestral.")] = "dpm-solver++",
    text_weights: Annotated[
        Path | None, typer.Option(help="Folder of mT5, for a model that reads it.")
    ] = None,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Draw pictures of a product from a phrase. Each PNG says that it was generated, by which model and seed."""
    from core.generation import model as models
    from core.generation.sampling import Drawing, draw, noted
    from core.generation.texts import text_reader

    asked = Drawing(text, seed, steps, guidance, sampler, count).check()
    generator = models.load(models.folder_of(model))
    reader = text_reader(generator.config.texts, generator.config.tokens, text_weights)
    pictures = None
    with watched(progress_lines) as progress:
        for step in draw(generator, reader, asked):
            progress(step.done, step.total, "Drawing")
            pictures = step.pictures
    files = []
    with storage_errors(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        for index, picture in enumerate(pictures if pictures is not None else ()):
            path = out if count == 1 else out.with_stem(f"{out.stem}-{index + 1}")
            image, note = noted(picture, asked, generator.card.name, index)
            image.save(path, "PNG", pnginfo=note)
            files.append(str(path))
    said = hint(text) if generator.config.texts == "clip-lite" else ""
    answer = {**asdict(asked), "model": generator.card.name, "files": files, "hint": said}
    say(answer, as_json, "\n".join([*files, *([said] if said else [])]))
