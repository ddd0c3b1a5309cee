"""What an evaluation predicted, and how many examples each class has."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from core.catalog import info as catalog
from core.catalog.cohort import Cohort, path_text
from core.evaluation.cache import Evaluation
from pages.resources import products


@st.cache_data(max_entries=32, show_spinner=False)
def _class_counts(name: str, created: str, split: str, human_only: bool) -> dict[str, int]:
    cohort = Cohort(name, split=(split,), label_kind=("human",) if human_only else ())
    return {path_text(path): count for path, count in products.table(name).categories(cohort)}


def class_counts(name: str, split: str, human_only: bool = False) -> dict[str, int]:
    """How many products of a split each class has, by its path as one line."""
    return _class_counts(name, catalog.info(name).created, split, human_only)


@st.cache_resource(max_entries=8, show_spinner=False)
def _predictions(path: Path, changed_ns: int, _made: Evaluation) -> pd.DataFrame:
    return _made.predictions()


def predictions(made: Evaluation) -> pd.DataFrame:
    """The products that an evaluation judged, one for all visitors: not to be changed.

    Raises:
        StorageError: it is gone, perhaps with its run.
    """
    try:
        changed_ns = made.path.stat().st_mtime_ns
    except OSError:
        return made.predictions()
    return _predictions(made.path, changed_ns, made)
