"""Alignment: all candidates with their similarities and decisions."""

from __future__ import annotations

import streamlit as st

from core.labels import decisions
from core.labels.alignment import Alignment
from core.labels.decisions import WORDS
from pages.components.shared.markdown import plain

MOST = 2_000


def show(found: Alignment) -> None:
    """The table, and what stands out."""
    decided = decisions.decisions(found)
    candidates = found.candidates()
    st.markdown(
        f"{len(found.classes):,} sub-classes give {len(found.pairs):,} pairs to compare. **The published rule merges "
        f"{sum(pair.published for pair in candidates):,} of them**, the rule by vectors "
        f"{sum(pair.modern for pair in candidates):,}."
    )
    if found.alone:
        st.caption(
            f"Only one side has these first-level classes: {plain(', '.join(found.alone[:12]))}"
            + ("…" if len(found.alone) > 12 else "")
        )
    rows = [
        {
            "First level": pair.a.first,
            "Sub-class": pair.a.name,
            "Of": pair.a.source,
            "Other sub-class": pair.b.name,
            "Of ": pair.b.source,
            "Names": pair.s_label,
            "Titles": pair.s_content,
            "Vectors": pair.s_vectors,
            "Published": pair.published,
            "By vectors": pair.modern,
            "Decision": WORDS[said.answer] if (said := decided.get(pair.item)) else "",
        }
        for pair in candidates[:MOST]
    ]
    if not rows:
        st.info("No two sub-classes here are alike.")
        return
    number = {name: st.column_config.NumberColumn(format="%.3f") for name in ("Names", "Titles", "Vectors")}
    st.dataframe(rows, hide_index=True, column_config=number)
    if len(candidates) > MOST:
        st.caption(f"The first {MOST:,} of {len(candidates):,}; all of them by `vitrine align --csv`.")
