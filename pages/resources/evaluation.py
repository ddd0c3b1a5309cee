"""What an evaluation predicted, and how many examples each class has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from core.catalog import info as catalog
from core.catalog.cohort import Cohort, path_from_text, path_text
from core.catalog.info import DatasetInfo
from core.errors import StorageError
from core.evaluation import cache
from core.evaluation.cache import Evaluation
from core.models.registry import models
from pages.resources import products


@st.cache_data(max_entries=32, show_spinner=False)
def _class_counts(name: str, created: str, split: str, human_only: bool) -> dict[str, int]:
    cohort = Cohort(name, split=(split,), label_kind=("human",) if human_only else ())
    return {path_text(path): count for path, count in products.table(name).categories(cohort)}


def class_counts(name: str, split: str, human_only: bool = False) -> dict[str, int]:
    """How many products of a split each class has, by its path as one line."""
    return _class_counts(name, catalog.info(name).created, split, human_only)


@dataclass(frozen=True)
class Said:
    """What an evaluation predicted for one product."""

    model: str  # its title
    prediction: str  # the path of the category, as `path_text` writes it
    name: str  # of that category, in brief
    probability: float


@st.cache_resource(max_entries=32, ttl=60, show_spinner=False)
def _current(name: str, fingerprint: str) -> list[tuple[str, Evaluation]]:
    """Evaluations of this import with all inputs, newest first, with the models' titles."""
    made = cache.evaluations(models(), name)
    return [
        (spec.title, one)
        for spec, one in made
        if one.fingerprint == fingerprint and one.choice.sees == "both"
    ]


def said_of(info: DatasetInfo, row: int) -> Said | None:
    """What the newest evaluation that has this product predicted; None where there is none."""
    for title, made in _current(info.name, info.fingerprint):
        try:
            found = predictions(made)
        except StorageError:  # deleted within the minute
            continue
        own = found[found.row_id == row]
        if len(own):
            said = str(own.iloc[0].prediction)
            return Said(title, said, path_from_text(said)[-1], float(own.iloc[0].probability))
    return None


@st.cache_resource(max_entries=8, show_spinner=False)
def _predictions(path: Path, changed_ns: int, _made: Evaluation) -> pd.DataFrame:
    return _made.predictions()


def predictions(made: Evaluation, cohort: Cohort | None = None) -> pd.DataFrame:
    """The products that an evaluation judged, one for all visitors: not to be changed.

    Args:
        cohort: only its products; the evaluation has to be of the same import.

    Raises:
        StorageError: it is gone, perhaps with its run.
    """
    try:
        changed_ns = made.path.stat().st_mtime_ns
    except OSError:
        found = made.predictions()
    else:
        found = _predictions(made.path, changed_ns, made)
    if cohort is None or cohort.with_(fingerprint=None).is_whole():
        return found
    mask = products.table(cohort.dataset).mask(cohort)
    return found[found.row_id.isin(mask.nonzero()[0])]
