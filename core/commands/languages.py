"""The commands of languages; `core.commands.app` registers them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.commands.console import Json, Lines, Name, say, watched
from core.commands.filters import Only, cohort_of
from core.errors import ModelError, UsageError
from core.languages import translator
from core.storage import storage_errors

if TYPE_CHECKING:
    from core.catalog.cohort import Cohort
    from core.catalog.products import Products
    from core.languages.scores import Scores
    from core.languages.translations import Described, Translation
    from core.search.query import How

SHOWN = 15  # pairs of countries that are printed
By = Annotated[
    str, typer.Option(help="image_id, or a duplicates search that was run: bytes, hash, vectors, ...")
]
Countries = Annotated[str, typer.Option(metavar="GEO,GEO", help="Countries, such as cz,sk; all by default.")]


def languages(
    name: Name,
    only: Only = "",
    by: By = "image_id",
    threshold: Annotated[float | None, typer.Option(help="Of that search, in its own unit.")] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write every pair with its texts.")
    ] = None,
    search: Annotated[
        bool,
        typer.Option(
            "--search", help="Measure search across languages: does a name find its twin in another country?"
        ),
    ] = False,
    vectors: Annotated[
        str, typer.Option(help="Of --search; those that the page Search takes, by default.")
    ] = "",
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Count pairs of countries that sell one picture, and the languages that countries use."""
    from core.catalog.products import Products
    from core.catalog.spreadsheets import frame_csv
    from core.languages import pairs as between
    from core.languages.usage import used

    products = Products.open(name)
    cohort = cohort_of(products, only)
    if search:
        return _search(products, cohort, vectors, progress_lines, as_json)
    with watched(progress_lines) as progress:
        found = between.country_pairs(products, cohort, by, threshold, progress=progress)
    counted = between.counts(found)
    if export is not None:
        with storage_errors(export.parent):
            export.write_bytes(frame_csv(found))
    usage = used(products, cohort)
    frame = counted.frame().sort_values("pairs", ascending=False)
    kinds = {kind: int((found["kind"] == kind).sum()) for kind in between.KINDS}
    answer = {
        "dataset": name, "by": by, "countries": list(counted.countries), "total": len(found), "kinds": kinds,
        "pairs": frame.to_dict("records"), "counts": counted.total.tolist(), "languages": usage.to_dict("records"),
    }  # fmt: skip
    lines = [f"{name}: {len(found):,} pairs of products with one picture in two countries, by {by}"]
    lines += [f"  {count:,} {between.KIND_TITLES[kind]}" for kind, count in kinds.items() if count]
    lines += [f"  {row['from']}-{row['to']:<6} {row['pairs']:>8,}" for row in answer["pairs"][:SHOWN]]
    if len(frame) > SHOWN:
        lines.append(f"  and {len(frame) - SHOWN} more pairs of countries (--json, --export)")
    say(answer, as_json, "\n".join(lines))


def _search(products: Products, cohort: Cohort, vectors: str, progress_lines: bool, as_json: bool) -> None:
    from core.languages import retrieval
    from core.search.query import HOWS, Searcher

    searcher = Searcher(products, vectors or None)
    hows: tuple[How, ...] = HOWS if searcher.name else ("words",)
    with watched(progress_lines) as progress:
        made = retrieval.measure(searcher, cohort, hows, progress=progress)
    if cohort.is_whole():
        retrieval.save(products.info, made)
    means = {how: dict(zip(("n", "r1", "r10", "r10_random"), made.mean(how), strict=True)) for how in hows}
    answer = {
        "dataset": products.info.name,
        "vectors": made.vectors,
        "means": means,
        "cells": [asdict(cell) for cell in made.cells],
    }
    lines = [
        f"{products.info.name}: a name finds its twin in another country (vectors {made.vectors or 'none'})"
    ]
    lines += [
        f"  by {how:<9} {said['n']:>6,} queries: R@1 {said['r1']:.3f}, R@10 {said['r10']:.3f} (a random order {said['r10_random']:.3f})"
        for how, said in means.items()
    ]
    if not searcher.name:
        lines.append(f"  by likeness: no vectors yet (vitrine embed {products.info.name})")
    say(answer, as_json, "\n".join(lines))


