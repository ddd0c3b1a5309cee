"""Submit a file of predictions from the page."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from core.benchmark.records import CARD_CHARACTERS, NAME_CHARACTERS, Card
from core.benchmark.submit import submit_file
from core.benchmark.truth import Truth
from core.errors import VitrineError
from core.settings import settings
from pages import access
from pages.components.shared.markdown import plain
from pages.resources import benchmark

FORMAT = """One row a product of the split, in any order, as CSV, JSON Lines or Parquet.

| column | holds |
|---|---|
| `item_id` | as text |
| `label` | one class, by its path, name or id |
| or `labels` | classes, the most probable first |
| or `probabilities` | by class; or one column a class |
"""


def show(truth: Truth) -> None:
    """The form, for whoever may; else the command."""
    task = truth.task
    command = f"vitrine benchmark submit {task.dataset} predictions.csv --name NAME" + (
        "" if task.split == "test" else f" --split {task.split}"
    ) + (" --human-only" if task.labels == "human" else "")  # fmt: skip
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.markdown(FORMAT)
        st.caption(plain(f"Files above {settings().upload_bytes // 2**20} MB by a command: {command}"))
    with left:
        if not access.may(access.SUBMIT):
            st.info(plain(f"Only {access.who(access.SUBMIT)} can submit here. On that machine: {command}"))
            return
        _form(truth)


def _form(truth: Truth) -> None:
    with st.form("submit", border=False):
        file = st.file_uploader("Predictions", type=["csv", "jsonl", "parquet"])
        name = st.text_input("Name of the method", max_chars=NAME_CHARACTERS)
        one, other = st.columns(2)
        given = {}
        for column, key, title in (
            (one, "authors", "Authors"), (other, "inputs", "Inputs"), (one, "paper", "Paper (address)"),
            (other, "code", "Code (address)"), (one, "training_data", "Trained on"), (other, "date", "Date"),
        ):  # fmt: skip
            given[key] = column.text_input(title, max_chars=CARD_CHARACTERS)
        note = st.text_input("Note", max_chars=CARD_CHARACTERS)
        match = st.checkbox("Take classes in another case, spelling or language")
        missing = st.checkbox("Count products without a prediction as errors")
        if not st.form_submit_button("Submit", type="primary"):
            return
    if file is None:
        st.error("Choose a file of predictions.")
        return
    with tempfile.TemporaryDirectory(prefix="vitrine-benchmark-") as folder:
        path = Path(folder) / f"predictions.{file.name.rpartition('.')[2].lower()[:8]}"
        path.write_bytes(file.getbuffer())
        try:
            made = submit_file(
                truth.task, path, name, Card(**given, note=note), benchmark.store(), access.person(), match, missing,
                most_bytes=settings().upload_bytes, owner=access.may(access.MANAGE),
            )  # fmt: skip
        except VitrineError as error:
            st.error(plain(str(error)))
            return
    shown = f": top-1 {made.report['top1']:.1%} of {made.n:,} products" if access.may(access.MANAGE) else ""
    st.success(plain(f"{made.name}{shown}. The leaderboard has it now."))
    for said in made.notes:
        st.caption(plain(said))
