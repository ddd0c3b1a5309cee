"""The commands of embeddings and search; `core.commands.app` registers them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.catalog.info import info
from core.commands.console import Json, Lines, Name, say, watched
from core.embeddings import clip
from core.embeddings.clip import ENCODERS
from core.embeddings.converted import convert as convert_checkpoint
from core.embeddings.store import open_set, sets
from core.errors import UsageError
from core.search.index import build_approximate, wants_approximate

embeddings = typer.Typer(help="List and import vectors of a dataset.", no_args_is_help=True)
weights = typer.Typer(help="Download weights of encoders.", no_args_is_help=True)


def embed(
    name: Name,
    encoder: Annotated[
        str,
        typer.Option(help="A name from `vitrine encoders`, a run's, MODEL/TAG of open_clip, or a folder."),
    ] = "clip-tiny",
    tower: Annotated[str, typer.Option(help="What to embed: image or text.")] = "image",
    engine: Annotated[
        str, typer.Option(help="local, or ray: distribute over a cluster with Ray Data.")
    ] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that decode pictures; with ray: actors.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: cuda if available.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Recompute them.")] = False,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Compute the vectors of a dataset; an interrupted run is continued."""
    from core.embeddings.embed import embed as run

    if tower not in ("image", "text"):
        raise UsageError(f"--tower {tower}: expected image or text.")
    chosen: Literal["image", "text"] = "image" if tower == "image" else "text"
    with watched(progress_lines) as progress:
        report = run(name, clip.encoder(encoder), chosen, engine, workers, device, again, progress)  # type: ignore[arg-type]
    lines = [
        f"{report.name}: {report.present:,} of {report.rows:,} products have a vector, {report.seconds:.1f} s"
    ]
    lines += [f"  none for {count:,}: {reason}" for reason, count in report.skipped.items()]
    lines.append(
        f"  {report.computed:,} of {report.chunks:,} chunks computed in this run, {report.items_per_s:,.0f}/s"
    )
    say(asdict(report), as_json, "\n".join(lines))


@embeddings.command("import")
def import_(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A .npy, .npz or Parquet file.")],
    call: Annotated[
        str | None, typer.Option("--name", help="Name of the set; default: the file's name.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Key of the rows: image_id, item_id or row_id; detected by default.")
    ] = None,
    ids: Annotated[Path | None, typer.Option(help="For a .npy: a file with one id per line.")] = None,
    as_json: Json = False,
) -> None:
    """Import vectors that were computed elsewhere."""
    from core.catalog.products import Products
    from core.embeddings.imported import KEYS, import_vectors

    if by not in (None, *KEYS):
        raise UsageError(f"--by {by}: expected {', '.join(KEYS)}.")
    with watched() as progress:
        report = import_vectors(Products.open(name), file, call or file.stem, by, ids, progress)
    say(
        asdict(report),
        as_json,
        f"{report.name}: {report.present:,} of {report.rows:,} products have a vector of {report.dimensions}, by {report.by}",
    )


@embeddings.command("list")
def list_(name: Name, as_json: Json = False) -> None:
    """List the vectors of a dataset."""

    found = [{"name": known, **asdict(described)} for known, described in sets(info(name))]
    lines = [
        f"{entry['name']:<32} {entry['present']:>10,} x {entry['dimensions']}  {entry['created']}"
        for entry in found
    ]
    say(found, as_json, "\n".join(lines) or f"None yet. Compute them: vitrine embed {name}")


