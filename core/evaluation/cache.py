"""A cache of evaluations, computed by a command or from a page.

Each is one Parquet file of predictions with its report in the file's metadata, so that both are written
atomically. Evaluations of a run are in its folder, those of bundled models in VITRINE_HOME/evaluations. One of the bundled
classifier is shipped.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.catalog import info as catalog
from core.catalog.cohort import path_text
from core.catalog.products import Products
from core.errors import ModelError, StorageError, UsageError, VitrineError
from core.evaluation.choice import Choice
from core.evaluation.status import Status, state_of, working
from core.models.registry import ModelSpec
from core.progress import Progress, no_progress
from core.settings import ASSETS, PROJECT, settings
from core.storage import storage_errors
from core.training.checkpoints import weights_digest
from core.training.runs import CONFIG, WEIGHTS, RunConfig

VERSION = "2"  # increase it when the meaning of a figure changes
FOLDER = "evaluations"
KEY = b"vitrine-evaluation"


@dataclass(frozen=True)
class Evaluation:
    """A cached evaluation, without its predictions."""

    path: Path
    report: dict[str, Any]
    choice: Choice
    model: str
    weights: str  # digest
    fingerprint: str  # of the dataset
    made: str
    seconds: float

    def predictions(self) -> pd.DataFrame:
        """See core.evaluation.predictions.predictions_table.

        Raises:
            StorageError: the file was deleted or cannot be read.
        """
        try:
            return pd.read_parquet(self.path)
        except (OSError, pa.ArrowException) as error:
            raise StorageError(
                f"This evaluation of {self.model} was deleted or is damaged. Evaluate again."
            ) from error

    @property
    def shipped(self) -> bool:
        """Did it come with Vitrine?"""
        return self.path.is_relative_to(ASSETS)

    def stale(self, spec: ModelSpec, dataset: catalog.DatasetInfo) -> str:
        """Why it is outdated; empty if it is current."""
        reasons = []
        if self.weights != weights_of(spec):
            reasons.append("the model was trained further")
        if self.fingerprint != dataset.fingerprint:
            reasons.append(f"{dataset.name} was imported again from other files")
        return " and ".join(reasons)


def folder_of(spec: ModelSpec) -> Path:
    """The folder of a model's evaluations."""
    if spec.weights == "run":
        return spec.folder / FOLDER
    return settings().home / FOLDER / spec.name


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed_ns: int) -> str:
    return weights_digest(path)


def run_of(spec: ModelSpec) -> str | Path:
    """The argument of `evaluate` for a model: its folder for a run, else its name."""
    return spec.folder if (spec.folder / CONFIG).exists() else spec.name


def training_dataset(spec: ModelSpec) -> str:
    """The dataset whose categories are the model's classes; empty if unknown."""
    try:
        return RunConfig.read(spec.folder).dataset
    except ModelError:
        return str(getattr(spec, "dataset", ""))


def weights_of(spec: ModelSpec) -> str:
    """An identifier of a model's weights: a digest of the file, or the revision without a file."""
    path = spec.folder / WEIGHTS
    try:
        status = path.stat()
        return _digest(path, status.st_size, status.st_mtime_ns)
    except OSError:
        return spec.revision


def path_of(spec: ModelSpec, choice: Choice) -> Path:
    """The file of an evaluation of the current weights on the current dataset.

    Raises:
        UnknownDatasetError: there is no such dataset.
    """
    fingerprint = catalog.info(choice.dataset).fingerprint
    key = json.dumps([VERSION, weights_of(spec), fingerprint, asdict(choice)], sort_keys=True)
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    return folder_of(spec) / f"{choice.stem()}.{digest}.parquet"


def find(spec: ModelSpec, choice: Choice, shipped: bool = True) -> Evaluation | None:
    """The current evaluation with these choices, or None.

    Args:
        shipped: where none was made here, take one that came with Vitrine; see `shipped_with`.
    """
    return read(path_of(spec, choice)) or (shipped_with(spec, choice) if shipped else None)


def shipped_with(spec: ModelSpec, choice: Choice) -> Evaluation | None:
    """An evaluation that came with Vitrine (trainers/shipped.py): of these weights, on the same products. The built-in
    dataset is drawn anew on each machine, whose pictures may differ in the last bits, and its fingerprint with them; ids and
    labels do not."""
    if spec.weights != "bundled":
        return None
    now = catalog.info(choice.dataset)
    for path in (spec.folder / FOLDER).glob(f"{choice.stem()}.*.parquet"):
        made = read(path)
        if (
            made
            and made.weights == weights_of(spec)
            and _same_products(path, now.name, now.fingerprint, now.created)
        ):
            return made
    return None


@lru_cache(maxsize=16)
def _same_products(path: Path, dataset: str, fingerprint: str, created: str) -> bool:
    """Has the dataset the products of an evaluation, at the same places and with the same labels?"""
    table = pd.read_parquet(path, columns=["row_id", "item_id", "label"])
    rows = Products.open(dataset).by_row(table["row_id"].tolist())
    here = [(row["item_id"], path_text(row["category_path"])) for row in rows]
    return here == list(zip(table["item_id"], table["label"], strict=True))


