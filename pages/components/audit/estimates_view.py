"""What an audit found, while people review and afterwards: shares with intervals, confusion, agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.audit import figures
from core.audit.figures import Line
from core.audit.records import Plan
from core.audit.words import interval, percent, points
from core.catalog.cohort import path_from_text
from core.catalog.info import DatasetInfo
from core.errors import VitrineError
from core.schema import COUNTRY_OF_GEO
from pages.components.shared import product_dialog, product_grid
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import in_percent
from pages.resources import audits, products

LOOK_EVERY_S = 10.0
COLUMNS = {
    "label_kind": "Kind of label",
    "label_source": "Label source",
    "geo": "Country",
    "split": "Split",
    "stratum": "Stratum",
}
MEASURES = {
    "raw": "Same answer", "alpha": "Krippendorff's alpha", "fleiss": "Fleiss' kappa", "cohen": "Cohen's kappa (mean of pairs)",
    "ac1": "Gwet's AC1",
}  # fmt: skip


def show(info: DatasetInfo, plan: Plan, part: str) -> None:
    """One part of the findings; while the plan is open it updates as answers arrive."""
    parts = {"Estimates": _estimates, "Confusion": _confusion, "Agreement": _agreement}
    if plan.queue:
        st.info(
            "This plan is the top of a queue, for fixing labels: it is no random sample, so it estimates nothing. What it says "
            "of the queue's precision stands where the queue is shown."
        )
        return
    if plan.closed:
        parts[part](info, plan.plan)
    else:
        st.fragment(parts[part], run_every=LOOK_EVERY_S)(info, plan.plan)


def _found(key: str) -> Mapping[str, Any] | None:
    """The findings; None, and a sentence, where there is none yet."""
    try:
        found = audits.findings(key)
    except VitrineError as error:
        st.error(plain(str(error)))
        return None
    if not found["reviewed"]:
        st.info("Nobody has answered yet. Figures appear with the first answers; about thirty say a little.")
        return None
    return found


def _estimates(info: DatasetInfo, key: str) -> None:
    found = _found(key)
    if found is None:
        return
    _figures_of(found)
    there = [column for column in COLUMNS if len(found["by"].get(column, ())) > 1]
    if there:
        default = "geo" if "geo" in there and "label_kind" not in there else there[0]
        by = st.segmented_control(
            "By", there, default=default, format_func=COLUMNS.__getitem__, key=f"by-{key}", required=True
        )
        _by(found, by or default)
    st.subheader("In words", anchor=False)
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in found["words"]))
    if found["caveats"]:
        st.subheader("What weakens this", anchor=False)
        st.markdown("\n".join(f"- {plain(caveat)}" for caveat in found["caveats"]))


def _figures_of(found: Mapping[str, Any]) -> None:
    """The figures to read from afar."""
    columns = st.columns(3)
    whole = found["accuracy"]
    columns[0].metric(
        "Labels that are right",
        percent(whole["estimate"]),
        _ends(whole),
        delta_color="off",
        delta_arrow="off",
    )
    kinds = found["by"]["label_kind"]
    if "machine" in kinds and kinds["machine"]["n"]:
        columns[1].metric(
            "Machine labels that are right", percent(kinds["machine"]["estimate"]), _ends(kinds["machine"]),
            delta_color="off", delta_arrow="off",
        )  # fmt: skip
    if found["human_minus_machine"]:
        between = found["human_minus_machine"]
        columns[2].metric(
            "Human minus machine", f"{100 * between['estimate']:+.1f} points",
            f"{100 * between['low']:.1f} to {100 * between['high']:.1f}", delta_color="off", delta_arrow="off",
        )  # fmt: skip


def _ends(share: Mapping[str, Any]) -> str:
    return f"{100 * share['low']:.1f} to {100 * share['high']:.1f}% (95%), {share['n']:,} judged"


def _by(found: Mapping[str, Any], by: str) -> None:
    shares = found["by"][by]
    names = {
        value: f"{value} ({COUNTRY_OF_GEO[value]})" if by == "geo" and value in COUNTRY_OF_GEO else value
        for value in shares
    }
    order = sorted(
        shares, key=lambda value: (shares[value]["estimate"] is None, -(shares[value]["estimate"] or 0))
    )
    lines = [
        Line(names[value], shares[value], value if by in ("geo", "label_kind", "split") else "")
        for value in order[:40]
    ]
    st.plotly_chart(
        figures.shares(lines, st.context.theme.type == "dark", found["accuracy"]["estimate"]), theme=None,
        key=f"shares-{found['plan']}-{by}", config={"displayModeBar": False},
    )  # fmt: skip
    st.caption(
        "Dot: the estimate, weighted by how products were drawn. Thick line: its 95% interval. Thin line: the wider interval "
        "that holds even if you look after every answer. Dotted: all labels together."
    )
    with st.popover("Table"):
        table = pd.DataFrame(
            [
                {
                    COLUMNS[by].lower(): names[value], "right": one["estimate"], "low": one["low"], "high": one["high"],
                    "noise": None if one["estimate"] is None else 1 - one["estimate"], "judged": one["n"],
                }
                for value, one in ((value, shares[value]) for value in order)
            ]
        )  # fmt: skip
        shown = in_percent(table, ["right", "low", "high", "noise"])
        percents = {
            name: st.column_config.NumberColumn(format="%.1f%%") for name in ("right", "low", "high", "noise")
        }
        st.dataframe(shown, hide_index=True, width=640, column_config=percents)


def _confusion(info: DatasetInfo, key: str) -> None:
    found = _found(key)
    if found is None:
        return
    pairs = found["confusion"]["pairs"]
    with st.container(key="audit-confusion"):  # assets/app.css
        st.plotly_chart(
            figures.confusion(found["confusion"]["table"], st.context.theme.type == "dark"), theme=None,
            key=f"confusion-{key}", config={"displayModeBar": False},
        )  # fmt: skip
    st.caption("Rows add up to 100%. What is not on the diagonal is an error, or ambiguous.")
    if not pairs:
        st.info("No label was judged wrong so far.")
        return
    st.subheader("Most confused pairs", anchor=False)
    names = {f"{_leaf(one['given'])} that is {_leaf(one['true'])}": one for one in pairs}
    chosen = st.selectbox("Pictures of", list(names), key=f"pair-{key}")
    one = names[chosen or next(iter(names))]
    st.caption(
        plain(
            f"{one['n']:,} found: {interval({**one, 'estimate': one['share']})} of all products are labelled {one['given']} and are {one['true']}."
        )
    )
    items = audits.store().items(key)
    rows = products.table(info.name).by_row([items[number].row_id for number in one["items"]])
    picked = product_grid.show(info, rows, f"pairs-{key}")
    if picked is not None:
        product_dialog.select_row(info, picked, rows)
        st.rerun(scope="app")


def _leaf(label: str) -> str:
    return path_from_text(label)[-1] if label else "(none)"


def _agreement(info: DatasetInfo, key: str) -> None:
    found = _found(key)
    if found is None:
        return
    st.subheader("Between people", anchor=False)
    both = found["agreement"]
    if both["answers"]["items"]:
        st.markdown(f"{both['answers']['items']:,} products were judged by two or more.")
        st.dataframe(_measures(both), hide_index=True, width="content")
        _per_class(both["classes"]["per_class"])
    else:
        st.info("No product was judged by two people yet, so their agreement is unknown.")
    st.subheader("Annotators", anchor=False)
    st.dataframe(_annotators(found["annotators"]), hide_index=True, width="content")
    st.caption(
        "Known answers: products whose class was known before. Consensus: how often an annotator agrees with what is likely right by all "
        "answers together (Dawid and Skene), which needs enough products that several people judged."
    )
    st.subheader("Does a shown label lead people?", anchor=False)
    anchored = found["anchoring"]
    if anchored is None:
        st.info("Both ways of asking need answers: blind, and with the label shown from the beginning.")
        return
    lines = [Line("label shown", anchored["shown"]), Line("blind", anchored["blind"])]
    st.plotly_chart(
        figures.shares(lines, st.context.theme.type == "dark"), theme=None, key=f"anchoring-{key}",
        config={"displayModeBar": False},
    )  # fmt: skip
    st.markdown(
        plain(
            f"Shown minus blind: {points(anchored['effect'])}. An effect below about {100 * anchored['detectable']:.0f} points would "
            "not be noticed with this many answers."
        )
    )


def _measures(both: Mapping[str, Any]) -> pd.DataFrame:
    def cell(found: Mapping[str, Any], name: str) -> str:
        one = found[name]
        return "" if one is None else f"{one['estimate']:.2f} ({one['low']:.2f} to {one['high']:.2f})"

    return pd.DataFrame(
        {
            "measure, 95% interval": list(MEASURES.values()),
            "right or wrong": [cell(both["answers"], name) for name in MEASURES],
            "the class": [cell(both["classes"], name) for name in MEASURES],
        }
    )


def _per_class(shares: Mapping[str, Mapping[str, float]]) -> None:
    if not shares:
        return
    with st.popover("By class"):
        st.dataframe(
            pd.DataFrame(
                {
                    "class": list(shares),
                    "second person agrees": [
                        f"{one['estimate']:.0%} ({one['low']:.0%} to {one['high']:.0%})"
                        for one in shares.values()
                    ],
                }
            ),
            hide_index=True,
        )


def _annotators(people: list[Mapping[str, Any]]) -> pd.DataFrame:
    def gold(one: Mapping[str, Any]) -> str:
        known = one["gold"]
        return (
            f"{known['right']} of {known['n']} ({known['low']:.0%} to {known['high']:.0%})"
            if known["n"]
            else ""
        )

    return pd.DataFrame(
        {
            "annotator": [one["who"] for one in people],
            "answers": [one["answered"] for one in people],
            "known answers right": [gold(one) for one in people],
            "consensus": [
                "" if one["dawid_skene"] is None else f"{one['dawid_skene']:.0%}" for one in people
            ],
            "seconds each": [
                "" if one["median_ms"] is None else f"{one['median_ms'] / 1000:.1f}" for one in people
            ],
        }
    )
