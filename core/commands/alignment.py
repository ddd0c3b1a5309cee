"""The command of label alignment."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.console import Json, Lines, say, watched
from core.errors import UsageError
from core.storage import storage_errors

SHOWN = 60  # rows of the table in a terminal
COLUMNS = (
    "first_level", "source_a", "a", "products_a", "source_b", "b", "products_b", "s_label", "s_content", "s_vectors",
    "published", "modern", "decision", "new_name",
)  # fmt: skip


def align(
    a: Annotated[str, typer.Argument(help="Name of the dataset.")],
    b: Annotated[
        str, typer.Argument(help="Another dataset; without it, sub-classes of the first are compared.")
    ] = "",
    by: Annotated[
        str,
        typer.Option(help="Of one dataset: the column of its sources: geo, language, split, label_source."),
    ] = "",
    vectors: Annotated[
        str, typer.Option(help="Vectors of names and titles: characters, or an encoder of texts.")
    ] = "characters",
    content: Annotated[
        float | None, typer.Option(help="Threshold of S_content; by default the mean over equal names.")
    ] = None,
    any_class: Annotated[
        bool, typer.Option("--any-class", help="Compare sub-classes of different first-level classes, too.")
    ] = False,
    write_csv: Annotated[Path | None, typer.Option("--csv", help="Write all candidates as CSV.")] = None,
    take: Annotated[Path | None, typer.Option("--import", help="Take decisions from this file.")] = None,
    give: Annotated[Path | None, typer.Option("--export", help="Write the decisions to this file.")] = None,
    apply: Annotated[str, typer.Option(help="Write the merged dataset under this name.")] = "",
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Find sub-classes of two datasets, or of two sources in one, that are the same under two names."""
    from core.labels import alignment, decisions, merge  # DuckDB, SQLAlchemy

    with watched(progress_lines) as progress:
        found = alignment.align(a, b, by, vectors, content, any_class, progress)
        answer: dict[str, Any] = {}
        if take is not None:
            answer["taken"], answer["unknown"] = decisions.read(found, take)
        decided = decisions.decisions(found)
        rows = [_row(pair, decided.get(pair.item)) for pair in found.candidates()]
        if write_csv is not None:
            _write(write_csv, rows)
        if give is not None:
            answer["exported"] = decisions.write(found, give)
        if apply:
            plan = merge.tree(found, decided)
            report = merge.apply(found, decided, apply, progress)
            answer["dataset"] = {
                "name": report.name, "rows": report.rows, "sub_classes": plan.classes, "merged": plan.merged,
                "fingerprint": report.fingerprint,
            }  # fmt: skip
    answer |= {
        "sub_classes": len(found.classes), "pairs": len(found.pairs), "candidates": len(rows),
        "published": sum(row["published"] for row in rows), "modern": sum(row["modern"] for row in rows),
        "threshold": found.content, "mean_of_equal_names": found.mean_equal, "equal_names": found.equal,
        "decided": len(decided), "first_levels_of_one_side": list(found.alone), "rows": rows,
    }  # fmt: skip
    say(answer, as_json, "\n".join(_lines(answer)))


def _row(pair: Any, said: Any) -> dict[str, Any]:
    return {
        "first_level": pair.a.first, "source_a": pair.a.source, "a": pair.a.name, "products_a": pair.a.products,
        "source_b": pair.b.source, "b": pair.b.name, "products_b": pair.b.products, "s_label": round(pair.s_label, 4),
        "s_content": None if pair.s_content is None else round(pair.s_content, 4), "s_vectors": round(pair.s_vectors, 4),
        "published": pair.published, "modern": pair.modern, "decision": said.answer if said else "",
        "new_name": said.name if said else "",
    }  # fmt: skip


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Cells that a spreadsheet would run as a formula begin with an apostrophe."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give a file.")
    with storage_errors(path.parent), path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _cell(value) for key, value in row.items()})


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def _lines(answer: dict[str, Any]) -> list[str]:
    mean = answer["mean_of_equal_names"]
    told = (
        f"the mean of {answer['equal_names']} equal names is {mean:.3f}"
        if mean is not None
        else "no name is equal"
    )
    lines = [
        f"{answer['sub_classes']:,} sub-classes, {answer['pairs']:,} pairs, {answer['candidates']:,} candidates: the published rule "
        f"merges {answer['published']:,}, vectors {answer['modern']:,}; {answer['decided']:,} decided",
        f"threshold of S_content {answer['threshold']:.3f} (published .75; {told})",
    ]
    lines += [
        f"only one side has the first level {first}" for first in answer["first_levels_of_one_side"][:10]
    ]
    lines += ["label content vectors  rules  "]
    for row in answer["rows"][:SHOWN]:
        content = "    -" if row["s_content"] is None else f"{row['s_content']:5.3f}"
        rules = ("P" if row["published"] else "-") + ("V" if row["modern"] else "-")
        lines.append(
            f"{row['s_label']:5.2f}  {content}   {row['s_vectors']:6.3f}  {rules}  {row['a']} ({row['source_a']}) | {row['b']} "
            f"({row['source_b']})  {row['decision']} {row['new_name']}".rstrip()
        )
    if len(answer["rows"]) > SHOWN:
        lines.append(f"... {len(answer['rows']) - SHOWN:,} more: --csv FILE")
    for key, words in (("taken", "decisions taken"), ("unknown", "of sub-classes that are not here"), ("exported", "decisions written")):  # fmt: skip
        if key in answer:
            lines.append(f"{answer[key]:,} {words}")
    if "dataset" in answer:
        made = answer["dataset"]
        lines.append(
            f"{made['name']}: {made['rows']:,} products, {made['sub_classes']:,} sub-classes, {made['merged']:,} merged into others"
        )
    return lines


def register(app: typer.Typer) -> None:
    """Put this command on the app."""
    app.command()(align)
