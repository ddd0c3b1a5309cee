"""Tokenize texts to character n-grams for TF-IDF, in any language and script."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.embeddings.tokens import TEXT_CHARACTERS
from core.errors import ModelError

SHORTEST, LONGEST = 2, 4  # characters, within a word padded by spaces


def ngrams(text: str) -> Iterator[str]:
    """N-grams of each lower-cased word, as scikit-learn's `char_wb`.

    >>> list(ngrams("Hat"))
    [' h', 'ha', 'at', 't ', ' ha', 'hat', 'at ', ' hat', 'hat ']
    """
    for word in text[:TEXT_CHARACTERS].lower().split():
        padded = f" {word} "
        for length in range(SHORTEST, LONGEST + 1):
            for at in range(max(1, len(padded) - length + 1)):
                yield padded[at : at + length]
            if len(padded) <= length:
                break


class NgramTokenizer:
    """Maps n-grams to numbers from 1; unknown n-grams are skipped, 0 is padding."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            ModelError: the file is missing or not a list of n-grams.
        """
        try:
            self.known: list[str] = json.loads(path.read_text(encoding="utf-8"))["ngrams"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is missing or is not a list of n-grams: {error}.") from error
        self._number_of = {ngram: number for number, ngram in enumerate(self.known, 1)}

    def __len__(self) -> int:
        return len(self.known) + 1

    def encode(self, texts: Sequence[str], tokens: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Numbers of the first known n-grams, and the mask (false at padding): two (n, tokens) arrays."""
        numbers = np.zeros((len(texts), tokens), np.int64)
        for row, text in enumerate(texts):
            found = [self._number_of[ngram] for ngram in ngrams(text) if ngram in self._number_of][:tokens]
            numbers[row, : len(found)] = found
        return numbers, numbers > 0

    def pieces(self, text: str, tokens: int) -> list[str]:
        """The words of a text."""
        return text[:TEXT_CHARACTERS].lower().split()[:tokens]

    def reads(self, text: str, tokens: int) -> int:
        """The number of characters that are read, up to a whole word; the text's length if it is not truncated."""
        left, read = tokens, 0
        for word in text[:TEXT_CHARACTERS].split():
            left -= sum(ngram in self._number_of for ngram in ngrams(word))
            if left < 0:
                return read
            read = text.index(word, read) + len(word)
        return min(len(text), TEXT_CHARACTERS)


def train_ngrams(texts: Iterable[str], vocabulary: int, path: Path) -> NgramTokenizer:
    """Select the n-grams with the highest document frequency, at least 2, and write the list."""
    counts = Counter(ngram for text in texts for ngram in set(ngrams(text)))
    ranked = sorted((ngram for ngram, n in counts.items() if n > 1), key=lambda gram: (-counts[gram], gram))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"ngrams": ranked[: vocabulary - 1]}, ensure_ascii=False, separators=(",", ":")), "utf-8"
    )
    return NgramTokenizer(path)
