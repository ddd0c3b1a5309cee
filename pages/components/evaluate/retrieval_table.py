"""Table 1 of the incorrect-pairs paper beside what was measured here; each row states its origin and data."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.catalog.info import DatasetInfo
from core.evaluation.published_retrieval import CITED, NOTE, PAPER
from core.evaluation.retrieval import kept
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import PERCENT, in_percent

TITLES = {"rank1": "Rank@1", "rank5": "Rank@5", "rank10": "Rank@10", "map": "mAP"}


def show(info: DatasetInfo | None) -> None:
    """
    Args:
        info: the dataset whose measured rows stand above; None shows the cited ones alone.
    """
    own = [_measured(report) for report in kept(info)] if info is not None else []
    cited = [
        {"from": "cited", "model": row.model, **{title: row.figures.get(key) for key, title in TITLES.items()},
         "± mAP": None, "on": row.data}
        for row in CITED
    ]  # fmt: skip
    shares = [*TITLES.values(), "± mAP"]
    frame = in_percent(pd.DataFrame([*own, *cited]), shares)
    with st.container(border=True):
        st.subheader("Retrieval of a picture by its text", anchor=False)
        st.dataframe(frame, hide_index=True, height="content", column_config=dict.fromkeys(shares, PERCENT))
        here = "Measured rows: vitrine evaluate RUN --protocol pairs --keep; ± is the deviation over trials. "
        st.caption(
            plain(f"{'' if own else 'Nothing is measured on this dataset yet. '}{here}{NOTE} After {PAPER}.")
        )


def _measured(report: dict[str, Any]) -> dict[str, Any]:
    hundred = report["hundred"]
    seen = ", which it was trained on" if report.get("trained_on_split") else ""
    return {
        "from": "measured here",
        "model": str(report["encoder"]),
        **{title: hundred.get(key) for key, title in TITLES.items()},
        "± mAP": (hundred.get("deviation") or {}).get("map"),
        "on": f"{report['dataset']} {report['split']}{seen}, {report['trials']} trials of {report['items']} among "
        f"{report['n']:,} products",
    }
