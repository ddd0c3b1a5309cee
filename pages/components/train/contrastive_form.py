"""The part of a new run's form that contrastive training has alone: variant, start, towers, weights of the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.embeddings.clip import ENCODERS, run_encoders
from core.training.contrastive import VARIANTS

if TYPE_CHECKING:
    from trainers.presets import Choice

TRAINER, SCRATCH = "contrastive", "scratch"


def needs(choice: Choice) -> str:
    """A sentence on the hardware that a preset needs."""
    return str(getattr(choice.recipe, "needs", ""))


def variant(choice: Choice) -> str:
    """The variant that the form has now."""
    return str(st.session_state.get(f"new-variant-{choice.preset}") or choice.recipe.model.variant)


def options(choice: Choice) -> list[str]:
    """The options that differ from the preset."""
    model: Any = choice.recipe.model
    titles = {one.name: one.title for one in VARIANTS if one.loss != "none"}
    left, right = st.columns(2)
    name = left.selectbox(
        "Variant", list(titles), list(titles).index(model.variant), format_func=titles.__getitem__,
        key=f"new-variant-{choice.preset}", help="Numbers are those of the incorrect-pairs paper",
    )  # fmt: skip
    known = {spec.name: spec.title for spec in [*ENCODERS, *run_encoders()] if spec.takes_texts}
    known[SCRATCH] = "Random weights"
    start = right.selectbox(
        "Start from", list(known), list(known).index(model.start), format_func=known.__getitem__,
        key=f"new-start-{choice.preset}",
    )  # fmt: skip
    given = ["--variant", name] if name != model.variant else []
    given += ["--start", start] if start != model.start else []
    trained = start == SCRATCH or st.checkbox(
        "Train the picture tower too", model.train_image, key=f"new-image-{choice.preset}",
        help="Otherwise it is frozen: every picture is encoded once, and a step takes a fraction of the time",
    )  # fmt: skip
    if trained != model.train_image:
        given.append("--train-image" if trained else "--no-train-image")
    pairs = next(one for one in VARIANTS if one.name == name).negatives != "none"
    if not pairs:
        return given
    with st.expander("Incorrect pairs"):
        left, middle, right = st.columns(3, vertical_alignment="bottom")
        for column, option, label in ((left, "alpha", "Weight of correct pairs"), (middle, "beta", "Weight of incorrect pairs")):  # fmt: skip
            before = float(getattr(model, option))
            value = column.number_input(
                label, 0.0, 100.0, before, 0.1, format="%g", key=f"new-{option}-{choice.preset}"
            )
            if value != before:
                given += [f"--{option}", f"{value:g}"]
        clusters = right.number_input(
            "Clusters", 2, 1_000, model.clusters, key=f"new-clusters-{choice.preset}"
        )
        if clusters != model.clusters:
            given += ["--clusters", str(clusters)]
    return given
