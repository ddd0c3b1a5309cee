"""The commands of the benchmark; `core.commands.app` registers them."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.commands.console import Json, Lines, Name, say, watched
from core.errors import BenchmarkError
from core.evaluation.choice import Choice
from core.models.registry import model as spec_of
from core.storage import storage_errors

if TYPE_CHECKING:
    from core.benchmark.leaderboard import Board
    from core.benchmark.records import Submission
    from core.benchmark.truth import Truth

benchmark = typer.Typer(
    help="Score files of predictions, all in the same way, and compare them.", no_args_is_help=True
)
Split = Annotated[str, typer.Option(help="train, validation or test.")]
HumanOnly = Annotated[bool, typer.Option("--human-only", help="Only products with human labels.")]


@benchmark.command()
def submit(
    dataset: Name,
    file: Annotated[Path | None, typer.Argument(help="Predictions: CSV, JSON Lines or Parquet.")] = None,
    name: Annotated[str, typer.Option(help="Name of the method.")] = "",
    evaluation: Annotated[
        str, typer.Option(help="Instead of a file: a model whose kept evaluation is submitted.")
    ] = "",
    sees: Annotated[str, typer.Option(help="Of --evaluation: both, picture or text.")] = "both",
    inference: Annotated[str, typer.Option(help="Of --evaluation: as in `vitrine evaluate`.")] = "expected",
    split: Split = "test",
    human_only: HumanOnly = False,
    authors: Annotated[str, typer.Option(help="For the card.")] = "",
    paper: Annotated[str, typer.Option(help="For the card: an address.")] = "",
    code: Annotated[str, typer.Option(help="For the card: an address.")] = "",
    inputs: Annotated[str, typer.Option(help="For the card, e.g. picture and text.")] = "",
    training_data: Annotated[str, typer.Option(help="For the card.")] = "",
    date: Annotated[str, typer.Option(help="For the card.")] = "",
    note: Annotated[str, typer.Option(help="For the card.")] = "",
    match: Annotated[
        bool, typer.Option("--match", help="Take classes in another case, spelling or language.")
    ] = False,
    missing_as_errors: Annotated[
        bool, typer.Option("--missing-as-errors", help="Count products without a prediction as errors.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of a submission of this name.")
    ] = False,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Score predictions and put them on the leaderboard."""
    from core.benchmark import submit as submitting
    from core.benchmark.records import Card
    from core.benchmark.truth import Task

    labels = "human" if human_only else "all"
    if (file is None) == (not evaluation):
        raise BenchmarkError("Give a file of predictions, or --evaluation MODEL.")
    card = Card(authors, paper, code, inputs, training_data, date, note)
    with watched(progress_lines) as progress:
        if file is not None:
            made = submitting.submit_file(
                Task(dataset, split, labels), file, name, card, who=getpass.getuser(), take_matches=match,
                missing_as_errors=missing_as_errors, replace=replace, progress=progress,
            )  # fmt: skip
        else:
            kept = _kept(evaluation, dataset, split, labels, sees, inference)
            given = card if any(asdict(card).values()) else None
            made = submitting.submit_evaluation(kept, name, given, who=getpass.getuser(), replace=replace)
    say(_as_dict(made), as_json, "\n".join(_lines(made)))


@benchmark.command("list")
def list_(dataset: Name, split: Split = "test", human_only: HumanOnly = False, as_json: Json = False) -> None:
    """Show the leaderboard."""
    from core.benchmark.exports import rows

    truth, found = _board(dataset, split, human_only)
    said = [row for row in rows(truth, found) if row["origin"] == "measured"]
    lines = [f"{truth.task.title}: {found.products:,} products, {len(said):,} submissions"]
    lines += [
        f"{row['rank'] or '–':>9}  {row['top1']:.3f} ({row['top1_low']:.3f} to {row['top1_high']:.3f})  {row['name']}"
        + (f"  [{row['notes']}]" if row["notes"] else "")
        for row in said
    ]
    say(said, as_json, "\n".join(lines))


