"""Make what a bundled classifier's page Train and its Evaluate begin with: python -m trainers.shipped RUN assets/models/NAME.

Curves of RUN, a finished training by the command in the model's card, every tenth step and all validations; and an evaluation of
the bundled weights on the test products of the built-in dataset, which must be there as `demo`. `shipped.json` notes whose they are.
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
from core.training.loop import read_metrics
from core.training.runs import RunConfig, find_run

DATASET, EVERY = "demo", 10
NOTED = "shipped.json"


def ship(run: str, target: Path) -> dict[str, Any]:
    """Write `metrics.jsonl`, `evaluations/` and `shipped.json` beside bundled weights.

    Returns:
        What shipped.json says: the bundled weights' digest, the training's figures on test products, and the model's own.

    Raises:
        ModelError: there is no such run or model.
        UsageError: the run is not finished, or is of another recipe.
        VitrineError: the built-in dataset is not there, or cannot be evaluated.
    """
    folder, bundled = find_run(run), RunConfig.read(target)
    trained = RunConfig.read(folder)
    if not trained.result:
        raise UsageError(f"{run} is not finished. Continue it: --resume --out {folder}")
    if (trained.model, trained.training, trained.classes) != (
        bundled.model,
        bundled.training,
        bundled.classes,
    ):
        raise UsageError(f"{run} was trained by another recipe than {target.name}. Train it by the command in {target / 'README.md'}.")  # fmt: skip
    spec, choice = of_run(target), Choice(DATASET)
    shutil.rmtree(target / cache.FOLDER, ignore_errors=True)
    made = cache.evaluate_and_store(spec, choice)
    lines = read_metrics(folder)
    kept = [line for line in lines if line["step"] % EVERY == 0 or "validation" in line or line is lines[-1]]
    noted = {
        "weights": made.weights,
        "trained": trained.result.get("test"),
        "bundled": bundled.result.get("test"),
    }
    with storage_errors(target):
        (target / cache.FOLDER).mkdir(exist_ok=True)
        shutil.copyfile(made.path, target / cache.FOLDER / made.path.name)
        (target / METRICS).write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        (target / NOTED).write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")
    return noted


def main() -> None:
    """The command line."""
    go_offline()
    parser = argparse.ArgumentParser(prog="python -m trainers.shipped", description=__doc__)
    parser.add_argument("run", help="a finished run's name or folder")
    parser.add_argument("target", type=Path, help="a folder of assets/models")
    arguments = parser.parse_args()
    try:
        print(json.dumps(ship(arguments.run, arguments.target)))
    except VitrineError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
