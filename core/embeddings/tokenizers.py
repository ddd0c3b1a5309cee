"""Open any of the tokenizers."""

from __future__ import annotations

from pathlib import Path

from core.embeddings.ngrams import NgramTokenizer
from core.embeddings.pretrained import PieceTokenizer
from core.embeddings.tokens import Tokenizer
from core.embeddings.words import WordTokenizer
from core.errors import ModelError

AnyTokenizer = Tokenizer | WordTokenizer | NgramTokenizer | PieceTokenizer


def open_tokenizer(path: Path) -> AnyTokenizer:
    """Open a tokenizer of any kind, recognised by the start of its file.

    Raises:
        ModelError: the file is missing or not a tokenizer.
    """
    try:
        with path.open(encoding="utf-8") as file:
            head = file.read(20)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is missing or is not a tokenizer: {error}.") from error
    if head.startswith('{"words":'):
        return WordTokenizer(path)
    if head.startswith('{"ngrams":'):
        return NgramTokenizer(path)
    if head.startswith('{"sentencepiece":'):
        return PieceTokenizer(path)
    return Tokenizer(path)
