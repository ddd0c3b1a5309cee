"""Languages: which language each country's texts are in, against the one expected there."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.statistics.languages import MOST_TEXTS
from pages.components.languages import choices
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import percent
from pages.components.shared.product_grid import product_url
from pages.resources import languages, products


def show(info: DatasetInfo, cohort: Cohort) -> None:
    """A bar per country: as expected, another language, undecided."""
    frame = languages.used(cohort)
    if frame.empty:
        st.info("None of these products has a country and a text.")
        return
    decided = frame["as_expected"].sum() + frame["other"].sum()
    share = frame["other"].sum() / decided if decided else 0.0
    st.markdown(
        plain(f"{percent(share)} of the identified texts are in another language than their country's. ")
        + "Name and description are read together."
    )
    examples = products.table(info.name).by_row([int(row) for row in frame["example"].dropna()])
    example_of = {row["geo"]: row for row in examples}
    bars = []
    rows: list[Any] = list(frame.itertuples())
    for row in rows:
        shares = [count / row.texts for count in (row.as_expected, row.other, row.undecided)]
        segments = "".join(
            f'<span class="{kind}" style="width:{100 * part:.2f}%" title="{title}: {percent(part)}"></span>'
            for kind, title, part in zip(
                ("yes", "no", "open"), ("as expected", "another", "undecided"), shares, strict=True
            )
        )
        others = html.escape(row.others) if row.others else "none"
        if (one := example_of.get(row.country)) is not None:
            others += f' · <a href="{html.escape(product_url(info, one))}" target="_self">an example</a>'
        bars.append(
            f'<tr><th scope="row">{html.escape(choices.country(row.country))}</th><td>{html.escape(row.expected)}</td>'
            f'<td class="number">{row.texts:,}</td><td class="bar"><div>{segments}</div></td>'
            f'<td class="number">{percent(shares[0])}</td><td class="number">{percent(shares[1])}</td><td>{others}</td></tr>'
        )
    head = "".join(
        f"<th scope='col'>{title}</th>"
        for title in ("Country", "Expected", "Texts", "", "As expected", "Another", "Which others")
    )
    st.html(
        f'<table class="vitrine-usage"><thead><tr>{head}</tr></thead><tbody>{"".join(bars)}</tbody></table>'
    )
    st.caption(
        plain(
            f"A fixed sample of at most {MOST_TEXTS:,} texts. The rest of a bar is undecided: too short, or a brand and a number "
            "alone. Read by letters and function words, then by fastText's model of 176 languages where it is sure."
        )
    )
