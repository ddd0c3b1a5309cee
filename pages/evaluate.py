"""How good a classifier is, where it fails, and what the papers report beside it."""

from __future__ import annotations

import streamlit as st

from core.evaluation import cache
from core.evaluation.charts import subject
from pages.components.evaluate import evaluation_form, evaluation_parts
from pages.components.shared import filter_bar, page_head
from pages.components.shared.markdown import plain

page_head.show(
    "Evaluate",
    "Metrics of a model, its errors, and published results for comparison.",
)
specs = evaluation_form.models()
if not specs:
    evaluation_form.show_no_model()
    st.stop()

evaluation_form.choose_default_dataset(specs)
info = filter_bar.choose_dataset()
cohort = filter_bar.carried(
    info,
    "Figures and charts are of the whole split, where each class has enough products. One line below them, Mistakes and "
    "Compare are of these products alone.",
)
spec = evaluation_form.choose_model(specs, info)
choice = evaluation_form.choose(spec, info)
found = cache.find(spec, choice) or evaluation_form.offer(spec, info, choice)
if found is None:
    evaluation_parts.show_papers_alone()
    st.stop()
st.markdown(f"**{plain(subject(found))}**")
if found.shipped:
    st.caption(
        "Shipped with Vitrine: these products as another machine drew them. `vitrine prepare` evaluates them here."
    )
evaluation_parts.show(info, spec, found, specs, cohort)
