"""The plainest translators, which a model must beat: the source unchanged, and word by word from a learned lexicon."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile(r"\w+|[^\w\s]")


class Lexicon:
    """Each word becomes the word that it occurs with most exclusively; unknown words stay.

    Source: Melamed 2000, "Models of translational equivalence among words": Dice's coefficient of co-occurrence.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], least: int = 2) -> None:
        """
        Args:
            pairs: texts of the source language with their counterparts.
            least: pairs that a word and its translation must share.
        """
        source: Counter[str] = Counter()
        target: Counter[str] = Counter()
        both: Counter[tuple[str, str]] = Counter()
        for one, other in pairs:
            here, there = (set(_WORD.findall(text.lower())) for text in (one, other))
            source.update(here)
            target.update(there)
            both.update((word, counterpart) for word in here for counterpart in there)
        best: dict[str, tuple[float, str]] = {}
        for (word, counterpart), together in both.items():
            dice = 2 * together / (source[word] + target[counterpart])
            if together >= least and (dice, counterpart) > best.get(word, (0.0, "")):
                best[word] = (dice, counterpart)
        self.words = {word: counterpart for word, (_, counterpart) in best.items()}

    def translate(self, text: str) -> str:
        """
        >>> Lexicon([("červené šaty", "red dress"), ("šaty", "dress")] * 2).translate("Červené šaty 41.")
        'Red dress 41.'
        """
        return _WORD.sub(self._word, text)

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        counterpart = self.words.get(word.lower(), word)
        return counterpart.capitalize() if word[:1].isupper() and counterpart != word else counterpart
