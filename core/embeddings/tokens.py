"""A tokenizer trained on the texts of a dataset, stored as a JSON file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError

PAD, UNKNOWN, END = "<pad>", "<unk>", "</s>"  # tokens 0, 1, 2
TEXT_CHARACTERS = 2_000  # read of a text: far more than any encoder uses


class Tokenizer:
    """Byte-pair encoding of lower-cased text; unknown characters are <unk>."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            ModelError: the file is missing or not a tokenizer.
        """
        import tokenizers

        try:
            self._inner = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises Exception
            raise ModelError(f"{path} is missing or is not a tokenizer: {error}.") from error

    def __len__(self) -> int:
        return int(self._inner.get_vocab_size())

    def encode(self, texts: Sequence[str], tokens: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Token numbers, and the mask (false at padding).

        Args:
            tokens: maximum length, including the end token.

        Returns:
            Two (n, tokens) arrays.
        """
        numbers = np.zeros((len(texts), tokens), np.int64)
        present = np.zeros((len(texts), tokens), np.bool_)
        cut = [text[:TEXT_CHARACTERS] for text in texts]
        for row, found in enumerate(self._inner.encode_batch(cut, add_special_tokens=False)):
            kept = found.ids[: tokens - 1] + [2]
            numbers[row, : len(kept)] = kept
            present[row, : len(kept)] = True
        return numbers, present

    def pieces(self, text: str, tokens: int) -> list[str]:
        """The tokens of `encode` as text, without the end token."""
        found = self._inner.encode(text[:TEXT_CHARACTERS], add_special_tokens=False)
        lowered = self._inner.normalizer.normalize_str(text[:TEXT_CHARACTERS])
        return [lowered[start:end].strip() for start, end in found.offsets[: tokens - 1]]

    def reads(self, text: str, tokens: int) -> int:
        """The number of characters that `encode` reads; the text's length if it is not truncated."""
        found = self._inner.encode(text[:TEXT_CHARACTERS], add_special_tokens=False)
        if len(found.ids) < tokens:
            return min(len(text), TEXT_CHARACTERS)
        return int(found.offsets[tokens - 2][1])


def train_tokenizer(texts: Iterable[str], vocabulary: int, path: Path) -> Tokenizer:
    """Train a tokenizer on `texts` and write it to `path`.

    The same texts in the same order give the same file.

    Args:
        vocabulary: maximum size, including the three special tokens.
    """
    import tokenizers
    from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

    inner = tokenizers.Tokenizer(models.BPE(unk_token=UNKNOWN))
    inner.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    inner.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Digits(True)])
    inner.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[PAD, UNKNOWN, END], min_frequency=2, show_progress=False
    )
    inner.train_from_iterator((text[:TEXT_CHARACTERS] for text in texts), trainer)
    path.parent.mkdir(parents=True, exist_ok=True)
    inner.save(str(path))
    return Tokenizer(path)
