"""What a model once said of a product, for when it cannot answer now: a missing file of weights, no memory left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from core.errors import StorageError
from core.evaluation.cache import FOLDER, read
from core.settings import ASSETS, settings


@dataclass(frozen=True)
class Recorded:
    """One prediction of an evaluation that was made earlier.

    Attributes:
        model: that made it.
        made: the day, such as 2026-11-28.
        labels: the category as one line, with its probability in [0, 1].
    """

    model: str
    made: str
    labels: tuple[tuple[str, float], ...]


def recorded(dataset: str, item_id: str) -> Recorded | None:
    """The newest prediction of a product that read its picture and its text; None where no evaluation had it.

    Evaluations of earlier weights count as well: the date is said with them.
    """
    for path in _files(dataset):
        try:
            made, found = _predictions(path, path.stat().st_mtime_ns)
        except (OSError, StorageError):
            continue
        if made is not None and item_id in found.index:
            row = found.loc[[item_id]].iloc[0]
            return Recorded(made[0], made[1], ((str(row.prediction), float(row.probability)),))
    return None


def _files(dataset: str) -> Iterator[Path]:
    """Files of evaluations of a dataset, the newest first; those that came with Vitrine last."""
    home = settings().home
    own = [
        *(home / FOLDER).glob(f"*/{dataset}.*.parquet"),
        *(home / "runs").glob(f"*/{FOLDER}/{dataset}.*.parquet"),
    ]
    yield from sorted(own, key=lambda path: path.stat().st_mtime if path.exists() else 0.0, reverse=True)
    yield from sorted((ASSETS / "models").glob(f"*/{FOLDER}/{dataset}.*.parquet"))


@lru_cache(maxsize=8)
def _predictions(path: Path, changed_ns: int) -> tuple[tuple[str, str] | None, pd.DataFrame]:
    """Model and day, and the predictions by item; neither where the file is none, or of another choice of inputs."""
    made = read(path)
    if made is None or made.choice.sees != "both":
        return None, pd.DataFrame()
    found = made.predictions()
    return (made.model, made.made[:10]), found.drop_duplicates("item_id").set_index("item_id")[
        ["prediction", "probability"]
    ]