@benchmark.command("export")
def export_(
    dataset: Name,
    out: Annotated[Path, typer.Option(help="A file that ends in .csv, .json, .md or .tex.")],
    split: Split = "test",
    human_only: HumanOnly = False,
    as_json: Json = False,
) -> None:
    """Write the whole leaderboard, the papers' rows included, to a file."""
    from core.benchmark.exports import export

    truth, found = _board(dataset, split, human_only)
    text = export(truth, found, out.suffix.removeprefix("."))
    with storage_errors(out.parent):
        out.write_text(text, encoding="utf-8")
    say({"file": str(out), "rows": len(found.rows)}, as_json, f"{len(found.rows):,} submissions: {out}")


@benchmark.command()
def withdraw(
    dataset: Name,
    name: Annotated[str, typer.Option(help="Name of the submission.")],
    split: Split = "test",
    human_only: HumanOnly = False,
    as_json: Json = False,
) -> None:
    """Take a submission off the leaderboard."""
    from core.benchmark.store import Submissions
    from core.benchmark.truth import Task

    Submissions().withdraw(Task(dataset, split, "human" if human_only else "all"), name)
    say({"withdrawn": name}, as_json, f"Withdrew {name}.")


@benchmark.command()
def close(
    dataset: Name,
    split: Split = "test",
    per_day: Annotated[int, typer.Option(help="Submissions of one person in 24 hours.")] = 5,
    public: Annotated[float, typer.Option(help="Share of the products that public scores are of.")] = 0.5,
    as_json: Json = False,
) -> None:
    """Keep the labels of a split out of the dataset; scores are of a public part until it is opened."""
    from core.benchmark.closing import close as closing

    made = closing(dataset, split, per_day, public)
    said = (
        f"The {split} labels of {dataset} are kept out of every page, download, panel and statistic. Public scores are of "
        f"{made.public:.0%} of the products, {made.per_day} submissions a person and day. Open it again: vitrine benchmark open "
        f"{dataset}"
    )
    say(asdict(made) | {"seed": None}, as_json, said)


@benchmark.command("open")
def open_(dataset: Name, as_json: Json = False) -> None:
    """End a closed benchmark: labels and all scores are shown."""
    from core.benchmark.closing import reopen

    splits = reopen(dataset)
    say(
        {"opened": dataset, "splits": splits}, as_json, f"{dataset} is open: all labels and scores are shown."
    )


def _board(dataset: str, split: str, human_only: bool) -> tuple[Truth, Board]:
    from core.benchmark.leaderboard import board
    from core.benchmark.store import Submissions
    from core.benchmark.truth import Task, truth_of

    truth = truth_of(Task(dataset, split, "human" if human_only else "all"))
    return truth, board(truth, Submissions())


def _kept(model: str, dataset: str, split: str, labels: str, sees: str, inference: str) -> Any:
    """A kept evaluation.

    Raises:
        BenchmarkError: there is none.
    """
    from core.evaluation import cache

    choice = Choice(dataset, split, sees, labels, inference)
    found = cache.find(spec_of(model), choice)
    if found is None:
        command = " ".join(["vitrine evaluate", model, *choice.options(), "--keep"])
        raise BenchmarkError(f"{model} was not evaluated so. First: {command}")
    return found


def _as_dict(made: Submission) -> dict[str, Any]:
    report = {
        key: value
        for key, value in made.report.items()
        if key not in ("per_class", "reliability", "confused_pairs")
    }
    return {"id": made.id, "name": made.name, **asdict(made.task), "notes": made.notes, "report": report}


def _lines(made: Submission) -> list[str]:
    report = made.report
    low, high = report["top1_interval"]
    lines = [
        f"{made.name} on {made.task.title}: top-1 {report['top1']:.4f} ({low:.4f} to {high:.4f}), {made.n:,} products"
    ]
    for key, word in (("top5", "top-5"), ("balanced", "balanced"), ("f1_macro", "F1 macro"), ("f1_weighted", "F1 weighted"),
                      ("ap_macro", "AP macro"), ("calibration_error", "calibration error")):  # fmt: skip
        if report.get(key) is not None:
            lines.append(f"  {word} {report[key]:.4f}")
    return [*lines, *(f"  note: {note}" for note in made.notes)]
