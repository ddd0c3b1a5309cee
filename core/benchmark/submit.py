"""Submit a file of predictions, or an evaluation."""

from __future__ import annotations

from pathlib import Path

from core.benchmark.predictions import read_predictions
from core.benchmark.reading import MOST_BYTES
from core.benchmark.records import Card, Submission, checked_name
from core.benchmark.scores import score, score_evaluation
from core.benchmark.store import Submissions
from core.benchmark.truth import Task, Truth, truth_of
from core.errors import BenchmarkError
from core.evaluation.cache import Evaluation
from core.progress import Progress, no_progress

SEES = {"both": "picture and text", "picture": "picture", "text": "text"}


def submit_file(
    task: Task,
    path: Path,
    name: str,
    card: Card,
    store: Submissions | None = None,
    who: str = "",
    take_matches: bool = False,
    missing_as_errors: bool = False,
    replace: bool = False,
    most_bytes: int = MOST_BYTES,
    progress: Progress = no_progress,
    owner: bool = True,
) -> Submission:
    """Check, score and store a file of predictions.

    Args:
        owner: whoever submits may see the labels anyhow, so that a closed benchmark's daily limit is not theirs.

    Raises:
        BenchmarkError: the file does not fit; nothing is stored.
    """
    name, card = checked_name(name), card.checked()
    truth = truth_of(task)
    store = store or Submissions()
    _free_name(store, truth, name, replace)
    predicted = read_predictions(path, truth, take_matches, missing_as_errors, most_bytes, progress)
    if not owner:
        for closed in store.closed(task.dataset):
            if closed.split == task.split:
                store.take_try(closed, who)
    progress(0, 0, "Scoring")
    report, table = score(truth, predicted)
    made = Submission(
        "",
        task,
        name,
        "file",
        truth.info.fingerprint,
        card,
        report,
        predicted.digest,
        predicted.notes,
        created_by=who,
    )
    return store.add(made, table, replace)


def submit_evaluation(
    made: Evaluation,
    title: str,
    card: Card | None = None,
    store: Submissions | None = None,
    who: str = "",
    replace: bool = False,
) -> Submission:
    """An evaluation as a submission with the same figures.

    Raises:
        BenchmarkError: see core.benchmark.scores.score_evaluation.
    """
    choice = made.choice
    task = Task(choice.dataset, choice.split, choice.labels)
    name = checked_name(title or name_of(made))
    truth = truth_of(task)
    report, table = score_evaluation(truth, made)
    notes = []
    if report.get("unseen"):
        notes.append(
            f"{report['unseen']:,} products that the model cannot read are left out, as in its evaluation"
        )
    if choice.among != "all":
        notes.append("only the dataset's classes are candidates")
    card = card or Card(
        authors="Vitrine", inputs=SEES[choice.sees], training_data=str(report.get("trained_on") or ""), date=made.made[:10],
        note="" if choice.inference == "expected" else f"{choice.inference} inference",
    )  # fmt: skip
    submission = Submission(
        "",
        task,
        name,
        "evaluation",
        truth.info.fingerprint,
        card,
        report,
        made.weights,
        tuple(notes),
        created_by=who,
    )
    return (store or Submissions()).add(submission, table, replace)


def name_of(made: Evaluation) -> str:
    """A name that tells evaluations of one model apart: the model, what it saw, how it drew."""
    choice = made.choice
    more = [
        choice.sees if choice.sees != "both" else "",
        choice.inference if choice.inference != "expected" else "",
    ]
    return " · ".join([made.model, *(part for part in more if part)])


def _free_name(store: Submissions, truth: Truth, name: str, replace: bool) -> None:
    """Say that a name is taken before a large file is read; the database has the last word."""
    taken = {one.name for one in store.list(truth.task) if one.fingerprint == truth.info.fingerprint}
    if name in taken and not replace:
        raise BenchmarkError(
            f"There is a submission named {name!r} for {truth.task.title}. Choose another name, or replace it with --replace."
        )
