"""`vitrine evaluate RUN --priors METHOD`: class priors of countries, estimated without labels."""

from __future__ import annotations

from typing import Any, get_args

from core.commands.console import say
from core.commands.filters import cohort_of
from core.errors import UsageError, VitrineError
from core.labels.prior_shift import METHODS, Method
from core.models.registry import model, of_run
from core.progress import Progress
from core.training.runs import find_run

SHOWN = 8  # classes of a cohort that are printed


def evaluate_priors(
    run: str,
    method: str,
    of: str,
    split: str,
    dataset: str,
    human_only: bool,
    sees: str,
    keep: bool,
    progress: Progress,
    as_json: bool,
) -> None:
    """
    Args:
        of: a cohort as in an address; empty for each country.
        keep: store the report by country for the Evaluate page.

    Raises:
        UsageError: there is no such method, or --of comes without --priors or with --keep.
    """
    if method == "list":
        say(METHODS, as_json, "\n".join(f"{name:<6} {what}" for name, what in METHODS.items()))
        return
    if method not in get_args(Method):
        raise UsageError(f"--priors {method or '(missing)'}: expected one of {', '.join(METHODS)}.")
    if of and keep:
        raise UsageError("--keep stores the priors of every country: leave out --of.")
    from core.catalog.products import Products  # DuckDB
    from core.evaluation.cache import Choice, training_dataset, without_nan
    from core.evaluation.prior_reports import report_and_store

    try:
        spec = of_run(find_run(run))
    except VitrineError:
        spec = model(run)
    name = dataset or training_dataset(spec)
    if keep:
        choice = Choice(name, split, sees, "human" if human_only else "all")
        found = report_and_store(spec, choice, method, progress)  # type: ignore[arg-type]
    else:
        from core.evaluation.prior_shift import prior_report

        cohort = cohort_of(Products.open(name), of) if of else None
        found = prior_report(
            run, split, name, method, cohort, human_only, sees, progress=progress,  # type: ignore[arg-type]
        )  # fmt: skip
    say(without_nan(found), as_json, _text(found))


def _text(found: dict[str, Any]) -> str:
    """The report as a table; of one cohort its most frequent classes too."""
    lines = [f"{'':<4} {'n':>6}  as trained  estimated  true priors  error of the priors"]
    for group in found["groups"]:
        figures = [group[key] for key in ("top1", "top1_estimated", "top1_true")]
        shown = "  ".join(f"{'-' if one is None else f'{one:.1%}':>10}" for one in figures)
        wrong = "-" if group["error"] is None else f"{group['error_before']:.3f} -> {group['error']:.3f}"
        lines.append(f"{group['name'] or 'all':<4} {group['n']:>6,}  {shown}   {wrong}")
    if len(found["groups"]) == 1:
        likeliest = sorted(found["groups"][0]["classes"], key=lambda row: -row["prior"])[:SHOWN]
        lines += [
            f"{row['prior']:7.1%}  ({row['low']:.1%} to {row['high']:.1%})  {row['label']}"
            for row in likeliest
        ]
    if found["left_out"]:
        lines.append(f"Too few products: {', '.join(found['left_out'])}")
    if found["calibrated_on"] == "others":
        lines.append("Calibrated on the labelled products of the same split outside of each target.")
    return "\n".join(lines)
