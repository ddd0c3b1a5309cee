"""Duplicates: the pairs around a threshold, and people's judgements of a sample of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.duplicates import figures, judging
from core.duplicates.detectors import COPIES, HASH_BITS, detector
from core.duplicates.finding import Found
from core.errors import VitrineError
from pages import access
from pages.components.duplicates import pair_gallery
from pages.components.duplicates.pair_gallery import Pair
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import similarity
from pages.resources import duplicates, products

SIZE = 12
ORDERS = ("Around the threshold", "Nearest", "Farthest")
MOST_PAGES = 400
YOU = "your name for judgements"


def similarity_text(key: str, likeness: float) -> str:
    """The similarity of a pair, as the detector measures it."""
    if key == "bytes":
        return "the same file"
    if key == "hash":
        bits = round(HASH_BITS - likeness)
        return "the same hash" if bits == 0 else f"{bits} of {HASH_BITS} bits differ"
    if key == "pixels":
        return "the same pixels" if likeness >= 255 else f"pixel difference {255 - likeness:.1f}"
    if key in COPIES:
        how = "aligned" if key == "cropped" else "after colour correction"
        return f"{how}, pixel difference {255 - likeness:.1f}"
    if likeness >= 1:
        return "the same text" if key in ("text", "glami") else "the same vector"
    return f"similarity {similarity(likeness)}"


def show(info: DatasetInfo, found: Found, threshold: float, cohort: Cohort) -> None:
    """A gallery of pairs: those just inside and just outside the threshold, or all in order; of a cohort, those that have
    one of its products on a side."""
    splits = duplicates.splits(info)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = st.segmented_control(
            "Order", ORDERS, default=ORDERS[0], key="order", bind="query-params", required=True
        )
        crossing = len(splits.names) > 1 and st.toggle(
            "Only across splits", key="across", bind="query-params"
        )
    among = np.ones(len(found.a), bool)
    if crossing:
        among &= splits.code[found.a] != splits.code[found.b]
    if not cohort.is_whole():
        among &= found.touching(products.table(info.name).mask(cohort))
    places = _places(found, threshold, order or ORDERS[0], among)
    stop = found.within(threshold).stop
    st.caption(
        plain(
            f"{np.count_nonzero(among[:stop]):,} of {np.count_nonzero(among):,} pairs are within the threshold. A pair stands for all products that are "
            "identical to its two. Pale pairs are just outside."
        )
    )
    st.caption(_measured(info, found, threshold))
    if not len(places):
        where = (" across splits" if crossing else "") + ("" if cohort.is_whole() else " of these products")
        st.info(f"No pair{where} is within the threshold. Loosen it, or choose another detector.")
        return
    pages = min(MOST_PAGES, -(-len(places) // SIZE))
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = 1
    room = st.container()
    number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    shown = places[(number - 1) * SIZE : number * SIZE]
    with room:
        pair_gallery.show(
            info,
            [
                Pair(
                    first,
                    second,
                    similarity_text(found.described.detector, float(found.likeness[row])),
                    row < stop,
                )
                for row, first, second in rows_of(info, found, shown)
            ],
        )


def _measured(info: DatasetInfo, found: Found, threshold: float) -> str:
    """What people's judgements say of the pairs within the threshold."""
    key = found.described.detector
    known = judging.precision(found, judging.judgements(info, key), [threshold])[0]
    if known.precision is None:
        return "Nobody has measured how many of these are duplicates. Answer a few under Judge."
    return (
        f"Measured: {known.precision:.0%} of the pairs within the threshold are duplicates ({known.low:.0%} to {known.high:.0%}, "
        f"{known.judged:,} judged)."
    )


def rows_of(
    info: DatasetInfo, found: Found, places: NDArray[np.int64]
) -> list[tuple[int, dict[str, Any], dict[str, Any]]]:
    """Places in the table of pairs with the two products of each."""
    sides = products.table(info.name).by_row(
        [int(row) for pair in zip(found.a[places], found.b[places], strict=True) for row in pair]
    )
    return [(int(place), sides[2 * number], sides[2 * number + 1]) for number, place in enumerate(places)]