def outdated(spec: ModelSpec, choice: Choice) -> Evaluation | None:
    """The newest evaluation of the same choice with other weights or of another import of the dataset."""
    now = path_of(spec, choice)
    others = [path for path in folder_of(spec).glob(f"{choice.stem()}.*.parquet") if path != now]
    found = [evaluation for path in others if (evaluation := read(path))]
    return max(found, key=lambda evaluation: evaluation.made, default=None)


def evaluations(specs: list[ModelSpec], dataset: str) -> list[tuple[ModelSpec, Evaluation]]:
    """All current evaluations on a dataset, newest first."""
    there = catalog.info(dataset)
    found = [
        (spec, evaluation)
        for spec in specs
        for path in folder_of(spec).glob(f"{dataset}.*.parquet")
        if (evaluation := read(path))
        and evaluation.choice.dataset == dataset
        and not evaluation.stale(spec, there)
    ]
    own = {(spec.name, evaluation.choice) for spec, evaluation in found}
    first = Choice(dataset)
    found += [
        (spec, made)
        for spec in specs
        if (spec.name, first) not in own and (made := shipped_with(spec, first)) is not None
    ]
    return sorted(found, key=lambda entry: entry[1].made, reverse=True)


def read(path: Path) -> Evaluation | None:
    """A cached evaluation; None if the file is missing, damaged or of another version."""
    with suppress(OSError, pa.ArrowException, ValueError, TypeError, KeyError, UsageError):
        noted = json.loads((pq.read_schema(path).metadata or {})[KEY])
        if noted.pop("version") == VERSION:
            return Evaluation(path=path, choice=Choice(**noted.pop("choice")), **noted)
    return None


def evaluate_and_store(
    spec: ModelSpec, choice: Choice, progress: Progress = no_progress, workers: int | None = None
) -> Evaluation:
    """Evaluate and store the result, replacing an earlier one with the same choices.

    Raises:
        StorageError: it is already running, or cannot be written.
        VitrineError: see core.evaluation.evaluate.evaluate.
    """
    path = path_of(spec, choice)
    fingerprint, weights = catalog.info(choice.dataset).fingerprint, weights_of(spec)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    started = time.monotonic()
    if spec.weights == "run" and not spec.folder.exists():
        raise StorageError(f"The run {spec.name} does not exist any more: its folder was deleted.")
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with working(path, progress) as tell:
        from core.evaluation.evaluate import (
            evaluate,
        )  # torch takes seconds: the page must see the status first

        try:
            report = evaluate(
                run_of(spec), choice.split, choice.dataset, choice.labels == "human", choice.sees,
                choice.inference, ties=choice.ties, among=choice.among, workers=workers, progress=tell, save=temporary,  # type: ignore[arg-type]
            )  # fmt: skip
            made = Evaluation(
                path, without_nan(report | {"run": spec.name}), choice, spec.name, weights, fingerprint,
                f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", round(time.monotonic() - started, 2),
            )  # fmt: skip
            if not path.parent.exists():
                raise StorageError(f"{spec.name} was deleted while it was evaluated; nothing was stored.")
            with storage_errors(path.parent):
                _write(temporary, made)
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    return made


def without_nan(value: Any) -> Any:
    """The same with None for NaN and infinity, which JSON lacks.

    >>> without_nan({"f1": float("nan"), "per": [1.0, float("inf")]})
    {'f1': None, 'per': [1.0, None]}
    """
    if isinstance(value, dict):
        return {str(key): without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _write(predictions: Path, evaluation: Evaluation) -> None:
    """Write the report into the metadata of the predictions file."""
    noted = {key: entry for key, entry in asdict(evaluation).items() if key != "path"} | {"version": VERSION}
    table = pq.read_table(predictions)
    metadata = (table.schema.metadata or {}) | {KEY: json.dumps(noted, ensure_ascii=False).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), predictions, compression="zstd")


def status_of(spec: ModelSpec, choice: Choice) -> Status | None:
    """The progress of an evaluation, or why it failed; None if it was not started or is done."""
    return state_of(path_of(spec, choice))


def start(spec: ModelSpec, choice: Choice, wait_s: float = 30.0) -> None:
    """Evaluate in a process of its own, which outlives the page; returns once it has started.

    Raises:
        VitrineError: it failed at once, with its message.
    """
    if (found := status_of(spec, choice)) and found.state == "running":
        return
    name = str(run_of(spec))
    command = [sys.executable, "-m", "core", "evaluate", "--keep", "--json", *choice.options(), "--", name]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - a fixed program; its arguments are never read by a shell
            command, cwd=PROJECT, env=os.environ | {"VITRINE_HOME": str(settings().home)},
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
        )  # fmt: skip
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            if (found := status_of(spec, choice)) and found.state == "running":
                return
            if (status := process.poll()) is not None:
                break
            time.sleep(0.05)
        else:
            return
        if status and status_of(spec, choice) is None:
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
            raise VitrineError(last[0].removeprefix("error: ") if last else "The evaluation could not start.")
