"""Compare two evaluations of the same products: do they differ, and on which products?"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.evaluation import cache
from core.evaluation.cache import Evaluation
from core.evaluation.class_charts import class_names
from core.evaluation.comparison import compare, paired
from core.models.registry import ModelSpec
from pages.components.evaluate import mistakes
from pages.components.shared.markdown import plain
from pages.resources import evaluation

SURE = 0.05
OFFERED = 3  # other models, where nothing is there to compare with
WORDS = {
    "both": "picture and text", "picture": "picture alone", "text": "text alone", "all": "all labels",
    "human": "human labels", "glami": "GLAMI's tie rule", "fair": "fair ties",
}  # fmt: skip


def name_of(made: Evaluation, beside: Evaluation) -> str:
    """A name of an evaluation beside another: the model, and the choices in which the two differ."""
    words = [
        WORDS.get(value, value)
        for field in ("sees", "labels", "inference", "ties")
        if (value := str(getattr(made.choice, field))) != getattr(beside.choice, field)
    ]
    if made.choice.among != beside.choice.among:
        words.append("among the dataset's classes" if made.choice.among == "dataset" else "among all classes")
    if words and made.model == beside.model:
        return ", ".join(words)
    return f"{made.model} ({', '.join(words)})" if words else made.model


def show(
    info: DatasetInfo, spec: ModelSpec, found: Evaluation, specs: Sequence[ModelSpec], cohort: Cohort
) -> None:
    """McNemar's test between this evaluation and another on a cohort's products of the same split, and the products that
    only one got right."""
    if not mistakes.holds(info, found):
        return
    there = [
        made
        for _, made in cache.evaluations(list(specs), info.name)
        if made.choice.split == found.choice.split and made.path != found.path
    ]
    if not there:
        _say_nothing_there(info, spec, found, specs)
        return
    names = {name_of(made, found): made for made in there}
    chosen = st.selectbox("Compare with", list(names), key="against", bind="query-params")
    other = names[chosen or next(iter(names))]
    one, two = name_of(found, other), name_of(other, found)
    first, second = evaluation.predictions(found, cohort), evaluation.predictions(other, cohort)
    if first.empty:
        st.info(mistakes.evaluation_of_none(found))
        return
    figures = compare(first, second)
    _verdict(one, two, figures)
    both = paired(first, second)
    kinds = {
        f"Only “{one}”": both[both.correct_first & ~both.correct_second],
        f"Only “{two}”": both[~both.correct_first & both.correct_second],
    }
    titles = {f"{title} is correct ({len(table):,})": table for title, table in kinds.items()}
    picked = st.segmented_control(
        "Products",
        list(titles),
        default=next(iter(titles)),
        required=True,
        key=f"alone {other.path.name}",
        format_func=plain,
    )
    table = titles[picked or next(iter(titles))]
    if table.empty:
        st.info("No products.")
        return
    suffix = "_second" if table is kinds[f"Only “{one}”"] else "_first"
    st.caption(
        plain(f"What “{two if suffix == '_second' else one}” predicted instead, most confident first.")
    )
    mistakes.gallery(info, wrong_side(table, suffix), f"alone{suffix}", class_names(found))


def _say_nothing_there(
    info: DatasetInfo, spec: ModelSpec, found: Evaluation, specs: Sequence[ModelSpec]
) -> None:
    """What could be evaluated for a comparison, with links."""
    ways = [f"evaluate another model on the {found.choice.split} products of {plain(info.name)}"]
    if set(spec.inputs) >= {"text", "image"}:
        other = {"both": "the picture or the text alone", "picture": "the text", "text": "the picture"}
        ways.append(f"this one with {other[found.choice.sees]}")
    st.info(f"No other evaluation to compare with yet: {', or '.join(ways)}.")
    others = [one for one in specs if one.name != spec.name]
    fitting = [one for one in others if cache.training_dataset(one) == info.name]
    for one in (fitting or others)[:OFFERED]:
        address = {"dataset": info.name, "model": one.name, "evaluated": found.choice.split}
        st.link_button(plain(f"{one.title}: {one.name}"), f"evaluate?{urlencode(address)}", type="tertiary")
    if len(others) > OFFERED:
        st.caption("The sidebar lists all models.")


def wrong_side(table: pd.DataFrame, suffix: str) -> pd.DataFrame:
    """The columns of the evaluation that was wrong, under their own names."""
    own = {name: name.removesuffix(suffix) for name in table.columns if name.endswith(suffix)}
    found = table[["row_id", *own]].rename(columns=own)
    return found.sort_values(["probability", "row_id"], ascending=[False, True])


def _verdict(one: str, two: str, figures: dict[str, float]) -> None:
    """The difference, its interval, and whether it is significant."""
    columns = st.columns(4)
    columns[0].metric(plain(f"Top-1: {one}"), f"{100 * figures['top1_first']:.1f}%")
    columns[1].metric(plain(f"Top-1: {two}"), f"{100 * figures['top1_second']:.1f}%")
    columns[2].metric("Difference, points", f"{100 * figures['difference']:+.1f}")
    columns[3].metric("p, McNemar", f"{figures['p']:.2g}" if figures["p"] >= 1e-4 else "< 0.0001")
    low, high = 100 * figures["difference_low"], 100 * figures["difference_high"]
    likely = "a significant difference (p < 0.05)" if figures["p"] < SURE else "no significant difference"
    st.markdown(
        plain(
            f"Of {int(figures['n']):,} products in both evaluations, {int(figures['only_first']):,} are correct only with “{one}” and "
            f"{int(figures['only_second']):,} only with “{two}”: {likely}. The 95% interval of the difference in top-1 is {low:+.1f} to "
            f"{high:+.1f} points."
        )
    )
    st.caption(
        "McNemar's exact test uses the products on which only one is correct; under the null hypothesis they split "
        "evenly. The interval is Bonett and Price's for paired proportions. Ties are broken as GLAMI does; of sampled "
        "inference the first pass is compared."
    )
