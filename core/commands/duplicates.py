"""The command of duplicates and leakage; `core.commands.app` registers it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.commands.console import Json, Lines, Name, say, watched
from core.duplicates.detectors import detector
from core.errors import UsageError
from core.storage import storage_errors


def duplicates(
    name: Name,
    by: Annotated[
        str,
        typer.Option(
            help="Detectors: bytes, pixels, cropped, recoloured, hash, vectors, text, glami; default: all that the dataset allows."
        ),
    ] = "",
    threshold: Annotated[
        list[str],
        typer.Option(
            metavar="[BY=]NUMBER",
            help="For example pixels=6, cropped=4, hash=4, vectors=0.995, text=0.9; repeatable.",
        ),
    ] = [],  # noqa: B006
    preset: Annotated[
        str, typer.Option(help="glami: the rule by which GLAMI-1M's authors cleaned their test split.")
    ] = "",
    vectors: Annotated[str, typer.Option(help="A set of picture vectors; default: the newest.")] = "",
    drop: Annotated[Path | None, typer.Option(help="Write the products to drop to this CSV file.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the certificate to this .md or .json file.")
    ] = None,
    keep: Annotated[
        str, typer.Option(help="test: drop leaking products from train; train: drop them from test.")
    ] = "",
    within: Annotated[bool, typer.Option("--within", help="Also drop duplicates within a split.")] = False,
    pixels: Annotated[
        bool, typer.Option("--pixels", help="Also prepare the pictures for look-alikes of other classes.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Recompute cached results.")] = False,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Find near-duplicates within splits and leakage between them."""
    from core.catalog.products import Products
    from core.duplicates import finding, judging, leakage, lookalikes
    from core.duplicates import report as writing

    _check_options(by, preset, keep, report)
    split_to_keep = keep or ("train" if preset else "test")
    products = Products.open(name)
    chosen = ["glami"] if preset else [part.strip() for part in by.split(",") if part.strip()]
    thresholds = _thresholds(threshold, chosen)
    skipped: tuple[str, ...] = ()
    named = bool(chosen)  # every detector that is named counts for what to drop, not only the precise ones
    if not chosen:
        chosen, skipped = finding.possible(products.info)
    at = {key: thresholds.get(key, detector(key).default) for key in chosen}
    for key in at:
        detector(key).check(at[key])
    counting = {key: at[key] for key in chosen if named or detector(key).precise}
    kept: Literal["test", "train"] = "test" if split_to_keep == "test" else "train"
    with watched(progress_lines) as progress:
        found = finding.find(products, chosen, vectors, again=again, progress=progress)
        if pixels:
            lookalikes.LookAlikes(products, None, progress)
        progress(0, 0, "Counting")
        splits = leakage.Splits(products)
        judged = judging.precisions(products.info, found, at)
        answer = writing.certificate(products, found, at, splits, kept, within, judged, list(counting))
    answer["skipped"] = list(skipped)
    if drop is not None:
        dropped = leakage.to_drop(found, counting, splits, kept, within)
        with storage_errors(drop.parent):
            drop.write_bytes(writing.as_csv(writing.drop_list(products, dropped, counting)))
    if report is not None:
        with storage_errors(report.parent):
            report.write_bytes(writing.as_bytes(answer, report.suffix))
    say(answer, as_json, "\n".join([*_lines(answer), *(f"  {why}" for why in skipped)]))


def _check_options(by: str, preset: str, keep: str, report: Path | None) -> None:
    """
    Raises:
        UsageError: an option has an unknown value, or contradicts another.
    """
    if preset not in ("", "glami"):
        raise UsageError(f"--preset {preset}: the only preset is glami.")
    if preset and by:
        raise UsageError("--preset glami chooses the detectors itself: leave out --by.")
    if keep not in ("", "test", "train"):
        raise UsageError(f"--keep {keep}: expected test or train.")
    if report is not None and report.suffix not in (".md", ".json"):
        raise UsageError(f"--report {report}: the name must end in .md or .json.")


def _thresholds(given: list[str], chosen: list[str]) -> dict[str, float]:
    """
    Raises:
        UsageError: a threshold is not a number, or names no detector.
    """
    found = {}
    for entry in given:
        key, equals, value = entry.rpartition("=")
        if not equals:
            if len(chosen) != 1:
                raise UsageError(f"--threshold {entry}: name the detector, for example vectors={entry}.")
            key = chosen[0]
        try:
            found[key] = float(value)
        except ValueError as error:
            raise UsageError(f"--threshold {entry}: {value!r} is not a number.") from error
        if key not in chosen and chosen:
            raise UsageError(f"--threshold {entry}: {key} is not among --by {','.join(chosen)}.")
    return found


def _lines(answer: dict[str, Any]) -> list[str]:
    lines = [f"{answer['dataset']}: {answer['products']:,} products"]
    for part in answer["detectors"]:
        lines.append(f"{part['title']}: {part['means']}; {part['seconds']:.1f} s")
        for split, counts in part["within"].items():
            lines.append(f"  within {split}: {counts['groups']:,} groups, {counts['products']:,} products")
        for entry in part["across"]:
            if entry["products"]:
                lines.append(
                    f"  {entry['split']} in {entry['other']}: {entry['products']:,} products have a duplicate there"
                )
        lines += [f"  note: {note}" for note in part["notes"]]
    lines.append(
        f"To drop, by {', '.join(answer['drop']['detectors'])}: {answer['drop']['products']:,} products "
        f"({answer['drop']['keep']} is kept); --drop FILE lists them"
    )
    return lines
