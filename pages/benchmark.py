"""Predictions in, a leaderboard out: scores of any method, and ranks that say how sure they are."""

from __future__ import annotations

import streamlit as st

from core.benchmark.truth import Task
from core.errors import BenchmarkError
from core.evaluation.choice import splits
from pages import access
from pages.components.benchmark import board_views, compare_view, submit_form
from pages.components.shared import filter_bar, page_head
from pages.components.shared.markdown import plain
from pages.resources import benchmark

VIEWS = ("Leaderboard", "Countries", "Submission", "Compare", "Submit")

page_head.show(
    "Benchmark", "Predictions of any method, scored in one way, with ranks that say how sure they are."
)
info = filter_bar.choose_dataset()
filter_bar.carried(info, "A leaderboard is of a whole split, whatever the filters.")
with st.sidebar:
    split = st.selectbox("Split", splits(info), key="benchmark-split", bind="query-params")
    human = st.toggle("Human labels only", key="benchmark-human", bind="query-params")
task = Task(info.name, split or "test", "human" if human else "all")
try:
    truth = benchmark.truth(task)
except BenchmarkError as error:
    st.info(plain(str(error)))
    st.stop()
view = st.segmented_control(
    "View", VIEWS, default=VIEWS[0], key="view", bind="query-params", required=True, label_visibility="collapsed",
)  # fmt: skip
found = benchmark.board(task, access.may(access.MANAGE))
if view == "Submit":
    submit_form.show(truth)
elif not found.rows:
    board_views.show_nothing(truth)
elif view == "Countries":
    board_views.countries(found)
elif view == "Submission":
    board_views.submission(truth, found)
elif view == "Compare":
    compare_view.show(info, truth, found)
else:
    board_views.leaderboard(truth, found)
