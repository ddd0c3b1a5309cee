"""Stop words of the languages in GLAMI-1M and MEP-3M, and of English."""

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
    """The union of the stop words of several languages; unknown languages have none."""
    return frozenset().union(*(stop_words().get(language, frozenset()) for language in languages))
