"""Languages: start a translation, in a process of its own; for whoever may compute, elsewhere the command."""

from __future__ import annotations

import streamlit as st

from core.catalog.info import DatasetInfo
from core.languages import translator
from core.languages.pairs import order_of
from pages import access
from pages.components.languages import choices
from pages.components.shared import background
from pages.resources import products


def show(info: DatasetInfo) -> None:
    """Countries, model and mode; the page shows the scores when it is done."""
    models = [name for name in (translator.bundled(), translator.COPY) if name]
    with st.popover("Translate"):
        if not access.may(access.COMPUTE):
            st.caption(f"Only {access.who(access.COMPUTE)} can start a translation.")
            return
        have = order_of([geo for geo in products.filter_choices(info.name)["geo"] if geo != "(none)"])
        source = st.multiselect("From", have, have[:1], format_func=choices.country, key="translate-from")
        target = st.multiselect("To", have, have[1:2], format_func=choices.country, key="translate-to")
        model = st.selectbox("Model", models, key="translate-model", format_func=_titled)
        mode = st.segmented_control(
            "Mode", translator.MODES, default="right", required=True, key="translate-mode"
        )
        st.caption("published: 32 tokens, every source tagged as English, Estonian for Spanish.")
        begun = st.button("Start", type="primary", key="translate-start", disabled=not (source and target))
    if begun:
        background.run(
            ["translate", info.name, "--from", ",".join(source), "--to", ",".join(target), "--model", model or models[0],
             "--mode", mode or "right"],
            counted="texts",
        )  # fmt: skip
        st.rerun()
    st.caption(
        f"Another model: `vitrine translate {info.name} --from cz --to sk --model FOLDER`, a folder of M2M100, NLLB or MarianMT."
    )


def _titled(name: str) -> str:
    return {"tiny": "tiny: comes with Vitrine", "copy": "copy: the source unchanged"}.get(name, name)
