"""Languages: stored translations scored, as a table of countries beside the paper's, and each pair readable."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.languages import published, translations
from core.languages.pairs import PAPER, PICTURE_ID, order_of
from core.languages.scores import published_bleu, sentence_chrf
from core.languages.translations import Translation
from pages.components.languages import choices, heat, translation_form
from pages.components.languages.pairs_view import picture
from pages.components.shared.markdown import plain
from pages.components.shared.product_grid import product_url
from pages.resources import languages, products

SIZE = 10
MEASURES = {"BLEU": "bleu", "chrF": "chrf", "Published macro": "macro"}
WHICH = {"Two texts": False, "Every pair": True}


def show(info: DatasetInfo, cohort: Cohort) -> None:
    """Choose a model and mode; its table, the paper's, and the pairs of two countries."""
    there = [one for one in languages.translations_of(info) if one.described.column == "description"]
    if not there:
        st.info(f"{info.name} has no translations yet.")
        translation_form.show(info)
        return
    made = {f"{one.described.model}, {one.described.mode}": one.described for one in reversed(there)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = st.selectbox("Translations", list(made), key="made", bind="query-params", width=300)
        measure = st.segmented_control(
            "Measure", list(MEASURES), default="BLEU", key="measure", bind="query-params", required=True
        )
        which = st.segmented_control(
            "Pairs", list(WHICH), default="Two texts", key="which", bind="query-params", required=True
        )
    translation_form.show(info)
    chosen = made.get(named or "", next(iter(made.values())))
    scores = languages.scores_of(info, cohort, chosen.digest, chosen.mode, WHICH[which or "Two texts"])
    if not scores:
        st.info("None of these translations has a pair among these products to be compared with.")
        return
    countries = order_of([geo for pair in scores for geo in pair])
    values = np.full((len(countries), len(countries)), np.nan)
    for (source, target), found in scores.items():
        values[countries.index(source), countries.index(target)] = getattr(found, MEASURES[measure or "BLEU"])
    ours, theirs = st.columns(2, gap="large")
    with ours:
        heat.show(
            f"{info.name}: {measure}, percent", countries, values, lambda value: f"{value:.0f}", corner="from / to",
            link=lambda source, target: choices.pairs_url(
                info, cohort, "Translation", source, target, made=named or "", measure=measure or "BLEU"
            ),
        )  # fmt: skip
        st.caption("A cell shows its pairs below.")
    with theirs:
        heat.show(
            "Published: GLAMI-1M, table 7, macro BLEU, percent",
            PAPER,
            published.published_bleu(),
            lambda value: f"{value:.1f}",
        )
        st.caption(plain(f"{published.BLEU_DOUBT} Source: {published.SOURCE}."))
    source, target = choices.choose_countries(countries)
    one = next(
        (
            one for one in there
            if (one.described.source, one.described.target, one.described.digest, one.described.mode)
            == (source, target, chosen.digest, chosen.mode)
        ),
        None,
    )  # fmt: skip
    if one is None:
        st.caption(plain(f"{choices.country(source)} to {choices.country(target)} was not translated by it."))
        return
    _pairs(info, cohort, one, scores.get((source, target)), WHICH[which or "Two texts"])


def _pairs(info: DatasetInfo, cohort: Cohort, one: Translation, scores: Any, every: bool) -> None:
    frame = translations.aligned(one, languages.pairs_of(info, cohort, PICTURE_ID), every)
    if scores is not None:
        st.markdown(
            plain(
                f"{scores.n:,} pairs: BLEU {scores.bleu:.1f} ({scores.bleu_interval[0]:.1f} to {scores.bleu_interval[1]:.1f}), "
                f"chrF {scores.chrf:.1f} ({scores.chrf_interval[0]:.1f} to {scores.chrf_interval[1]:.1f}), "
                f"published macro {scores.macro:.2f} ({scores.macro_interval[0]:.2f} to {scores.macro_interval[1]:.2f})"
            )
        )
    pages = max(1, -(-len(frame) // SIZE))
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = 1
    room = st.container()
    number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    chosen = frame.iloc[(number - 1) * SIZE : number * SIZE]
    rows = products.table(info.name).by_row([int(row) for row in chosen["row_a"]])
    with room:
        st.html(
            "".join(_pair(info, row, pair, one) for row, pair in zip(rows, chosen.itertuples(), strict=True))
        )


def _pair(info: DatasetInfo, row: dict[str, Any], pair: Any, one: Translation) -> str:
    said = one.described
    source, target = html.escape(choices.country(said.source)), html.escape(choices.country(said.target))
    cells = (
        f'<div><small>{source}, its own text</small><a href="{html.escape(product_url(info, row))}" target="_self" dir="auto">'
        f"{html.escape(row['name'] or '(no name)')}</a>{choices.text(pair.text_a, said.source_language)}</div>"
        f'<div class="machine"><small>{target}, <b>machine translation</b> by {html.escape(said.model)}</small>'
        f"{choices.text(pair.translation, said.target_language)}</div>"
        f"<div><small>{target}, its own text</small>{choices.text(pair.text_b, said.target_language)}</div>"
    )
    line = (
        f"chrF {sentence_chrf(pair.translation, pair.text_b):.0f} · published sentence BLEU "
        f"{100 * published_bleu(pair.translation, pair.text_b):.1f}"
    )
    return f'<article class="vitrine-said">{picture(info, row)}<div class="sides">{cells}</div><p>{line}</p></article>'
