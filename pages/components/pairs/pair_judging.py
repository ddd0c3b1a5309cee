"""Pairs: a person says of a random sample whether the exchanged text is in fact true of the picture."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.duplicates.judging import WHO_CHARACTERS
from core.errors import VitrineError
from core.pairs import judging
from core.pairs.table import PairTable
from pages import access
from pages.components.duplicates.duplicates_pairs import YOU
from pages.components.pairs import pair_cards
from pages.components.shared.markdown import plain


def show(info: DatasetInfo, table: PairTable) -> None:
    """One pair at a time, and the rate of false negatives that the answers give."""
    if access.may(access.JUDGE):
        with st.sidebar:
            st.text_input(
                "Your name", key=YOU, max_chars=WHO_CHARACTERS, placeholder="stored with your answers"
            )
    _judge(info, table)


@st.fragment  # an answer reruns this part only
def _judge(info: DatasetInfo, table: PairTable) -> None:
    answers = judging.judgements(info, table.described)
    asked, known = st.columns([7, 4], gap="large")
    with known:
        _rate(table, answers)
    with asked:
        _ask(info, table, answers)


def _rate(table: PairTable, answers: dict[tuple[int, int], judging.Judgement]) -> None:
    found = judging.rate(table, answers)
    st.subheader("False negatives", anchor=False)
    if found.rate is None:
        st.caption("No pair is judged yet. About fifty answers give a first estimate.")
    else:
        st.metric(
            "Pairs that are in fact matches", f"{found.rate:.0%}",
            f"{found.low:.0%} to {found.high:.0%} (95% interval), {found.matches} of {found.judged} judged",
            delta_color="off", delta_arrow="off",
        )  # fmt: skip
    st.caption(
        "A false negative is a pair whose text fits the picture after all: training pushes a right text away. The pairs are asked "
        "in a random order, so that the answers are a simple random sample of the set; the interval is Wilson's."
    )
    if found.unsure:
        st.caption(f"{found.unsure:,} answers were “cannot tell” and do not count.")


def _ask(info: DatasetInfo, table: PairTable, answers: dict[tuple[int, int], judging.Judgement]) -> None:
    place = judging.next_pair(table, answers)
    if place is None:
        st.success("Every pair is judged.")
        return
    st.subheader("Does this text fit the picture?", anchor=False)
    if not access.may(access.JUDGE):
        st.info(f"Only {access.who(access.JUDGE)} can answer.")
        return
    pair = int(table.row_id[place]), int(table.partner[place])

    def answer(said: judging.Answer) -> None:
        if pair in judging.judgements(info, table.described):
            return  # a second press, before the next pair was there
        try:
            judging.judge(info, table.described, *pair, said, st.session_state.get(YOU) or "unnamed")
        except VitrineError as error:
            st.toast(plain(str(error)), icon="⚠️", duration="long")

    # The key names the pair: a press counts for the pair that was seen, whatever was answered elsewhere meanwhile.
    shown = f"{pair[0]}-{pair[1]}"
    with st.container(horizontal=True):
        st.button(
            "Mismatch", shortcut="n", key=f"no-{shown}", type="primary", on_click=answer, args=("mismatch",)
        )
        st.button("In fact a match", shortcut="m", key=f"yes-{shown}", on_click=answer, args=("match",))
        st.button("Cannot tell", shortcut="u", key=f"unsure-{shown}", on_click=answer, args=("unsure",))
    with st.container(key="judged-exchange"):
        pair_cards.show(info, table, [place], large=True)
    people = len({made.who for made in answers.values()})
    st.caption(f"{len(answers):,} pairs answered" + (f", by {people}." if people else "."))
