"""What is said under each result of a search: words, with the figures behind them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.search.query import Answer, Hit
from core.search.significance import NOTHING, WORDS, in_words
from pages.components.search.query_form import Query
from pages.components.shared.numbers import similarity

BY_WORDS = "has the words"


def lines(query: Query, answer: Answer, hits: Sequence[Hit]) -> tuple[list[str], list[str]]:
    """A line of words under each result, and the figures that show while the pointer is on it."""
    return [_said(query, hit) for hit in hits], [_figures(query, answer, hit) for hit in hits]


def _said(query: Query, hit: Hit) -> str:
    several = len(query.parts) > 1
    words = [
        f"{title}: {in_words(share)}" if several else in_words(share)
        for title, share in zip(query.titles, hit.chances, strict=False)
        if share is not None
    ]
    if "words" in hit.by:
        words.append(BY_WORDS)
    return " · ".join(words) or similarity(hit.score)


def _figures(query: Query, answer: Answer, hit: Hit) -> str:
    if len(query.parts) == 1 and answer.meaning == "cosine similarity":
        return f"cosine similarity {similarity(hit.score)}"
    cosines = [
        f"cosine with {title} {similarity(value)}"
        for title, value in zip(query.titles, hit.similarities, strict=True)
        if value is not None
    ]
    return "; ".join([f"{answer.meaning} {similarity(hit.score)}", *cosines])


def explain() -> None:
    """What the words mean, behind a button."""
    with st.popover("What the words mean", type="tertiary"):
        rows = "\n".join(
            f"- **{word}**: at most {1_000 * share:.0f} of 1,000 random pairs are as similar"
            for share, word in WORDS
        )
        st.markdown(
            "Under each product is how similar it is to the query, beside random pairs of this dataset's products, as this "
            f"encoder sees them:\n\n{rows}\n- **{NOTHING}**: more than that\n\n"
            "A pair is of two pictures, or of a name and another product's picture, as the query is. Point at the words for "
            "the figures."
        )
