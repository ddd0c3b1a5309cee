"""Load published weights from a local folder, without network access and without pickles."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.embeddings.encoders import ImageEncoder, TextEncoder
from core.embeddings.tokens import TEXT_CHARACTERS
from core.errors import ModelError
from core.training.checkpoints import load_weights, read_tensors

# Repositories of the presets' encoders. timm's files are safetensors; mT5's repository has a pickle, which must be
# converted to safetensors once by a user who trusts it.
PUBLISHED = {
    "resnext50_32x4d": "timm/resnext50_32x4d.tv_in1k",
    "vgg19": "timm/vgg19.tv_in1k",
    "inception_v3": "timm/inception_v3.tv_in1k",
    "tf_efficientnet_lite0": "timm/tf_efficientnet_lite0.in1k",
    "mt5": "google/mt5-small",
}
HEADS = ("fc.", "head.", "classifier.", "AuxLogits.")


def load_image_weights(encoder: ImageEncoder, path: Path) -> None:
    """Load timm's model.safetensors into an image encoder, without the last layer.

    Args:
        path: the file, or its folder.

    Raises:
        ModelError: it is missing, a pickle, or of another network.
    """
    path = path / "model.safetensors" if path.is_dir() else path
    tensors, _ = read_tensors(path)
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(HEADS)}
    load_weights(encoder.network, kept, path)


def load_text_weights(encoder: TextEncoder, folder: Path) -> None:
    """Load mT5's model.safetensors into a text encoder, without the decoder.

    Raises:
        ModelError: it is missing, a pickle, or of another size.
    """
    path = folder / "model.safetensors"
    tensors, _ = read_tensors(path)
    kept = {
        name.removeprefix("encoder."): tensor
        for name, tensor in tensors.items()
        if name.startswith("encoder.")
    }
    if "shared.weight" in tensors:
        kept.setdefault("embed_tokens.weight", tensors["shared.weight"])
    load_weights(encoder.encoder, kept, path)


class PieceTokenizer:
    """mT5's SentencePiece model, stored in a JSON file: 0 is padding, 1 the end token, 2 unknown."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            ModelError: the file is missing or not a SentencePiece model.
        """
        import sentencepiece

        try:
            model = base64.b64decode(json.loads(path.read_text(encoding="utf-8"))["sentencepiece"])
            self._inner = sentencepiece.SentencePieceProcessor(model_proto=model)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise ModelError(f"{path} is missing or is not a SentencePiece model: {error}.") from error

    def __len__(self) -> int:
        return int(self._inner.get_piece_size())

    def encode(self, texts: Sequence[str], tokens: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Token numbers with the end token, padded and truncated to `tokens`, and the mask (false at padding)."""
        numbers = np.zeros((len(texts), tokens), np.int64)
        mask = np.zeros((len(texts), tokens), np.bool_)
        for row, text in enumerate(texts):
            kept = [*self._inner.encode(text[:TEXT_CHARACTERS])[: tokens - 1], 1]
            numbers[row, : len(kept)], mask[row, : len(kept)] = kept, True
        return numbers, mask

    def pieces(self, text: str, tokens: int) -> list[str]:
        """The tokens of `encode` as text, without the end token."""
        found = self._inner.encode(text[:TEXT_CHARACTERS], out_type=str)[: tokens - 1]
        return [piece.replace("▁", "") for piece in found]

    def reads(self, text: str, tokens: int) -> int:
        """The number of characters that `encode` reads; the text's length if it is not truncated."""
        found = self._inner.encode(text[:TEXT_CHARACTERS])
        if len(found) < tokens:
            return min(len(text), TEXT_CHARACTERS)
        return len(self._inner.decode(found[: tokens - 1]))


def keep_pieces(model: Path, path: Path) -> PieceTokenizer:
    """Store a SentencePiece model (spiece.model) as the tokenizer of a run.

    Raises:
        ModelError: the file is missing.
    """
    try:
        data = model.read_bytes()
    except OSError as error:
        raise ModelError(f"There is no SentencePiece model at {model} ({error.strerror}).") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"sentencepiece":' + json.dumps(base64.b64encode(data).decode()) + "}", encoding="utf-8")
    return PieceTokenizer(path)
