"""An encoder of the list, loaded with its weights."""

from __future__ import annotations

from core.embeddings.clip import Encoder, EncoderSpec


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
