"""Bundle the model of a finished run: python -m trainers.bundle RUN assets/models/NAME.

Weights are stored in half precision, and the metrics in config.json are computed with these.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from core.errors import UsageError, VitrineError
from core.models.priors import COUNTS
from core.settings import go_offline
from core.storage import storage_errors
from core.training.checkpoints import read_tensors, write_tensors
from core.training.loop import Outcome
from core.training.runs import TOKENIZER, WEIGHTS, RunConfig, find_run
from trainers.runner import add_test_metrics


def bundle(run: str, target: Path) -> RunConfig:
    """Copy the files of a model from a run; its card (README.md) is written by hand.

    Raises:
        ModelError: there is no such run, or its weights cannot be read.
        UsageError: the run is not finished.
        StorageError: the folder cannot be written.
    """
    folder = find_run(run)
    config = RunConfig.read(folder)
    if not config.result:
        raise UsageError(f"{run} is not finished. Continue it: --resume --out {folder}")
    tensors, notes = read_tensors(folder / WEIGHTS)
    halved = {name: x.half() if x.is_floating_point() else x for name, x in tensors.items()}
    write_tensors(target / WEIGHTS, halved, notes)
    for name in (TOKENIZER, COUNTS):
        if (folder / name).exists():
            with storage_errors(target):
                shutil.copyfile(folder / name, target / name)
    config.write(target)
    (target / WEIGHTS).chmod(0o644)
    ended = config.result
    return add_test_metrics(config, target, Outcome(ended["step"], ended["ended"], seconds=ended["seconds"]))


def main() -> None:
    """The command line."""
    go_offline()
    parser = argparse.ArgumentParser(prog="python -m trainers.bundle", description=__doc__)
    parser.add_argument("run", help="a finished run's name or folder")
    parser.add_argument("target", type=Path, help="a folder of assets/models")
    arguments = parser.parse_args()
    try:
        print(json.dumps(bundle(arguments.run, arguments.target).result))
    except VitrineError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
