"""Galleries of misclassified products; each opens, and all open in Browse."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.evaluation.cache import Evaluation
from core.evaluation.charts import rows_of
from core.evaluation.class_charts import Names, class_names
from pages.components.shared import product_dialog, product_grid
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import in_percent, percent
from pages.resources import audits, evaluation, products
from pages.resources.urls import cohort_url

PER_PAGE = 24
OPENED = 100  # products that a link to Browse holds
EXAMPLES = 6
ANY = "any class"
ORDERS = {
    "Most confident": ("probability", False),
    "Label least likely": ("label_probability", True),
    "Least confident": ("probability", True),
}


def show(info: DatasetInfo, found: Evaluation, cohort: Cohort) -> None:
    """Wrong predictions of a cohort's products, the most confident first, of all classes or of one pair."""
    if not holds(info, found):
        return
    predictions = evaluation.predictions(found, cohort)
    wrong = predictions[~predictions.correct]
    st.markdown("Wrong predictions, most confident first. Some of them are label errors.")
    if wrong.empty:
        st.info(
            "No mistakes: every prediction is correct." if len(predictions) else evaluation_of_none(found)
        )
        return
    left, middle, right = st.columns([5, 5, 3])
    labels = [ANY, *wrong.label.value_counts().index]
    label = left.selectbox("Label", labels, key="label", bind="query-params")
    chosen = wrong if label == ANY else wrong[wrong.label == label]
    said = middle.selectbox(
        "Prediction", [ANY, *wrong.prediction.value_counts().index], key="said", bind="query-params"
    )
    chosen = chosen if said == ANY else chosen[chosen.prediction == said]
    order = right.selectbox("First", list(ORDERS), key="first", bind="query-params")
    if chosen.empty:
        st.info("No product has this label and this prediction.")
        return
    column, ascending = ORDERS[order or "Most confident"]
    chosen = chosen.sort_values([column, "row_id"], ascending=[ascending, True])
    _say_measured(info, chosen)
    gallery(
        info,
        chosen,
        "mistakes",
        class_names(found),
    )


def evaluation_of_none(found: Evaluation) -> str:
    """What is said where the filters leave nothing of an evaluation."""
    return f"None of these products is among those that were evaluated ({found.choice.split})."


def _say_measured(info: DatasetInfo, queue: pd.DataFrame) -> None:
    """How many of a queue's first products are label errors, as people found."""
    if said := audits.measured(info, queue.row_id.tolist()):
        st.caption(plain(said))


def holds(info: DatasetInfo, found: Evaluation) -> bool:
    """Is the evaluation of this import? Row numbers of another import name other products; a note says so."""
    if found.fingerprint == info.fingerprint:
        return True
    st.info(
        f"{plain(info.name)} was imported again since this evaluation, so its products cannot be shown. Evaluate again."
    )
    return False


def gallery(info: DatasetInfo, table: pd.DataFrame, key: str, names: Names) -> None:
    """Evaluated products a page at a time, with a link to Browse."""
    pages = -(-len(table) // PER_PAGE)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(table):,} product{'' if len(table) == 1 else 's'}**")
        browse_link(info, table)
    place = st.container()
    number_key = f"{key}-page"
    if st.session_state.get(number_key, 1) > pages:
        st.session_state[number_key] = 1
    number = st.pagination(pages, key=number_key) if pages > 1 else 1
    part = table.iloc[(number - 1) * PER_PAGE : number * PER_PAGE]
    with place:
        rows = grid(info, part, key, names)
    product_dialog.open_linked(info, rows)


def grid(info: DatasetInfo, part: pd.DataFrame, key: str, names: Names) -> list[dict[str, object]]:
    """The products with their predictions; a click opens one."""
    by_row = {row["row_id"]: row for row in products.table(info.name).by_row(part.row_id.tolist())}
    there = part[part.row_id.isin(by_row)]
    rows = [by_row[row_id] for row_id in there.row_id]
    facts = [
        f"predicted {names[row.prediction]}, {percent(row.probability)}"
        + (
            ""
            if row.correct or pd.isna(row.label_probability)
            else f" (label {percent(row.label_probability)})"
        )
        for row in rows_of(there)
    ]
    picked = product_grid.show(info, rows, key, facts)
    if picked is not None:
        product_dialog.select_row(info, picked, rows)
    return rows


def browse_link(info: DatasetInfo, table: pd.DataFrame) -> None:
    """A link to these products in Browse; an address holds the first OPENED only."""
    ids = tuple(dict.fromkeys(item for item in table.item_id.head(OPENED) if isinstance(item, str) and item))
    if not ids:
        return
    title = "Open in Browse" if len(table) <= OPENED else f"Open the first {OPENED} in Browse"
    st.link_button(title, cohort_url("/browse", Cohort(info.name, item_id=ids)))


def show_pairs(info: DatasetInfo, found: Evaluation) -> None:
    """The most confused pairs of classes, with pictures of both sides of one pair."""
    pairs = pd.DataFrame(found.report["confused_pairs"], columns=["label", "prediction", "n", "share"])
    if pairs.empty:
        st.info("No product of a known class is misclassified.")
        return
    with st.container(border=True):
        st.subheader("Most confused pairs", anchor=False)
        brief = class_names(found)
        named = pairs.assign(label=pairs.label.map(brief), prediction=pairs.prediction.map(brief))
        st.dataframe(
            in_percent(named, ["share"]), hide_index=True, height=min(420, 38 + 35 * len(pairs)),
            column_config={
                "prediction": "prediction",
                "n": st.column_config.NumberColumn("products"),
                "share": st.column_config.NumberColumn("share of the label", format="%.0f%%"),
            },
        )  # fmt: skip
        if not holds(info, found):
            return
        names = {f"{brief[row.label]} → {brief[row.prediction]}": row for row in rows_of(pairs)}
        name = st.selectbox("Pictures of", list(names), key="pair", bind="query-params")
        pair = names[name or next(iter(names))]
        predictions = evaluation.predictions(found)
        mistaken = predictions[
            (predictions.label == pair.label) & (predictions.prediction == pair.prediction)
        ]
        right = predictions[(predictions.label == pair.prediction) & predictions.correct]
        _say_measured(info, mistaken.sort_values("probability", ascending=False))
        shown = min(EXAMPLES, max(2, len(mistaken)))
        one, other = st.columns(2, gap="large")
        with one:
            st.markdown(f"**Labelled {plain(brief[pair.label])}, predicted {plain(brief[pair.prediction])}**")
            rows = grid(
                info, mistaken.sort_values("probability", ascending=False).head(shown), "pair-mistaken", brief
            )
        with other:
            st.markdown(f"**Correctly predicted {plain(brief[pair.prediction])}**")
            if right.empty:
                st.caption("None in this split.")
            else:
                rows += grid(
                    info, right.sort_values("probability", ascending=False).head(shown), "pair-right", brief
                )
        with st.container(horizontal=True):
            st.button(
                f"All {len(mistaken):,} mistakes", on_click=_to_mistakes, args=(pair.label, pair.prediction)
            )
            browse_link(info, mistaken)
    product_dialog.open_linked(info, rows)


def _to_mistakes(label: str, said: str) -> None:
    st.session_state["label"], st.session_state["said"] = label, said
    st.session_state["part"] = "Mistakes"
