"""The leaderboard, its countries, and the card of one submission."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.benchmark import exports, figures
from core.benchmark.leaderboard import Board, Row, published
from core.benchmark.ranking import spoken
from core.benchmark.truth import Truth
from core.errors import VitrineError
from core.schema import COUNTRY_OF_GEO
from pages import access
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import PERCENT, in_percent
from pages.resources import benchmark

CHART = {"displayModeBar": False}
SHARES = ("top-1", "top-5", "balanced", "F1 macro", "F1 weighted", "AP macro", "calibration error")
KEYS = ("top1", "top5", "balanced", "f1_macro", "f1_weighted", "ap_macro", "calibration_error")
CARD = {
    "authors": "Authors", "paper": "Paper", "code": "Code", "inputs": "Inputs", "training_data": "Trained on",
    "date": "Date", "note": "Note",
}  # fmt: skip


def leaderboard(truth: Truth, board: Board) -> None:
    """Every submission with its range of ranks; the papers' rows below, apart."""
    if board.public:
        st.info(
            f"This benchmark is closed: figures are of {board.products:,} of {len(truth):,} products until it ends."
        )
    table = in_percent(pd.DataFrame([_line(row) for row in board.rows]), SHARES)
    st.dataframe(
        table, hide_index=True, height="content" if len(table) < 16 else 560,
        column_config={name: PERCENT for name in SHARES},
    )  # fmt: skip
    st.caption(
        f"{board.products:,} products. A rank is a range: all ranges hold at once with 95% confidence (paired bootstrap over "
        "products, corrected for all pairs), so that no row is placed above another whose difference was not shown."
    )
    if board.audited:
        st.caption(
            f"Corrected: top-1 against the right labels, as an audit of {board.audited:,} of these products found them, and ranks that "
            "carry what the audit leaves open. It assumes that they are a random sample and the reviewers are right, and nothing of how "
            "labels or models err."
        )
    if any(row.first is not None for row in board.rows):
        st.plotly_chart(
            figures.accuracies(board, st.context.theme.type == "dark"),
            theme=None,
            key="accuracies",
            config=CHART,
        )
    _downloads(truth, board)
    papers(truth)


def _line(row: Row) -> dict[str, object]:
    one, report = row.submission, row.report
    low, high = report.get("top1_interval") or (None, None)
    return {
        "rank": spoken(row.first, row.last or row.first) if row.first else "–",
        "method": one.name,
        **{name: report.get(key) for name, key in zip(SHARES[:1], KEYS, strict=False)},
        "95% interval": f"{100 * low:.1f} to {100 * high:.1f}"
        if low is not None and high is not None
        else "",
        **{name: report.get(key) for name, key in zip(SHARES[1:], KEYS[1:], strict=True)},
        **_corrected(row),
        "inputs": one.card.inputs,
        "remarks": "; ".join([*([row.why] if row.why else []), *one.notes]),
        "submitted": one.created[:10],
    }


def _corrected(row: Row) -> dict[str, object]:
    if row.corrected is None or row.corrected_ranks is None:
        return {}
    value, low, high = (100 * each for each in row.corrected)
    return {
        "corrected": f"{value:.1f} ({low:.1f} to {high:.1f})",
        "rank, corrected": spoken(*row.corrected_ranks),
    }


def papers(truth: Truth) -> None:
    """The papers' rows, on their own products: a table of their own, without ranks."""
    tables = published(truth)
    if not tables:
        return
    st.subheader("Published", anchor=False)
    rows = [
        {
            "origin": "published", "method": row.model, "inputs": row.sees.replace("both", "picture and text"),
            "trained on": row.trained_on, "top-1": row.figures["top1"], "top-5": row.figures.get("top5"), "source": table.source,
        }
        for table in tables for row in table.rows
    ]  # fmt: skip
    st.dataframe(
        in_percent(pd.DataFrame(rows), ("top-1", "top-5")), hide_index=True, height="content",
        column_config={"top-1": PERCENT, "top-5": PERCENT},
    )  # fmt: skip
    there = " and ".join(sorted({table.data for table in tables}))
    st.caption(
        plain(
            f"The papers' own figures, measured on {there}. They have no rank here: the table above is of {len(truth):,} products of "
            f"{truth.task.title}."
        )
    )


def _downloads(truth: Truth, board: Board) -> None:
    titles = {"csv": "CSV", "json": "JSON", "md": "Markdown", "tex": "LaTeX"}
    with st.container(horizontal=True):
        for kind, title in titles.items():
            name = f"{truth.task.dataset}-{truth.task.split}-leaderboard.{kind}"
            st.download_button(
                title,
                partial(exports.export, truth, board, kind),
                name,
                exports.ENDINGS[kind],
                on_click="ignore",
            )


