"""Make what Train and Evaluate begin with: python -m trainers.shipped assets/models/NAME [--curves RUN].

An evaluation of the bundled weights on the test products of the built-in dataset, which must be there as `demo`; and the curves of
RUN, a finished training by the command in the model's card: every tenth step and all validations. `shipped.json` notes whose they
are.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from core.errors import UsageError, VitrineError
from core.evaluation import cache
from core.evaluation.choice import Choice
from core.models.registry import of_run
from core.settings import go_offline
from core.storage import storage_errors
from core.training.curves import METRICS
from core.training.jobs import SHIPPED
from core.training.loop import read_metrics
from core.training.runs import RunConfig, find_run

DATASET, EVERY = "demo", 10


def ship(target: Path, run: str = "") -> dict[str, Any]:
    """Write `evaluations/`, `shipped.json` and, of a run, `metrics.jsonl` beside bundled weights.

    Args:
        target: a folder of assets/models.
        run: a finished run's name or folder, whose curves are shown; without it there are none.

    Returns:
        What shipped.json says: the bundled weights' digest, their figures on test products, and those of the run.

    Raises:
        ModelError: there is no such run or model.
        UsageError: the run is not finished, or is of another recipe.
        VitrineError: the built-in dataset is not there, or cannot be evaluated.
    """
    bundled = RunConfig.read(target)
    lines, figures = _curves(run, bundled, target) if run else ([], None)
    shutil.rmtree(target / cache.FOLDER, ignore_errors=True)
    made = cache.evaluate_and_store(of_run(target), Choice(DATASET))
    noted = {"weights": made.weights, "bundled": bundled.result.get("test"), "curves_of": figures}
    with storage_errors(target):
        (target / cache.FOLDER).mkdir(exist_ok=True)
        if made.path.parent != target / cache.FOLDER:  # of a bundled model it was stored in VITRINE_HOME
            shutil.copyfile(made.path, target / cache.FOLDER / made.path.name)
        (target / METRICS).unlink(missing_ok=True)
        if lines:
            (target / METRICS).write_text(
                "".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8"
            )
        (target / SHIPPED).write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")
    return noted


def _curves(run: str, bundled: RunConfig, target: Path) -> tuple[list[dict[str, Any]], Any]:
    """The lines of a run's metrics that are shipped, and its figures on test products."""
    folder = find_run(run)
    trained = RunConfig.read(folder)
    if not trained.result:
        raise UsageError(f"{run} is not finished. Continue it: --resume --out {folder}")
    if (trained.model, trained.training, trained.classes) != (
        bundled.model,
        bundled.training,
        bundled.classes,
    ):
        raise UsageError(
            f"{run} was trained by another recipe than {target.name}. Train it by the command in {target / 'README.md'}."
        )
    lines = read_metrics(folder)
    kept = [line for line in lines if line["step"] % EVERY == 0 or "validation" in line or line is lines[-1]]
    return kept, trained.result.get("test")


def main() -> None:
    """The command line."""
    go_offline()
    parser = argparse.ArgumentParser(prog="python -m trainers.shipped", description=__doc__)
    parser.add_argument("target", type=Path, help="a folder of assets/models")
    parser.add_argument("--curves", metavar="RUN", default="", help="a finished run's name or folder")
    arguments = parser.parse_args()
    try:
        print(json.dumps(ship(arguments.target, arguments.curves)))
    except VitrineError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
