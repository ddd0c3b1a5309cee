"""Alignment: one pair of sub-classes at a time, decided by a key."""

from __future__ import annotations

import html

import streamlit as st

from core.catalog import info as catalog
from core.duplicates.judging import WHO_CHARACTERS
from core.errors import VitrineError
from core.labels import decisions
from core.labels.alignment import TABLE_3, Alignment, Pair
from core.labels.decisions import WORDS, Decided
from core.labels.subclasses import SubClass
from pages import access
from pages.components.duplicates.duplicates_pairs import YOU
from pages.components.shared.markdown import plain
from pages.components.shared.product_grid import product_url
from pages.resources import products
from pages.resources.urls import image_url

SKIPPED = "alignment pairs passed over"
NEW_NAME = "alignment new name"
PICTURES, TITLES = 3, 4
NOBODY = "unnamed"


def show(found: Alignment) -> None:
    """The next undecided candidate, and what was decided."""
    if access.may(access.JUDGE):
        with st.sidebar:
            st.text_input(
                "Your name", key=YOU, max_chars=WHO_CHARACTERS, placeholder="stored with your answers"
            )
    _decide(found)


@st.fragment  # an answer reruns this part only
def _decide(found: Alignment) -> None:
    decided = decisions.decisions(found)
    passed = st.session_state.setdefault(SKIPPED, set())
    candidates = found.candidates()
    left = [pair for pair in candidates if pair.item not in decided and (found.task, pair.item) not in passed]
    asked, beside = st.columns([7, 4], gap="large")
    with beside:
        _beside(found, decided, len(candidates))
    with asked:
        if left:
            _ask(found, left[0])
        elif not candidates:
            st.info(
                "No two sub-classes here are alike. Compare with another dataset, or across first-level classes."
            )
        else:
            st.success("Every candidate is decided or was passed over. Merge them under “Merge”.")
            if passed and st.button("Show those passed over", key="again"):
                passed.clear()
                st.rerun(scope="fragment")
            _undo_button(found)


def _who() -> str:
    return st.session_state.get(YOU) or NOBODY


def _answer(found: Alignment, pair: Pair, said: str) -> None:
    if pair.item in decisions.decisions(found):
        return  # a second press, before the next pair was there
    name = st.session_state.get(f"{NEW_NAME} {pair.item}", "")
    try:
        decisions.decide(found, pair, said, _who(), name)
    except VitrineError as error:
        st.toast(plain(str(error)), icon="⚠️", duration="long")


def _skip(found: Alignment, pair: Pair) -> None:
    st.session_state[SKIPPED].add((found.task, pair.item))


def _undo(found: Alignment) -> None:
    try:
        taken = decisions.undo(found, _who())
    except VitrineError as error:
        st.toast(plain(str(error)), icon="⚠️", duration="long")
        return
    st.toast(
        f"Taken back: {plain(taken.a[2])} and {plain(taken.b[2])}" if taken else "There is nothing to undo."
    )


def _undo_button(found: Alignment) -> None:
    st.button("Undo", shortcut="z", key="undo", on_click=_undo, args=(found,))


def _ask(found: Alignment, pair: Pair) -> None:
    st.subheader("Are these two one class?", anchor=False)
    if not access.may(access.JUDGE):
        st.info(f"Only {access.who(access.JUDGE)} can decide.")
    else:
        with st.container(horizontal=True):
            # The key names the pair: a press counts for the pair that was seen.
            for said, label, key in (
                ("same", "Same", "s"), ("not", "Not the same", "n"),
                ("parent", "Left is the parent", "left"), ("child", "Right is the parent", "right"),
            ):  # fmt: skip
                st.button(
                    label, shortcut=key, key=f"{said}-{pair.item}", type="primary" if said == "same" else "secondary",
                    on_click=_answer, args=(found, pair, said),
                )  # fmt: skip
            st.button("Pass", shortcut="p", key=f"pass-{pair.item}", on_click=_skip, args=(found, pair))
            _undo_button(found)
    st.html(
        f'<div class="vitrine-align">{_side(found, pair.a)}{_side(found, pair.b)}</div>{_facts(found, pair)}'
    )
    if access.may(access.JUDGE):
        st.text_input(
            "Same, under a new name", key=f"{NEW_NAME} {pair.item}", max_chars=decisions.NAME_CHARACTERS,
            placeholder="type it and press Enter", on_change=_answer, args=(found, pair, "name"),
        )  # fmt: skip


def _side(found: Alignment, sub: SubClass) -> str:
    """A sub-class as HTML: its name, pictures and titles. All text is escaped."""
    info = catalog.info(sub.dataset)
    rows = products.table(sub.dataset).by_row([row for row in sub.rows if row < info.rows])
    pictures = "".join(
        f'<a href="{html.escape(product_url(info, row))}" target="_self"><img src="'
        f'{html.escape(image_url(info, row["image_id"], 320))}" alt="{html.escape(row["name"] or "(no name)")}"></a>'
        for row in rows[:PICTURES] if row["image"]
    )  # fmt: skip
    titles = "".join(
        f'<li dir="auto">{html.escape((row["name"] or "")[:120])}</li>'
        for row in rows[:TITLES]
        if row["name"]
    )
    where = f"{sub.source} · {sub.first}" if sub.first else sub.source
    return (
        f'<section><small>{html.escape(where)}</small><h3 dir="auto">{html.escape(sub.name)}</h3>'
        f"<p>{sub.products:,} product{'s' if sub.products != 1 else ''}</p>"
        f'<div class="strip">{pictures}</div><ul>{titles or "<li>no titles</li>"}</ul></section>'
    )


def _facts(found: Alignment, pair: Pair) -> str:
    content = "no titles to compare" if pair.s_content is None else f"words of titles {pair.s_content:.3f}"
    facts = [f"names {pair.s_label:.2f}", content, f"vectors {pair.s_vectors:.2f}"]
    facts.append(
        "the published rule merges them" if pair.published else "the published rule keeps them apart"
    )
    facts.append("each is the other’s nearest" if pair.modern else "one has a nearer one")
    if pair.alike:
        facts.append("the names differ in case or width alone")
    said = "".join(f"<span>{html.escape(fact)}</span>" for fact in facts)
    return f'<p class="vitrine-align-facts">{said}</p>'


def _beside(found: Alignment, decided: dict[int, Decided], candidates: int) -> None:
    st.subheader(f"{len(decided):,} of {candidates:,} decided", anchor=False)
    st.progress(min(1.0, len(decided) / max(1, candidates)))
    for one in list(decided.values())[::-1][:5]:
        new = f" “{plain(one.name)}”" if one.name else ""
        st.caption(f"{plain(one.a[2])} · {plain(one.b[2])}: {WORDS[one.answer]}{new}")
    rows = "".join(
        f"<tr><td>{a}</td><td>{b}</td><td>{label:.2f}</td><td>{content:.3f}</td><td>{new}</td></tr>"
        for a, b, label, content, new in TABLE_3
    )
    with st.expander("How MEP-3M’s authors decided (Table 3)"):
        st.html(
            '<table class="vitrine-align-table"><thead><tr><th>shop A</th><th>shop B</th><th>names</th><th>titles</th>'
            f"<th>merged as</th></tr></thead><tbody>{rows}</tbody></table>"
        )
        st.caption(
            "Merged where the names are at least .50 alike and the words of the titles more than .75; equal names in any case. "
            + (
                f"Here, titles of the {found.equal:,} equal names are {found.mean_equal:.2f} alike on average: that is the threshold."
                if found.mean_equal is not None
                else f"No name is equal here: the threshold is {found.content:.2f}."
            )
        )
