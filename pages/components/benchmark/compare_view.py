"""Two submissions side by side, and the errors that all have in common."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.audit import flags
from core.benchmark import comparison
from core.benchmark.leaderboard import Board
from core.benchmark.truth import Truth
from core.catalog.cohort import path_from_text
from core.catalog.info import DatasetInfo
from core.errors import VitrineError
from pages import access
from pages.components.shared import product_dialog, product_grid
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import PERCENT, in_percent
from pages.resources import audits, benchmark, products

SHOWN = 24
SURE = 0.05


def show(info: DatasetInfo, truth: Truth, board: Board) -> None:
    """Choose two; where they differ, by products, countries and classes; what all get wrong."""
    there = {
        row.submission.name: row.submission
        for row in board.rows
        if row.submission.fingerprint == truth.info.fingerprint
    }
    if board.public:
        st.info(
            "While a benchmark is closed, only its owner compares submissions: products and labels would show."
        )
        return
    if len(there) < comparison.FEW:
        st.info("Two submissions are needed for a comparison.")
        return
    names = list(there)
    left, right = st.columns(2)
    one = left.selectbox("First", names, key="first", bind="query-params") or names[0]
    others = [name for name in names if name != one]
    other = right.selectbox("Second", others, key="second", bind="query-params") or others[0]
    found = comparison.compare(truth, benchmark.predictions(there[one]), benchmark.predictions(there[other]))
    _verdict(board, one, other, found)
    parts = ("Products", "Countries", "Classes", "Errors of all")
    part = st.pills(
        "Where", parts, default=parts[0], required=True, key="where", label_visibility="collapsed"
    )
    if part in ("Countries", "Classes"):
        _groups(found, "geo" if part == "Countries" else "label", one, other)
    elif part == "Errors of all":
        _common(info, truth, [benchmark.predictions(each) for each in there.values()])
    else:
        _products(info, found, one, other)


def _verdict(board: Board, one: str, other: str, found: comparison.Compared) -> None:
    corrected = _corrected(board, one, other)
    with st.container(horizontal=True):
        for title, value in (
            (f"Top-1: {one}", f"{found.first:.1%}"), (f"Top-1: {other}", f"{found.second:.1%}"),
            ("Either of them right", f"{found.oracle:.1%}"), ("p, McNemar", _p(found.p)),
            ("p, corrected for all pairs", "–" if corrected is None else _p(corrected)),
        ):  # fmt: skip
            with st.container(width=190):
                st.metric(plain(title), value)
    sure = found.p if corrected is None else corrected
    words = "differ" if sure < SURE else "do not differ significantly"
    st.markdown(
        plain(
            f"They {words}: of {found.n:,} products, {found.only_first:,} are right only with “{one}”, {found.only_second:,} only with "
            f"“{other}”, {found.neither:,} with neither. The 95% interval of the difference is {100 * found.low:+.1f} to "
            f"{100 * found.high:+.1f} points."
        )
    )


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 1e-4 else "< 0.0001"


def _corrected(board: Board, one: str, other: str) -> float | None:
    """McNemar's p with Holm's correction, of two ranked rows."""
    places = {board.rows[at].submission.name: number for number, at in enumerate(board.ranked)}
    if board.mcnemar is None or one not in places or other not in places:
        return None
    return float(board.mcnemar[places[one], places[other]])


def _groups(found: comparison.Compared, column: str, one: str, other: str) -> None:
    table = comparison.by(found, column).rename(
        columns={
            "first": one,
            "second": f"{other} ",
            "only_first": "only the first",
            "only_second": "only the second",
        }
    )
    shares = [one, f"{other} "]
    st.dataframe(
        in_percent(table, shares), hide_index=True, height="content" if len(table) < 16 else 560,
        column_config={name: PERCENT for name in shares},
    )  # fmt: skip


def _products(info: DatasetInfo, found: comparison.Compared, one: str, other: str) -> None:
    table = found.table
    kinds = {
        f"Only “{one}” ({found.only_first:,})": (
            table[table.correct_first & ~table.correct_second],
            "second",
        ),
        f"Only “{other}” ({found.only_second:,})": (
            table[~table.correct_first & table.correct_second],
            "first",
        ),
    }
    picked = st.segmented_control(
        "Right", list(kinds), default=next(iter(kinds)), required=True, format_func=plain
    )
    shown, wrong = kinds[picked or next(iter(kinds))]
    if shown.empty:
        st.info("No products.")
        return
    _gallery(info, shown.assign(said=shown[f"prediction_{wrong}"]), "differ")


def _common(info: DatasetInfo, truth: Truth, tables: list[pd.DataFrame]) -> None:
    found = comparison.common_errors(truth, tables)
    st.markdown(
        f"{len(found):,} products are wrong with all {len(tables)} submissions, those first on which most agree: likely label errors."
    )
    if found.empty:
        return
    if access.may(access.JUDGE) and st.button(f"Flag the first {min(SHOWN, len(found))} for review"):
        try:
            log = audits.store().log_
            for row in found.row_id[:SHOWN]:
                flags.flag(
                    log, info, int(row), access.person(), "wrong with every submission of the benchmark"
                )
        except VitrineError as error:
            st.error(plain(str(error)))
        else:
            st.toast("Flagged: they are in the audit's queue “flagged”.")
    _gallery(info, found.assign(said=found.prediction), "common")


def _gallery(info: DatasetInfo, table: pd.DataFrame, key: str) -> None:
    """The first products, each with its label and what was said instead."""
    first = table.head(SHOWN)
    said = dict(zip(first.row_id, first.said, strict=True))
    rows = products.table(info.name).by_row(first.row_id.tolist())
    facts = [f"said {_leaf(said[row['row_id']])}" for row in rows]
    picked = product_grid.show(info, rows, key, facts)
    if len(table) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(table):,}.")
    if picked is not None:
        product_dialog.select_row(info, picked, rows)
    product_dialog.open_linked(info, rows)


def _leaf(path: str) -> str:
    return path_from_text(path)[-1] if path else "nothing"
