"""Load encoders with their weights; a cache is shared by pages, panels and models."""

from __future__ import annotations

import threading
from functools import lru_cache

from core.embeddings.clip import LITE, WEIGHTS, Encoder, EncoderSpec, encoder

_loading = threading.Lock()  # concurrent requests load an encoder once


def load_encoder(spec: EncoderSpec, device: str | None = None) -> Encoder:
    """
    Args:
        device: `cpu` or `cuda`; None uses an accelerator if available.

    Raises:
        ModelError: the weights are missing, truncated, or no model of open_clip's or Vitrine's.
    """
    if not spec.takes_texts:
        from core.embeddings.pictures_only import PictureEncoder  # torch

        return PictureEncoder(spec, device)
    if spec.folder is not None and (spec.folder / LITE).is_file():
        from core.embeddings.lite_clip import LiteEncoder  # torch

        return LiteEncoder(spec, device)
    return Encoder(spec, device)


@lru_cache(maxsize=4)
def _loaded(name: str, written: int) -> Encoder:
    """
    Args:
        written: when its weights were, in nanoseconds: a run of the same name may be trained again.
    """
    return load_encoder(encoder(name))


def loaded_encoder(name: str) -> Encoder:
    """Load an encoder by name; the four most recently used stay in memory.

    Raises:
        ModelError: there is no such encoder, or its weights are missing or damaged.
    """
    with _loading:
        folder = encoder(name).folder
        try:
            written = (folder / WEIGHTS).stat().st_mtime_ns if folder is not None else 0
        except OSError:  # its loading says what is missing
            written = 0
        return _loaded(name, written)