def _places(found: Found, threshold: float, order: str, among: NDArray[np.bool_]) -> NDArray[np.int64]:
    stop = found.within(threshold).stop
    inside, outside = np.flatnonzero(among[:stop]), stop + np.flatnonzero(among[stop:])
    if order == "Nearest":
        return inside
    if order == "Farthest":
        return inside[::-1]
    # The last inside the threshold and the first outside it, in turn.
    half = min(len(inside), MOST_PAGES * SIZE)
    last, first = inside[::-1][:half], outside[:half]
    count = min(len(last), len(first))
    turns = np.stack([last[:count], first[:count]], axis=1).ravel()
    return np.concatenate([turns, last[count:], first[count:]])


def judge(info: DatasetInfo, found: Found, threshold: float) -> None:
    """One pair at a time: do both show the same product? And the precision by threshold that the answers give."""
    if access.may(access.JUDGE):
        with st.sidebar:
            st.text_input(
                "Your name", key=YOU, max_chars=judging.WHO_CHARACTERS, placeholder="stored with your answers"
            )
    _judge(info, found, threshold)


@st.fragment  # an answer reruns this part only
def _judge(info: DatasetInfo, found: Found, threshold: float) -> None:
    key = found.described.detector
    answers = judging.judgements(info, key)
    told = judging.precision(found, answers, sorted({*_marks(found), threshold}))
    here = next(point for point in told if point.threshold == threshold)
    asked, known = st.columns([6, 5], gap="large")
    with known:
        st.subheader("Precision by threshold", anchor=False)
        if here.precision is None:
            st.caption(
                "No pair within the threshold is judged yet. About twenty answers give a first estimate."
            )
        else:
            st.metric(
                f"Pairs that are duplicates ({detector(key).describe(threshold)})",
                f"{here.precision:.0%}",
                f"{here.low:.0%} to {here.high:.0%} (95% interval), {here.judged} judged",
                delta_color="off",
                delta_arrow="off",
            )
            st.caption(
                "The answers are weighted, not simply averaged: each answer represents all pairs of about the same "
                "similarity, so answers on frequent kinds of pairs count more."
            )
        if any(point.precision is not None for point in told):
            dark = st.context.theme.type == "dark"
            st.plotly_chart(
                figures.precision_curve(told, key, threshold, dark), theme=None, key="precision",
                config={"displayModeBar": False},
            )  # fmt: skip
            st.caption(
                "Each point: the share of true duplicates among the pairs within that threshold, with its 95% interval. "
                "Pairs are a random sample, stratified by similarity and weighted by the size of each stratum."
            )
    with asked:
        _ask(info, found, threshold, answers)


def _marks(found: Found) -> list[float]:
    return [end for end, _ in judging.strata(found)]


def _ask(
    info: DatasetInfo,
    found: Found,
    threshold: float,
    answers: dict[tuple[int, int], judging.Judgement],
) -> None:
    places = judging.next_pairs(found, answers, threshold)
    if not places:
        st.success("Every pair is judged.")
        return
    row, first, second = rows_of(info, found, np.array(places))[0]
    text = found.described.detector == "text"
    st.subheader(
        "Do these two show the same product text?" if text else "Do these two show the same product?",
        anchor=False,
    )
    if not access.may(access.JUDGE):
        st.info(f"Only {access.who(access.JUDGE)} can answer.")
        return
    pair = int(found.a[row]), int(found.b[row])

    def answer(said: judging.Answer) -> None:
        if pair in judging.judgements(info, found.described.detector):
            return  # a second press, before the next pair was there
        who = st.session_state.get(YOU) or "unnamed"
        try:
            judging.judge(info, found.described.detector, *pair, said, who)
        except VitrineError as error:
            st.toast(plain(str(error)), icon="⚠️", duration="long")

    # The key names the pair: a press counts for the pair that was seen, whatever was answered elsewhere meanwhile.
    shown = f"{pair[0]}-{pair[1]}"
    with st.container(horizontal=True):
        st.button("Yes", shortcut="y", key=f"yes-{shown}", type="primary", on_click=answer, args=("yes",))
        st.button("No", shortcut="n", key=f"no-{shown}", on_click=answer, args=("no",))
        st.button("Cannot tell", shortcut="u", key=f"unsure-{shown}", on_click=answer, args=("unsure",))
    with st.container(key="judged-pair"):
        pair_gallery.show(info, [Pair(first, second, "")], width_px=480, large=True, texts=text)
    people = len({made.who for made in answers.values()})
    st.caption(f"{len(answers):,} pairs answered" + (f", by {people}." if people else "."))
