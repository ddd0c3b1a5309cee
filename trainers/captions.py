"""Generate captions and queries of products in fifteen languages, to train a retriever.

The look of a drawn product (kind, colour, pattern, material) is known and can be described in any language of the
lexicon; a photo has its own texts and, if labelled by a human, its category.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from core.demo import words
from core.demo.looks import Look
from core.settings import ASSETS

CHINESE = "zh"
LANGUAGES = (*words.SECTIONS, CHINESE)

# Kinds of the lexicon that match a photo's category.
KINDS_OF_CATEGORY: Mapping[str, Sequence[str]] = {
    "t-shirt": ("mens-t-shirts", "womens-t-shirts"),
    "pants": ("mens-trousers", "womens-trousers"),
    "shoes": ("mens-sneakers", "womens-sneakers"),
    "dress": ("womens-dresses",),
    "shirt": ("mens-shirts",),
    "outwear": ("mens-jackets", "womens-jackets"),
    "shorts": ("mens-shorts", "womens-shorts"),
    "skirt": ("womens-skirts",),
    "hat": ("hats", "caps"),
    "polo": ("mens-polo-shirts",),
    "hoodie": ("mens-hoodies", "womens-hoodies"),
    "blouse": ("womens-blouses-and-shirts",),
    "undershirt": ("womens-tank-tops",),
    "top": ("womens-tank-tops",),
}


@dataclass(frozen=True)
class Subject:
    """The data of a picture for its captions."""

    name: str | None
    description: str | None
    category: str | None = None  # if labelled by a human
    look: Look | None = None  # of a drawn product


@cache
def _chinese() -> dict[str, Any]:
    with (ASSETS / "demo" / "chinese.toml").open("rb") as file:
        return tomllib.load(file)


def caption(subject: Subject, rng: random.Random) -> str:
    """A random caption of a picture, determined by the state of `rng`."""
    draw = rng.random()
    if subject.look is not None and draw > 0.3:
        section = rng.choice(LANGUAGES)
        if draw < 0.5 and section != CHINESE:
            return _worn(words.name(words.product(subject.look, rng), section, rng), rng)
        return _worn(query(subject.look, section, rng), rng)
    if subject.category is not None and (draw > 0.45 or not subject.name):
        kinds = KINDS_OF_CATEGORY.get(subject.category)
        if kinds and rng.random() < 0.85:
            return _worn(_noun(rng.choice(list(kinds)), rng.choice(LANGUAGES), rng), rng)
        return subject.category
    own = subject.name or ""
    if subject.description and (not own or rng.random() < 0.6):
        own = f"{own} {subject.description}".strip() if rng.random() < 0.7 else subject.description
    return own or subject.category or ""


def query(look: Look, section: str, rng: random.Random) -> str:
    """A query as typed by a user: the kind and some of colour, pattern and material, in random order.

    >>> query(Look("womens-dresses", "red", "plain", "cotton", 0), "en", random.Random(3))
    "cotton women's dress red"
    """
    noun = _noun(look.kind, section, rng)
    if section == CHINESE:
        table = _chinese()
        parts = [table["colours"][look.colour]] if rng.random() < 0.7 else []
        if look.pattern != "plain" and rng.random() < 0.7:
            parts.append(table["patterns"][look.pattern])
        if rng.random() < 0.2:
            parts.append(table["materials"][look.material])
        rng.shuffle(parts)
        return "".join([*parts, noun]) if rng.random() < 0.7 else " ".join([noun, *parts])
    lexicon = words.lexicon()[section]
    if look.pattern != "plain" and rng.random() < 0.7:
        if rng.random() < 0.7:
            noun = lexicon["patterned"].format(kind=noun, **{"with": lexicon["with"][look.pattern]})
        else:
            noun = f"{noun} {lexicon['patterns'][look.pattern]}"
    others = []
    if rng.random() < 0.7:
        others.append(lexicon["colours"][look.colour])
    if rng.random() < 0.2:
        others.append(
            lexicon["materials"][words.WORN_MATERIALS.get((look.kind, look.material), look.material)]
        )
    rng.shuffle(others)
    before = [part for part in others if rng.random() < 0.5]
    after = [part for part in others if part not in before]
    return " ".join([*before, noun, *after])


def names_of_kind(kind: str) -> set[str]:
    """All names of a drawn kind: slug, nouns in all languages, sub-classes of the Chinese dataset."""
    chinese = _chinese()["kinds"][kind]
    platforms = [part.strip() for side in ("a", "b") for part in chinese[side].split(">")]
    nouns = [noun for section in words.SECTIONS for noun in words.lexicon()[section]["kinds"][kind]]
    return {kind, *nouns, *chinese["nouns"], *platforms}


def _noun(kind: str, section: str, rng: random.Random) -> str:
    nouns = (
        _chinese()["kinds"][kind]["nouns"] if section == CHINESE else words.lexicon()[section]["kinds"][kind]
    )
    return str(rng.choice(nouns))


def _worn(text: str, rng: random.Random) -> str:
    """Randomly drop the last letters of words, since adjectives are inflected but the lexicon's are not."""
    if rng.random() < 0.7:
        return text
    kept = []
    for word in text.split(" "):
        cut = rng.randrange(0, 3) if len(word) > 4 and rng.random() < 0.5 else 0
        kept.append(word[: len(word) - cut])
    return " ".join(kept)
