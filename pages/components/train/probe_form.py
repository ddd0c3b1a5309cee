"""What a new linear probe is asked for: whose vectors it reads."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog.info import DatasetInfo
from pages.components.shared.markdown import plain
from pages.components.train import remedies_form
from pages.resources import products, search

TITLE = "Linear probe"
READS = {"image": "Pictures", "text": "Texts", "both": "Texts and pictures"}
LABELS = ("All labels", "Human labels")


def options(info: DatasetInfo, beside: Any) -> list[str] | None:
    """The trainer's options; None where the dataset has no vectors, which it then says.

    Args:
        beside: the column that the choice of vectors stands in.
    """
    sets = [name for name, _ in search.vector_sets(info)]
    bases = list(dict.fromkeys(name.removesuffix(".text") for name in sets))
    if not bases:
        st.info(
            plain(f"A probe reads vectors, and {info.name} has none. Compute them: vitrine embed {info.name}")
        )
        return None
    vectors = beside.selectbox("Vectors", bases, key="new-vectors")
    ways = [way for way, needed in _needed(vectors).items() if set(needed) <= set(sets)]
    st.caption("A logistic regression on vectors that are there already; the encoder itself is not trained.")
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    reads = left.selectbox("Reads", ways, format_func=READS.__getitem__, key=f"new-reads-{vectors}")
    human = "human" in products.filter_choices(info.name)["label_kind"]
    labels = middle.selectbox("Labels", LABELS if human else LABELS[:1], key="new-probe-labels")
    seed = right.number_input(
        "Seed", 0, 2**31 - 1, 0, key="new-probe-seed", help="The same seed gives the same run"
    )
    found = ["--dataset", info.name, "--vectors", vectors, "--reads", reads]
    if labels == LABELS[1]:
        found.append("--human-only")
    with st.expander("More settings"):
        found += remedies_form.options(info, labels == LABELS[1])
    return [*found, "--seed", str(seed)] if seed else found


def _needed(vectors: str) -> dict[str, tuple[str, ...]]:
    """The sets of vectors that each way of reading needs."""
    image, text = vectors, f"{vectors}.text"
    return {"image": (image,), "text": (text,), "both": (image, text)}
