"""Submissions and leaderboards, computed once for all visitors."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.benchmark import leaderboard
from core.benchmark.leaderboard import Board
from core.benchmark.records import Submission
from core.benchmark.store import Submissions
from core.benchmark.truth import Task, Truth, truth_of
from core.catalog import info as catalog


def store() -> Submissions:
    """
    Raises:
        AnswersError: the database does not answer.
    """
    return Submissions()


@st.cache_resource(max_entries=8, show_spinner="Reading the products")
def _truth(task: Task, fingerprint: str, created: str) -> Truth:
    return truth_of(task)


def truth(task: Task) -> Truth:
    """The products of a task; not to be changed.

    Raises:
        BenchmarkError: it has none with a label.
    """
    info = catalog.info(task.dataset)
    return _truth(task, info.fingerprint, info.created)


@st.cache_resource(max_entries=16, show_spinner="Comparing submissions")
def _board(task: Task, made: tuple[str, ...], state: str, created: str, owner: bool) -> Board:
    return leaderboard.board(truth(task), store(), owner)


def board(task: Task, owner: bool) -> Board:
    """The leaderboard; see core.benchmark.leaderboard.board."""
    found = store()
    ids = tuple(one.id for one in found.list(task))
    info = catalog.info(task.dataset)
    return _board(
        task,
        ids,
        repr(found.closed(task.dataset)),
        info.fingerprint + info.created,
        owner,
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _predictions(id: str) -> pd.DataFrame:
    return store().predictions(id)


def predictions(submission: Submission) -> pd.DataFrame:
    """What was predicted, one for all visitors: not to be changed.

    Raises:
        BenchmarkError: it was withdrawn.
    """
    return _predictions(submission.id)
