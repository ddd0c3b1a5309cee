"""What a new run does about long tails and noisy labels."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.labels.noise import NOISES
from core.labels.tail import TAILS
from pages.resources import products

NAMES = {
    "none": "Plain training", "logit-adjustment": "Logit adjustment", "balanced-softmax": "Balanced softmax",
    "sampling": "Class-balanced sampling", "post-hoc": "Logit adjustment, post hoc", "crt": "Last layer again (cRT)",
    "tau-norm": "Tau-normalisation", "scales": "Learned scales", "weights": "Weigh machine labels less",
    "finetune": "Fine-tune on human labels", "forward": "Forward correction", "drop": "Drop suspicious labels",
    "relabel": "Relabel suspicious labels",
}  # fmt: skip


def options(info: DatasetInfo, human_only: bool) -> list[str]:
    """The trainer's options --tail and --noise, asked for in two columns.

    Args:
        human_only: no machine label is trained on, so that there is nothing to do about them.
    """
    left, right = st.columns(2, vertical_alignment="bottom")
    tail = left.selectbox(
        "Long tail", list(TAILS), format_func=NAMES.__getitem__, key="new-tail",
        help="What is done for rare classes. Label remedies shows what each changed when it was tried.",
    )  # fmt: skip
    found = [] if tail in (None, "none") else ["--tail", str(tail)]
    both = {"human", "machine"} <= set(products.filter_choices(info.name)["label_kind"])
    if both and not human_only:
        noise = right.selectbox(
            "Machine labels", list(NOISES), format_func=NAMES.__getitem__, key="new-noise",
            help="What is done about labels that no person gave.",
        )  # fmt: skip
        found += [] if noise in (None, "none") else ["--noise", str(noise)]
    return found
