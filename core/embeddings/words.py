"""Tokenize texts to words for networks over word vectors; Chinese is segmented by jieba."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.embeddings.tokens import PAD, TEXT_CHARACTERS, UNKNOWN
from core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

CHINESE = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"\w+")


def split_words(text: str) -> list[tuple[str, int]]:
    """Lower-cased words with their end offsets, without punctuation.

    >>> split_words("Red DRESS, 2023")
    [('red', 3), ('dress', 9), ('2023', 15)]
    """
    text = text[:TEXT_CHARACTERS]
    if CHINESE.search(text):
        import logging

        import jieba

        jieba.setLogLevel(logging.WARNING)
        cut = [(word, end) for word, _, end in jieba.tokenize(text)]
        return [(word.lower(), end) for word, end in cut if WORD.search(word)]
    return [(found[0].lower(), found.end()) for found in WORD.finditer(text)]


class WordTokenizer:
    """Maps known words to numbers; 0 is padding, 1 any other word."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            ModelError: the file is missing or not a list of words.
        """
        try:
            self.words: list[str] = json.loads(path.read_text(encoding="utf-8"))["words"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is missing or is not a list of words: {error}.") from error
        self._number_of = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, texts: Sequence[str], tokens: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Numbers of the first words, and the mask (false at padding): two (n, tokens) arrays."""
        numbers = np.zeros((len(texts), tokens), np.int64)
        for row, text in enumerate(texts):
            kept = [self._number_of.get(word, 1) for word, _ in split_words(text)[:tokens]]
            numbers[row, : len(kept)] = kept
        return numbers, numbers > 0

    def pieces(self, text: str, tokens: int) -> list[str]:
        """The words that `encode` reads."""
        return [word for word, _ in split_words(text)[:tokens]]

    def reads(self, text: str, tokens: int) -> int:
        """The number of characters that `encode` reads; the text's length if it is not truncated."""
        found = split_words(text)
        if len(found) <= tokens:
            return min(len(text), TEXT_CHARACTERS)
        return found[tokens - 1][1]


def train_words(
    texts: Iterable[str], vocabulary: int, vector: int, seed: int, path: Path
) -> tuple[WordTokenizer, Tensor]:
    """Train word vectors (gensim word2vec, skip-gram) and write the list of words.

    Args:
        vocabulary: maximum size, including padding and unknown; words must occur at least twice.

    Returns:
        The tokenizer, and (words, vector) float32 initial vectors; zeros for padding and unknown.
    """
    import torch
    from gensim.models import Word2Vec

    sentences = [[word for word, _ in split_words(text)] for text in texts]
    counts = Counter(word for sentence in sentences for word in sentence)
    ranked = sorted((word for word, n in counts.items() if n > 1), key=lambda word: (-counts[word], word))
    kept = ranked[: vocabulary - 2]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"words": [PAD, UNKNOWN, *kept]}, ensure_ascii=False), encoding="utf-8")
    vectors = torch.zeros(len(kept) + 2, vector)
    if kept:
        learned = Word2Vec(
            sentences, vector_size=vector, window=5, min_count=2, sg=1, epochs=10, workers=1, seed=seed + 1
        )
        vectors[2:] = torch.from_numpy(np.stack([learned.wv[word] for word in kept]))
    return WordTokenizer(path), vectors