def translate(
    name: Name,
    source: Annotated[
        str, typer.Option("--from", metavar="GEO,GEO", help="Source countries; all by default.")
    ] = "",
    target: Annotated[
        str, typer.Option("--to", metavar="GEO,GEO", help="Target countries; all by default.")
    ] = "",
    model: Annotated[
        str,
        typer.Option(
            help="A folder of M2M100, NLLB or MarianMT; a name on the hub that was downloaded; tiny; or copy, the baseline."
        ),
    ] = "",
    mode: Annotated[
        str,
        typer.Option(help="right, or published: 32 tokens, sources tagged English, Estonian for Spanish."),
    ] = "right",
    only: Only = "",
    by: By = "image_id",
    every: Annotated[
        bool,
        typer.Option(
            "--every-text", help="Translate all texts of the source country, not only those of pairs."
        ),
    ] = False,
    item: Annotated[str, typer.Option(help="Only the product with this item_id.")] = "",
    cpu: Annotated[bool, typer.Option("--cpu", help="Do not use a GPU.")] = False,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Translate descriptions between countries, and score them against the other country's own texts."""
    from core.catalog.products import Products
    from core.languages import translations
    from core.languages.pairs import country_pairs

    products = Products.open(name)
    cohort = cohort_of(products, only)
    wanted = [_countries(products, text) for text in (source, target)]
    chosen = model or translator.bundled()
    if not chosen:
        raise UsageError(
            "No translator: give --model FOLDER, or train one: python -m trainers.translation --help"
        )
    network = translator.open_translator(chosen, cpu)
    answer: list[dict[str, Any]] = []
    skipped: list[str] = []
    asked = [(first, second) for first in wanted[0] for second in wanted[1]]
    with watched(progress_lines) as progress:
        pairs = country_pairs(products, cohort, by)
        for first, second in asked:
            if first == second and len(asked) > 1:
                continue
            try:
                described = translations.describe(products, first, second, network, mode)  # type: ignore[arg-type]
            except (
                ModelError
            ) as error:  # of many countries, those whose language the model does not know are left out
                if len(asked) == 1:
                    raise
                skipped.append(str(error))
                continue
            rows = _rows(products, pairs, first, second, every, item, only)
            if not rows and len(asked) == 1:
                raise UsageError(f"{name} has no pair of {first} and {second}: no picture is sold in both.")
            if rows:
                made = translations.translate(products, described, network, rows, progress)
                answer.append(_translated(made, pairs))
    if skipped and not answer:
        raise ModelError(skipped[0])
    lines = [*map(_line, answer), *(f"left out: {why}" for why in dict.fromkeys(skipped))]
    say(answer, as_json, "\n".join(lines or ["There is no pair to translate."]))


def _countries(products: Products, text: str) -> list[str]:
    from core.languages.pairs import order_of

    have = order_of([geo for geo in products.facet("geo") if geo != "(none)"])
    wanted = [geo for geo in text.replace(" ", "").split(",") if geo]
    if unknown := [geo for geo in wanted if geo not in have]:
        raise UsageError(
            f"{products.info.name} has no country {', '.join(unknown)} (there are: {', '.join(have) or 'none'})."
        )
    if not have:
        raise UsageError(
            f"The products of {products.info.name} have no country, so that nothing can be translated."
        )
    return wanted or list(have)


def _rows(
    products: Products, pairs: Any, source: str, target: str, every: bool, item: str, only: str
) -> list[int]:
    from core.languages.pairs import between

    if every or item:
        cohort = cohort_of(products, only).with_(geo=(source,), **({"item_id": (item,)} if item else {}))
        return [int(row) for row in products.mask(cohort).nonzero()[0]]
    return [int(row) for row in between(pairs, source, target)["row_a"].unique()]


def _translated(made: Translation, pairs: Any) -> dict[str, Any]:
    from core.languages.translations import scored

    return {
        **_facts(made.described), "texts": len(made.texts), "scores": _scores(scored(made, pairs)),
        "scores_every_pair": _scores(scored(made, pairs, every=True)),
    }  # fmt: skip


def _facts(described: Described) -> dict[str, Any]:
    return {key: value for key, value in asdict(described).items() if key not in ("created", "seconds")}


def _scores(scores: Scores | None) -> dict[str, Any] | None:
    return None if scores is None else asdict(scores)


def _line(row: dict[str, Any]) -> str:
    line = f"{row['source']}-{row['target']}  {row['texts']:,} texts by {row['model']} ({row['mode']})"
    if scores := row["scores"]:
        line += (
            f"  {scores['n']:,} pairs: BLEU {scores['bleu']:.1f} ({scores['bleu_interval'][0]:.1f} to "
            f"{scores['bleu_interval'][1]:.1f}), chrF {scores['chrf']:.1f}, published macro BLEU {scores['macro']:.2f}"
        )
    return line
