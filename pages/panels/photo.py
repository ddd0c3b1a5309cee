"""A picture input whose file is opened by us alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr


def photo(label: str = "Picture", **options: Any) -> gr.Image:
    """A gr.Image that hands on the uploaded file's path, unopened.

    gr.Image decodes whatever was uploaded, without a bound on its pixels and with errors of its own;
    core.images.pictures.decode has the bounds and says what is wrong. The method is set on the instance: for a
    subclass Gradio would write a .pyi file into this folder.
    """
    made = gr.Image(label=label, type="filepath", sources=["upload", "clipboard", "webcam"], **options)
    made.preprocess = _path  # type: ignore[method-assign]
    return made


def _path(payload: Any) -> str | None:
    """The file's path; None without a picture."""
    if payload is None:
        return None
    if not payload.path or not Path(payload.path).is_file():
        raise gr.Error("The upload failed. Send the picture again.", print_exception=False)
    return str(payload.path)
