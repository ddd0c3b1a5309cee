"""The commonest function words of the languages that GLAMI-1M and MEP-3M hold, and of English."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache

from core.settings import ASSETS


@cache
def stop_words() -> dict[str, frozenset[str]]:
    """BCP-47 language -> lower-case words."""
    lists = json.loads((ASSETS / "stopwords.json").read_text(encoding="utf-8"))
    return {language: frozenset(words.split()) for language, words in lists.items()}


def of_languages(languages: Iterable[str]) -> frozenset[str]:
    """The stop words of several languages together; a language without a list adds none."""
    return frozenset().union(*(stop_words().get(language, frozenset()) for language in languages))
