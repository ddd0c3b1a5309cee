"""Put an evaluation on the leaderboard of its dataset."""

from __future__ import annotations

import streamlit as st

from core.benchmark.submit import name_of, submit_evaluation
from core.errors import VitrineError
from core.evaluation.cache import Evaluation
from pages import access
from pages.components.shared.markdown import plain


def show(found: Evaluation) -> None:
    """The button, for whoever may submit and where the benchmark's rule for ties was used."""
    if access.may(access.COMPUTE) and found.choice.ties == "glami":
        why = "The same figures become a row of the dataset's leaderboard, on the page Benchmark."
        st.button(
            "Submit to the benchmark", key="submit-evaluation", help=why, on_click=_submit, args=(found,)
        )


def _submit(found: Evaluation) -> None:
    try:
        made = submit_evaluation(found, name_of(found), who=access.person(), replace=True)
    except VitrineError as error:
        st.toast(plain(str(error)), icon="⚠️", duration="long")
    else:
        st.toast(plain(f"{made.name} is on the leaderboard of {made.task.title}."))
