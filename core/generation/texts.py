"""The text encoders that a generator reads: tokens of a frozen encoder, never trained with it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from core.embeddings.clip import QUERY_CHARACTERS, encoder
from core.embeddings.encoders import TEXT_ENCODERS, TextConfig, TextEncoder
from core.embeddings.lite_clip import TOKENIZER, Pieces, read_config, tensors_of
from core.embeddings.pretrained import keep_pieces, load_text_weights
from core.errors import ModelError

AT_ONCE = 256  # texts encoded at a time


class TextReader(Protocol):
    """Texts to token vectors."""

    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """(tokens [n, length, width] float32, mask [n, length] bool); padding is zero."""
        ...


class LiteReader:
    """The pieces of the bundled clip-lite, each as the vector that it adds to a text's."""

    def __init__(self, length: int) -> None:
        folder = encoder("clip-lite").folder or Path()
        config, tensors = read_config(folder), tensors_of(folder)
        self._length = length
        self._pieces = Pieces(folder / TOKENIZER, length)
        self._table = tensors["text.pieces.weight"].float() @ tensors["text.outer.weight"].float().T
        if self._table.shape != (config.vocabulary, config.dimensions):
            raise ModelError("The weights of clip-lite are of another model.")

    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        numbers = torch.zeros(len(texts), self._length, dtype=torch.long)
        found = self._pieces([text[:QUERY_CHARACTERS] for text in texts]).long()
        if found.numel():
            numbers[:, : found.shape[1]] = found
        mask = numbers != 0
        return self._table[numbers] * mask[..., None], mask


class Mt5Reader:
    """mT5-small's last hidden states, as GLAMI-1M computed them; from a folder with its weights."""

    def __init__(self, length: int, folder: Path) -> None:
        self._length = length
        with tempfile.TemporaryDirectory() as kept:
            self._tokenizer = keep_pieces(folder / "spiece.model", Path(kept) / "tokenizer.json")
        config = TEXT_ENCODERS["mt5-small"]
        if not isinstance(config, TextConfig):
            raise ModelError("mt5-small is no encoder of tokens.")
        self._encoder = TextEncoder(config).eval()
        load_text_weights(self._encoder, folder)

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        numbers, there = self._tokenizer.encode([text[:QUERY_CHARACTERS] for text in texts], self._length)
        mask = torch.from_numpy(there)
        found = self._encoder(torch.from_numpy(numbers), mask)
        return found.reshape(len(texts), self._length, -1), mask


def text_reader(name: str, length: int, folder: Path | None = None) -> TextReader:
    """
    Args:
        length: tokens of a text; longer texts are cut.
        folder: of mT5's weights, `model.safetensors` and `spiece.model`.

    Raises:
        ModelError: there is no such encoder, or its weights are missing or damaged.
    """
    if name == "clip-lite":
        return LiteReader(length)
    if name == "mt5-small":
        if folder is None:
            raise ModelError(
                "This generator reads mT5-small: give the folder of its weights (--text-weights DIR, with "
                "model.safetensors and spiece.model)."
            )
        return Mt5Reader(length, folder)
    raise ModelError(f"There is no text encoder {name!r} for generation.")
