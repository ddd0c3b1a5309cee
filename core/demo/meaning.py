"""What a sentence asks for among drawn products: kinds, colours, patterns, materials, by the lexicon's words.

For whoever shows which results of a search are right. It reads words, not grammar: endings may differ by two letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from core.demo import words

SHORTEST = 4  # letters that two forms of a word share at least
ENDING = 2  # letters that they may differ by
COMMON = 0.2  # of all kinds: a word of more of them ("women's") says no kind
LONGEST = 500  # characters of a sentence that are read


@dataclass(frozen=True)
class Wanted:
    """Empty sets ask for nothing."""

    kinds: frozenset[str]
    colours: frozenset[str]
    patterns: frozenset[str]
    materials: frozenset[str]

    def fits(self, look: Mapping[str, Any]) -> bool:
        """Is a drawn product what was asked for?

        Args:
            look: its kind, colour, pattern and material, as truth.parquet has them.
        """
        return all(
            not wanted or look[name] in wanted
            for name, wanted in (
                ("kind", self.kinds), ("colour", self.colours), ("pattern", self.patterns), ("material", self.materials),
            )
        )  # fmt: skip


def wanted(text: str) -> Wanted | None:
    """What a sentence asks for, in the language whose words it has most of; None where it names no kind.

    >>> found = wanted("Black and white striped sneaker.")
    >>> sorted(found.kinds), sorted(found.colours), sorted(found.patterns)
    (['mens-sneakers', 'womens-sneakers'], ['black', 'white'], ['stripes'])
    """
    asked = tokens(text[:LONGEST])
    read = [_read(section, asked) for section in words.SECTIONS]
    counts = [count for count, _ in read]
    best = max(counts, default=0)
    found = [one for count, one in read if count == best and one.kinds]
    if not best or not found:
        return None
    return Wanted(
        *(frozenset().union(*(getattr(one, name) for one in found)) for name in Wanted.__dataclass_fields__)
    )


def tokens(text: str) -> list[str]:
    """Words without accents, small; an apostrophe's ending falls off."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return [word.removesuffix("'s") for word in re.findall(r"[\w']+", plain)]


def same_word(a: str, b: str) -> bool:
    """
    >>> same_word("striped", "stripes"), same_word("red", "reed"), same_word("cervene", "cervena")
    (True, False, True)
    """
    if a == b:
        return True
    shared = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return shared >= max(SHORTEST, max(len(a), len(b)) - ENDING)


def _read(section: str, asked: Collection[str]) -> tuple[int, Wanted]:
    """How many of a sentence's words a language has, and what they ask for."""
    kinds, others = _vocabulary(section)
    used: set[str] = set()
    scores: dict[str, int] = {}
    for word in asked:
        hit = [kind for kind, has in kinds.items() if any(same_word(word, one) for one in has)]
        if hit:
            used.add(word)
            if len(hit) <= COMMON * len(kinds):
                for kind in hit:
                    scores[kind] = scores.get(kind, 0) + 1
    most = max(scores.values(), default=0)
    # A word that says little ("women's") still decides between kinds that another word has found.
    best = {kind for kind, score in scores.items() if score == most}
    narrowed = {
        kind
        for kind in best
        if all(any(same_word(word, one) for one in kinds[kind]) for word in asked if _gender(word, kinds))
    }
    found = {name: _named(asked, table, used) for name, table in others.items()}
    return len(used), Wanted(frozenset(narrowed), found["colours"], found["patterns"], found["materials"])


def _gender(word: str, kinds: Mapping[str, frozenset[str]]) -> bool:
    """Is it a word of many kinds?"""
    hit = sum(any(same_word(word, one) for one in has) for has in kinds.values())
    return hit > COMMON * len(kinds)


def _named(asked: Collection[str], table: Mapping[str, tuple[str, ...]], used: set[str]) -> frozenset[str]:
    """The keys of a table one of whose words stands in the sentence."""
    found = set()
    for key, has in table.items():
        for word in asked:
            if any(same_word(word, one) for one in has):
                found.add(key)
                used.add(word)
    return frozenset(found)


@cache
def _vocabulary(section: str) -> tuple[dict[str, frozenset[str]], dict[str, dict[str, tuple[str, ...]]]]:
    """A language's words: of each kind, and of each colour, pattern and material."""
    lexicon = words.lexicon()[section]
    kinds = {kind: frozenset(_all(nouns)) for kind, nouns in lexicon["kinds"].items()}
    patterns = {key: (lexicon["patterns"][key], lexicon["with"].get(key, "")) for key in lexicon["patterns"]}
    joining = set(tokens(" ".join(lexicon["with"].values())))
    common = {word for word in joining if sum(word in tokens(text) for text in lexicon["with"].values()) > 1}
    return kinds, {
        "colours": {key: tuple(_all([value])) for key, value in lexicon["colours"].items()},
        "patterns": {
            key: tuple(word for word in _all(both) if word not in common) for key, both in patterns.items()
        },
        "materials": {key: tuple(_all([value])) for key, value in lexicon["materials"].items()},
    }


def _all(texts: Iterable[str]) -> list[str]:
    return [word for text in texts for word in tokens(text) if len(word) > 1]
