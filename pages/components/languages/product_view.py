"""Languages: one product, thirteen languages. Its twins side by side; where a country has none, a translation, marked as such."""

from __future__ import annotations

import html
import shlex
from typing import Any

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.languages import families, translations, translator
from core.languages.pairs import PAPER, order_of
from core.schema import LANGUAGE_OF_GEO
from pages import access
from pages.components.languages import choices
from pages.components.languages.pairs_view import picture
from pages.components.shared import background
from pages.components.shared.product_grid import product_url
from pages.resources import languages, products

MOST_PAGES = 400


def show(info: DatasetInfo, cohort: Cohort) -> None:
    """A picture with its text in each country, those with most countries first."""
    total = languages.families_in(cohort)
    if not total:
        st.info("No picture here is sold in several countries.")
        return
    pages = min(MOST_PAGES, total)
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = 1
    room = st.container()
    number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    rows = families.family(products.table(info.name), cohort, number - 1)
    with room:
        if rows:
            _family(info, rows, f"{number:,} of {total:,} pictures that are sold in several countries")


def _family(info: DatasetInfo, rows: list[dict[str, Any]], place: str) -> None:
    by_country: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_country.setdefault(row["geo"], []).append(row)
    have = [geo for geo in products.filter_choices(info.name)["geo"] if geo != "(none)"]
    countries = order_of([*have, *by_country])
    source = _source(rows)
    made = {} if source is None else translations.of_product(info, int(source["row_id"]))
    cards = [_own(info, row) for geo in countries for row in by_country.get(geo, ())]
    others = [geo for geo in countries if geo not in by_country]
    cards += [_translated(geo, *made[geo], source) for geo in others if geo in made and source is not None]
    absent = ", ".join(choices.country(geo) for geo in others if geo not in made)
    note = f'<p class="absent">Not sold in {html.escape(absent)}.</p>' if absent else ""
    st.html(
        f'<section class="vitrine-family"><div class="shown">{picture(info, rows[0], 480)}'
        f'<p>{html.escape(place)}</p></div><div><div class="countries">{"".join(cards)}</div>{note}</div></section>'
    )
    missing = [geo for geo in countries if geo not in by_country and geo not in made and geo in PAPER]
    if source is not None and missing:
        _offer(info, source, missing)


def _source(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The product whose text is translated: in a language that the bundled translator knows, if there is one; of these the
    longest description up to some sentences."""
    texts = [row for row in rows if row["description"] and row["geo"] in LANGUAGE_OF_GEO]
    learned = translator.bundled_languages()
    texts = [row for row in texts if LANGUAGE_OF_GEO[row["geo"]] in learned] or texts
    return max(texts, key=lambda row: min(len(row["description"]), 400), default=None)


def _own(info: DatasetInfo, row: dict[str, Any]) -> str:
    address = html.escape(product_url(info, row))
    return (
        f"<div><small>{html.escape(choices.country(row['geo'] or ''))} · {html.escape(row['language'] or '')}</small>"
        f'<a href="{address}" target="_self" dir="auto">{html.escape(row["name"] or "(no name)")}</a>'
        f"{choices.text(row['description'], row['language'] or '', 'no description')}</div>"
    )


def _translated(geo: str, words: str, model: str, source: dict[str, Any]) -> str:
    place, origin = html.escape(choices.country(geo)), html.escape(choices.country(source["geo"]))
    return (
        f'<div class="machine"><small>{place} · <b>machine translation</b> from {origin}, {html.escape(model)}</small>'
        f"{choices.text(words, LANGUAGE_OF_GEO.get(geo, ''))}</div>"
    )


def _offer(info: DatasetInfo, source: dict[str, Any], missing: list[str]) -> None:
    """A button where Vitrine has a translator of its own, else the command."""
    command = [
        "translate", info.name, "--from", source["geo"], "--to", ",".join(missing), "--item", source["item_id"],
    ]  # fmt: skip
    learned = translator.bundled_languages()
    able = LANGUAGE_OF_GEO[source["geo"]] in learned and any(
        LANGUAGE_OF_GEO[geo] in learned for geo in missing
    )
    if not able or not access.may(access.COMPUTE):
        model = [] if able else ["--model", "FOLDER"]
        st.caption("Translate it for the other countries:")
        st.code(shlex.join(["vitrine", *command, *model]), language=None)
        return
    if st.button("Translate for the other countries", key="translate-family"):
        background.run([command[0], *command[1:]], counted="texts")
        st.rerun()
