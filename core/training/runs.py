"""Run folders in VITRINE_HOME/runs/ and their configuration."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import DamagedRunError, ModelError, TrainingError
from core.settings import settings
from core.storage import storage_errors

FORMAT = 1
WEIGHTS, TOKENIZER, CONFIG = "model.safetensors", "tokenizer.json", "config.json"
RUN_MODEL = "model"  # the folder of a run that holds an encoder in open_clip's layout
ENCODER_WEIGHTS = "open_clip_model.safetensors"  # in it, once the run is done
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class RunConfig:
    """The content of config.json: everything needed to build the model and resume its training."""

    architecture: str  # a key of core.models.registry.architectures
    model: dict[str, Any]  # configuration of the architecture
    training: dict[str, Any]  # TrainConfig's fields
    classes: Sequence[str]
    dataset: str  # the first of several
    fingerprint: str  # of the dataset
    licence: str
    preset: str
    created: str = ""
    sources: Sequence[str] = ()  # label sources, in the order of the one-hot
    human_only: bool = False
    pretrained: dict[str, str] = field(default_factory=dict)  # modality -> path of its published weights
    products: dict[str, int] = field(
        default_factory=dict
    )  # number of training, validation and skipped products
    result: dict[str, Any] = field(default_factory=dict)  # metrics, when finished
    balance: str = "none"  # of core.training.balance
    datasets: dict[str, str] = field(default_factory=dict)  # name -> fingerprint, if there are several
    tail: str = "none"  # of core.labels.tail
    noise: str = "none"  # of core.labels.noise
    remedies: dict[str, Any] = field(default_factory=dict)  # their settings: tau, machine_weight
    format: int = FORMAT

    def tail_of(self) -> str:
        """The remedy for the long tail; `--balance` names two of them."""
        return {"loss": "balanced-softmax", "sampling": "sampling"}.get(self.balance, self.tail)

    def setting(self, name: str, otherwise: float) -> float:
        """A setting of the remedies, if it is a number."""
        found = self.remedies.get(name)
        return float(found) if isinstance(found, int | float) else otherwise

    def trained_on(self) -> dict[str, str]:
        """The training datasets with their fingerprints at that time."""
        return self.datasets or {self.dataset: self.fingerprint}

    def write(self, run_dir: Path) -> None:
        """
        Raises:
            StorageError: the folder cannot be written.
        """
        temporary = run_dir / f".{CONFIG}.{os.getpid()}"
        with storage_errors(run_dir):
            run_dir.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")
            temporary.replace(run_dir / CONFIG)

    @classmethod
    def read(cls, run_dir: Path) -> RunConfig:
        """
        Raises:
            ModelError: there is no run in that folder, or its configuration cannot be read.
        """
        try:
            described = json.loads((run_dir / CONFIG).read_text(encoding="utf-8"))
            if (
                not isinstance(described, dict)
                or not {"architecture", "model", "classes"} <= described.keys()
            ):
                raise ModelError(
                    f"{run_dir / CONFIG} does not describe a classifier of Vitrine. Train it again."
                )
            return cls(**_checked(described))
        except FileNotFoundError as error:
            raise ModelError(f"There is no run at {run_dir}. Runs are listed by: vitrine models") from error
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise DamagedRunError(run_dir.name, " ".join(str(error).split())[:160]) from error


def _checked(described: dict[str, Any]) -> dict[str, Any]:
    """
    Raises:
        ValueError: an entry has the wrong type; a copied folder is untrusted.
    """
    kinds = {"str": str, "dict": dict, "Sequence": list, "bool": bool, "int": int}
    for entry in fields(RunConfig):
        value = described.get(entry.name)
        kind = kinds[str(entry.type).partition("[")[0]]
        if entry.name in described and not isinstance(value, kind):
            raise ValueError(f"{entry.name} is {type(value).__name__}, not {kind.__name__}")
        if kind is list and not all(isinstance(part, str) for part in value or ()):
            raise ValueError(f"{entry.name} has a value that is not text")
    if not all(isinstance(count, int) for count in described.get("products", {}).values()):
        raise ValueError("products has a value that is not a count")
    return described


def runs_folder() -> Path:
    return settings().home / "runs"


def new_run(name: str, out: Path | None) -> Path:
    """Create the folder of a new run: `out`, or one named after `name` and the time.

    Raises:
        TrainingError: the folder has a run already.
    """
    folder = out or runs_folder() / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    if (folder / CONFIG).exists():
        raise TrainingError(
            f"There is a run in {folder} already. --resume continues it; choose another --out for a new one."
        )
    return folder


def find_run(run: str | Path) -> Path:
    """A run's folder from its path or its name in VITRINE_HOME/runs.

    Raises:
        ModelError: there is no such run.
    """
    here = Path(run)
    if (here / CONFIG).exists():
        return here
    named = runs_folder() / str(run)
    if RUN_NAME.fullmatch(str(run)) and (named / CONFIG).exists():
        return named
    known = ", ".join(folder.name for folder in run_folders()) or "none yet"
    raise ModelError(f"There is no run named {str(run)!r} (there is: {known}).")


def run_folders() -> list[Path]:
    """All runs in VITRINE_HOME, newest first, including unfinished ones."""
    found = []
    for path in runs_folder().glob(f"*/{CONFIG}"):
        with suppress(OSError):  # deleted concurrently
            found.append((path.parent.stat().st_mtime, path.parent))
    return [folder for _, folder in sorted(found, reverse=True)]
