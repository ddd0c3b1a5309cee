"""What the Train page can start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from trainers.presets import Choice


@st.cache_resource(show_spinner="Reading the trainers' presets")
def trainings() -> list[Choice]:
    """What can be trained. This imports torch: call it only where a training is set up."""
    from trainers.presets import choices

    return choices()
