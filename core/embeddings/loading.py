"""Encoders of the list, loaded with their weights: each once, for pages, panels and models alike."""

from __future__ import annotations

import threading
from functools import lru_cache

from core.embeddings.clip import WEIGHTS, Encoder, EncoderSpec, encoder

_loading = threading.Lock()  # two visitors who ask at once wait for one encoder, and do not load two


def load_encoder(spec: EncoderSpec, device: str | None = None) -> Encoder:
    """
    Args:
        device: `cpu`, `cuda`; None takes an accelerator where there is one.

    Raises:
        ModelError: the weights are not here, cut short, or no model of open_clip's.
    """
    if not spec.takes_texts:
        from core.embeddings.pictures_only import PictureEncoder  # torch

        return PictureEncoder(spec, device)
    return Encoder(spec, device)


@lru_cache(maxsize=4)
def _loaded(name: str, written: int) -> Encoder:
    """
    Args:
        written: when its weights were, in nanoseconds: a run of the same name may be trained again.
    """
    return load_encoder(encoder(name))


def loaded_encoder(name: str) -> Encoder:
    """The encoder of that name; the four used last stay in memory.

    Raises:
        ModelError: there is no such encoder, or its weights are missing or broken.
    """
    with _loading:
        folder = encoder(name).folder
        try:
            written = (folder / WEIGHTS).stat().st_mtime_ns if folder is not None else 0
        except OSError:  # its loading says what is missing
            written = 0
        return _loaded(name, written)
