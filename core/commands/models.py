"""The commands of models: list, classify, evaluate."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.console import Json, Lines, say, watched
from core.commands.priors import evaluate_priors
from core.embeddings.seen import Exposure
from core.errors import UsageError, VitrineError
from core.evaluation.choice import ITEMS, TRIALS, RetrievalChoice
from core.models.registry import TRAIN_COMMAND, ZERO_SHOT, damaged_runs, model, of_run
from core.models.registry import models as known
from core.progress import Progress
from core.storage import storage_errors
from core.training.runs import RunConfig, find_run

Prompt = Annotated[
    str,
    typer.Option(
        help="Prompt of a zero-shot model: glami, plain, fashion, or a text with {} for the category."
    ),
]


def models(as_json: Json = False) -> None:
    """List the models: finished runs, newest first, bundled models, zero-shot models."""

    broken = damaged_runs()
    found: list[dict[str, object]] = [
        {"name": spec.name, "title": spec.title, "inputs": spec.inputs, "weights": spec.weights,
         "licence": spec.licence, "trained_on": spec.trained_on,
         **({} if spec.exposure is None else {"exposure": spec.exposure.as_dict()})}
        for spec in known()
    ]  # fmt: skip
    lines = [f"{row['name']:<40} {row['title']}; {row['trained_on']}" for row in found]
    text = "\n".join([*lines, *broken.values()])
    found += [{"name": name, "damaged": why} for name, why in broken.items()]
    say(found, as_json, text or f"No model yet. Train one: {TRAIN_COMMAND}")


def classify(
    model: Annotated[str, typer.Option(help="A name from `vitrine models`; default: the first.")] = "",
    image: Annotated[Path | None, typer.Option(help="A picture file.")] = None,
    name: Annotated[str, typer.Option(help="The product's name.")] = "",
    description: Annotated[str, typer.Option(help="The product's description.")] = "",
    dataset: Annotated[
        str, typer.Option(help="Dataset whose categories are the classes of a zero-shot model.")
    ] = "",
    prompt: Prompt = "",
    as_json: Json = False,
) -> None:
    """Classify a product by picture, name or description: the five most probable classes."""

    from core.models import loading

    if not model:
        there = known()
        if not there:
            raise UsageError(f"No model yet. Train one: {TRAIN_COMMAND}")
        model = there[0].name
    if model.startswith(f"{ZERO_SHOT}-"):
        found = loading.open_classifier(model, dataset or None, prompt or None).classify(
            image, name, description
        )
    elif dataset or prompt:
        raise UsageError(f"{model} has its own classes: --dataset and --prompt are for zero-shot models.")
    else:
        found = loading.classify(model, image, name, description)
    lines = [f"{probability:7.1%}  {label}" for label, probability in found.labels] + found.notes
    answer = [{"label": label, "probability": probability} for label, probability in found.labels]
    say({"model": model, "labels": answer, "notes": found.notes}, as_json, "\n".join(lines))


def evaluate(
    run: Annotated[
        str, typer.Argument(help="A run's name or folder, a bundled model, or zero-shot-ENCODER.")
    ],
    protocol: Annotated[
        str, typer.Option(help="classes, or pairs: retrieval of a product's picture by its text.")
    ] = "classes",
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    dataset: Annotated[
        str,
        typer.Option(help="Dataset to evaluate on; default: the training dataset, or the first of several."),
    ] = "",
    among: Annotated[
        str, typer.Option(help="Candidate classes: all of the model, or `dataset` for those of the dataset.")
    ] = "all",
    sees: Annotated[str, typer.Option(help="Inputs: both, picture or text.")] = "both",
    inference: Annotated[
        str,
        typer.Option(
            help="expected, sampled or ensemble; of zero-shot: expected (the encoder's sum), published or normalised."
        ),
    ] = "expected",
    human_only: Annotated[
        bool, typer.Option("--human-only", help="Only products with human labels.")
    ] = False,
    prompt: Prompt = "",
    ties: Annotated[
        str, typer.Option(help="Ties: glami (the published rule) or fair (half a hit).")
    ] = "glami",
    save: Annotated[Path | None, typer.Option(help="Write predictions to this Parquet file.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Store report and predictions for the Evaluate page.")
    ] = False,
    against: Annotated[
        list[str],
        typer.Option(help="pairs: another run or encoder, compared on the same trials; repeatable."),
    ] = [],  # noqa: B006
    items: Annotated[int, typer.Option(help="pairs: products of a trial.")] = ITEMS,
    trials: Annotated[int, typer.Option(help="pairs: number of trials.")] = TRIALS,
    seed: Annotated[int, typer.Option(help="pairs: of the trials.")] = 0,
    priors: Annotated[
        str,
        typer.Option(
            help="Estimate class priors without labels, and the accuracy under them: em-map, em, scm-l, ... or list."
        ),
    ] = "",
    of: Annotated[
        str,
        typer.Option(
            help="--priors: the products whose priors, as in an address: geo=cz; default: each country."
        ),
    ] = "",
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """Evaluate a classifier (top-1, top-5, F1, AP, calibration), or an encoder's retrieval (--protocol pairs)."""
    if protocol not in ("classes", "pairs"):
        raise UsageError(f"--protocol {protocol}: expected classes or pairs.")
    if protocol == "pairs":
        from core.commands.retrieval import evaluate_pairs  # SciPy, pandas

        with watched(progress_lines) as progress:
            evaluate_pairs(
                run,
                against,
                dataset,
                RetrievalChoice(split, items, trials, seed=seed),
                keep,
                progress,
                as_json,
            )
        return
    if is_encoder(run):
        raise UsageError(
            f"{run} encodes pictures and texts, and has no classes of its own: --protocol pairs measures its retrieval; "
            f"{ZERO_SHOT}-{run} is the classifier that it makes of a dataset's categories."
        )
    if priors or of:
        with watched(progress_lines) as progress:
            evaluate_priors(run, priors, of, split, dataset, human_only, sees, keep, progress, as_json)
        return
    from core.evaluation.cache import without_nan

    with watched(progress_lines) as progress:
        if keep:
            if prompt:
                raise UsageError(
                    "--keep stores evaluations for the Evaluate page, which has no prompts: leave out --prompt."
                )
            found = _keep(run, dataset, split, sees, inference, human_only, ties, among, save, progress)
        else:
            from core.evaluation.evaluate import evaluate as judge

            found = judge(
                run, split, dataset or None, human_only=human_only, sees=sees, inference=inference,
                ties=ties, progress=progress, save=save, among=among, prompt=prompt or None,  # type: ignore[arg-type]
            )  # fmt: skip
    found = without_nan(found)
    if strange := found["unknown_classes"]:
        typer.echo(
            f"{strange:,} of {found['n']:,} products have a category that is not among the model's classes: they count as errors.",
            err=True,
        )
    if (exposed := found["exposure"]) and not exposed["zero_shot"]:
        typer.echo(Exposure.of(exposed).sentence(), err=True)
    shown = ("n", "classes", "top1", "top5", "f1_macro", "f1_weighted", "ap_macro")
    say(found, as_json, "\n".join(f"{key:<12} {_figure(found[key])}" for key in shown))


def is_encoder(run: str) -> bool:
    """Is it a run that trained an encoder?"""
    try:
        return RunConfig.read(find_run(run)).architecture == "contrastive"
    except VitrineError:
        return False


def _figure(value: float | None) -> str:
    """
    >>> _figure(1234), _figure(0.51236), _figure(None)
    ('1,234', '0.5124', 'not defined')
    """
    if value is None:
        return "not defined"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _keep(
    run: str, dataset: str, split: str, sees: str, inference: str, human_only: bool, ties: str, among: str,
    save: Path | None, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Evaluate and store the result; the report is the same as without storing."""
    from core.evaluation import cache

    try:
        spec = of_run(find_run(run))
    except VitrineError:
        spec = model(run)
    choice = cache.Choice(
        dataset or cache.training_dataset(spec), split, sees, "human" if human_only else "all", inference, ties, among,
    )  # fmt: skip
    made = cache.evaluate_and_store(spec, choice, progress)
    if save is not None:
        with storage_errors(save.parent):
            save.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made.path, save)
    return made.report


def register(app: typer.Typer) -> None:
    """Put these commands on the app."""
    for command in (models, classify, evaluate):
        app.command()(command)