def countries(board: Board) -> None:
    """Top-1 of each submission by country, a row each."""
    geos = sorted({geo for row in board.rows for geo in row.report.get("per_geo", {})} - {"(none)"})
    if not geos:
        st.info("This dataset has no countries.")
        return
    figure = st.segmented_control(
        "Figure", ("Top-1", "Top-5"), default="Top-1", required=True, key="by-country"
    )
    key = "top1" if figure != "Top-5" else "top5"
    names = {geo: COUNTRY_OF_GEO.get(geo, geo) for geo in geos}
    rows = []
    for row in board.rows:
        found = {names[geo]: row.report.get("per_geo", {}).get(geo, {}).get(key) for geo in geos}
        known = [value for value in found.values() if value is not None]
        rows.append(
            {"method": row.submission.name, **found, "spread": max(known) - min(known) if known else None}
        )
    shown = [*names.values(), "spread"]
    st.dataframe(
        in_percent(pd.DataFrame(rows), shown), hide_index=True, height="content" if len(rows) < 16 else 560,
        column_config={name: PERCENT for name in shown},
    )  # fmt: skip
    counts = next(iter(board.rows)).report.get("per_geo", {})
    said = ", ".join(f"{names[geo]} {counts[geo]['n']:,}" for geo in geos if geo in counts)
    st.caption(
        plain(
            f"Products: {said}. Spread is the best country less the worst; with few products it is mostly chance."
        )
    )


def submission(truth: Truth, board: Board) -> None:
    """The card and all figures of one submission."""
    names = {row.submission.name: row for row in board.rows}
    chosen = st.selectbox("Submission", list(names), key="submission", bind="query-params", format_func=str)
    row = names[chosen or next(iter(names))]
    one, report = row.submission, row.report
    if row.why:
        st.info(plain(row.why))
    shown = (("Top-1", "top1"), ("Top-5", "top5"), ("Balanced", "balanced"), ("F1, macro", "f1_macro"),
             ("F1, weighted", "f1_weighted"), ("AP, macro", "ap_macro"), ("AP, weighted", "ap_weighted"),
             ("AP, micro", "ap_micro"), ("Calibration error", "calibration_error"))  # fmt: skip
    with st.container(horizontal=True):
        for title, key in shown:
            value = report.get(key)
            with st.container(width=150):
                st.metric(title, "–" if value is None else f"{100 * value:.1f}%")
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Card", anchor=False)
        values = {title: str(getattr(one.card, key)) for key, title in CARD.items()}
        values |= {"Made from": one.kind, "Submitted": one.created.replace("T", " ").rstrip("Z") + " UTC"}
        for title, value in values.items():
            if value:
                st.markdown(f"**{title}** {plain(value)}")
        for note in one.notes:
            st.caption(plain(note))
    with right:
        st.subheader("Parts", anchor=False)
        st.dataframe(_parts(row), hide_index=True, height="content", column_config={"top-1": PERCENT})
        st.caption("Head: classes with more than 100 training products; tail: fewer than 20.")
    if access.may(access.MANAGE):
        _withdraw(truth, one.name)


def _parts(row: Row) -> pd.DataFrame:
    parts = {**row.report.get("per_part", {}), **row.report.get("per_kind", {})}
    titles = {"human": "labels by people", "machine": "labels by rules"}
    rows = [
        {
            "products": titles.get(name, name), "n": part["n"], "top-1": part["top1"],
            "95% interval": "" if part["interval"] is None else f"{100 * part['interval'][0]:.1f} to {100 * part['interval'][1]:.1f}",
        }
        for name, part in parts.items() if part["n"]
    ]  # fmt: skip
    return in_percent(pd.DataFrame(rows, columns=["products", "n", "top-1", "95% interval"]), ["top-1"])


def _withdraw(truth: Truth, name: str) -> None:
    with st.popover("Withdraw", type="tertiary"):
        st.markdown("Its predictions and scores are deleted.")
        if st.button("Withdraw this submission", type="primary"):
            try:
                benchmark.store().withdraw(truth.task, name)
            except VitrineError as error:
                st.error(plain(str(error)))
                return
            st.rerun()


def show_nothing(truth: Truth) -> None:
    """What to do where there is no submission yet, with the papers' rows."""
    st.info(
        f"No submission for {plain(truth.task.title)} yet. Submit a file of predictions, or an evaluation from the Evaluate page."
    )
    papers(truth)