def index(
    name: Name,
    vectors: Annotated[str | None, typer.Option(help="A set of vectors; default: the newest.")] = None,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Index a large dataset: its words, and its vectors if an exact search would take longer than 110 ms."""
    from core.catalog.products import Products
    from core.search.lexical import Lexical
    from core.search.query import default_set

    products = Products.open(name)
    answer: dict[str, Any] = {"words": len(products), "vectors": None}
    text = f"The words of {name} are indexed."
    with watched(progress_lines) as progress:
        Lexical(products, progress, build=True)
        chosen = vectors or default_set(products)
        if chosen is not None:
            found = open_set(products.info, chosen)
            if wants_approximate(found) or vectors:
                described = build_approximate(found, progress=progress)
                answer["vectors"] = {"name": chosen, **asdict(described)}
                text += (
                    f" {chosen}: recall@10 {described.recall_at_10:.4f} at {described.milliseconds:.1f} ms (p95), "
                    f"{described.probes} of {described.lists} lists."
                )
            else:
                text += f" {chosen} needs no index: an exact search is fast enough."
    say(answer, as_json, text)


def search(
    name: Name,
    text: Annotated[list[str], typer.Option(help="Text query in any language; repeatable.")] = [],  # noqa: B006
    image: Annotated[list[Path], typer.Option(help="A picture file; repeatable.")] = [],  # noqa: B006
    item: Annotated[list[str], typer.Option(help="A product's item_id; repeatable.")] = [],  # noqa: B006
    without: Annotated[list[str], typer.Option(help="Negative text query; repeatable.")] = [],  # noqa: B006
    k: Annotated[int, typer.Option("-k", min=1, max=10_000, help="Number of results.")] = 10,
    where: Annotated[str | None, typer.Option(help="Filter in SQL, e.g. \"geo = 'cz'\".")] = None,
    vectors: Annotated[str | None, typer.Option(help="A set of vectors; default: the newest.")] = None,
    how: Annotated[str, typer.Option(help="likeness (vectors), words, or both.")] = "likeness",
    weight: Annotated[
        list[float], typer.Option(help="Weights of the parts, in the order text, image, item, without.")
    ] = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Search products by texts, pictures and products, with positive and negative parts."""
    from core.catalog.products import Products
    from core.catalog.where import rows_where
    from core.search.query import Searcher

    products = Products.open(name)
    parts = _parts(products, text, image, item, without, weight)
    mask = rows_where(products, where) if where is not None else None
    answer = Searcher(products, vectors).search(parts, k, mask, how)  # type: ignore[arg-type]
    rows = {row["row_id"]: row for row in products.by_row([hit.row_id for hit in answer.hits])}
    found = [
        {
            "item_id": rows[hit.row_id]["item_id"],
            "image_id": rows[hit.row_id]["image_id"],
            "score": round(hit.score, 6),
            "row_id": hit.row_id,
            "name": rows[hit.row_id]["name"],
            "category": rows[hit.row_id]["category"],
            "similarities": hit.similarities,
            "by": hit.by,
            "chances": hit.chances,
            "likeness": hit.likeness or None,
        }
        for hit in answer.hits
    ]
    lines = [
        f"{hit['score']:>8.4f}  {hit['likeness'] or '':<16}  {hit['item_id']:<12} {hit['category'] or '':<24} "
        f"{hit['name'] or ''}"
        for hit in found
    ]
    if not answer.allowed:
        lines.append(f"No product of {name} matches --where {where}.")
    recall = "" if answer.recall is None else f", approximate: recall@10 {answer.recall:.3f}"
    lines.append(
        f"{len(found)} of {answer.allowed:,} products, {answer.meaning}{recall}, {1e3 * answer.seconds:.0f} ms"
    )
    say(found, as_json, "\n".join([*lines, *answer.notes]))


def _parts(
    products: Any,
    text: list[str],
    image: list[Path],
    item: list[str],
    without: list[str],
    weight: list[float],
) -> list[Any]:
    from core.search.query import AWAY, Part

    count = len(text) + len(image) + len(item) + len(without)
    if weight and len(weight) != count:
        raise UsageError(f"There are {len(weight)} weights for {count} parts of the query.")
    amounts = iter(weight or [1.0] * (count - len(without)) + [AWAY] * len(without))
    parts = [Part("text", given, weight=next(amounts)) for given in text]
    for path in image:
        if not path.is_file():
            raise UsageError(f"There is no picture {path}.")
        parts.append(Part("image", path.name, image=path.read_bytes(), weight=next(amounts)))
    for item_id in item:
        rows = products.item(item_id)
        if not rows:
            raise UsageError(f"{products.info.name} has no product with the item_id {item_id!r}.")
        parts.append(Part("product", item_id, row=rows[0]["row_id"], weight=next(amounts)))
    return parts + [Part("text", given, weight=-abs(next(amounts))) for given in without]


def encoders(as_json: Json = False) -> None:
    """List the encoders with licence and size: bundled, downloadable, and trained by your runs."""

    known = [*ENCODERS, *clip.run_encoders()]
    lines = [
        f"{spec.name:<28} {spec.weights:<8} {spec.size_mb:>6,} MB  {spec.dimensions:>4} d  {spec.licence:<14} {spec.languages}"
        for spec in known
    ]
    say([asdict(spec) for spec in known], as_json, "\n".join(lines))


@weights.command("fetch")
def fetch(
    encoder: Annotated[str, typer.Argument(help="A name from `vitrine encoders`.")],
    as_json: Json = False,
) -> None:
    """Download the weights of an encoder; no other command downloads a model."""

    from core.embeddings.fetching import fetch as download

    spec = clip.encoder(encoder)
    download(spec)
    say(
        {"fetched": spec.name, "licence": spec.licence},
        as_json,
        f"{spec.name} is downloaded ({spec.licence}).",
    )


@weights.command("convert")
def convert(
    encoder: Annotated[str, typer.Argument(help="openfashionclip, or glami-baseline.")],
    file: Annotated[Path, typer.Argument(help="The authors' checkpoint (.pt), read as weights alone.")],
    dataset: Annotated[
        str, typer.Option(help="glami-baseline: an import of GLAMI-1M, whose categories are the classes.")
    ] = "",
    name: Annotated[str, typer.Option(help="glami-baseline: name of the run.")] = "glami-baseline",
    text: Annotated[
        Path | None, typer.Option(help="glami-baseline: folder of mT5-small; without it texts are left out.")
    ] = None,
    label_source: Annotated[
        bool, typer.Option("--label-source", help="glami-baseline: keep the label source as an input.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Convert a checkpoint that its authors publish as a pickle to safetensors."""
    if encoder == "glami-baseline":
        if not dataset:
            raise UsageError("Give --dataset: an import of GLAMI-1M, whose categories are the classes.")
        from core.models import glami_baseline

        made = glami_baseline.convert(file, dataset, name, text, label_source)
        lines = [f"{made.name} is a model now: {made.folder}", *(f"  note: {note}" for note in made.notes)]
        said = {"converted": made.name, "folder": str(made.folder), "notes": made.notes}
        return say(said, as_json, "\n".join(lines))
    spec = clip.encoder(encoder)
    folder = convert_checkpoint(spec, file)
    say(
        {"converted": spec.name, "licence": spec.licence, "folder": str(folder)},
        as_json,
        f"{spec.name} is in {folder} ({spec.licence}).",
    )


def register(app: typer.Typer) -> None:
    """Put these commands on the app."""
    for command in (embed, search, index, encoders):
        app.command()(command)
    app.add_typer(embeddings, name="embeddings")
    app.add_typer(weights, name="weights")
