"""Texts as shops and their visitors write them, with where each points: what the text half of the CLIP learns from."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.demo import words
from core.demo.looks import COLOURS, KINDS, Look
from core.embeddings.colours import PROTOTYPES
from trainers.captions import CHINESE, LANGUAGES, Subject, _chinese, _worn, query
from trainers.lite_space import MORE_COLOURS
from trainers.vocabulary import Concept

# The taxonomy's columns as sections of the lexicon.
SECTIONS = {
    "bg-BG": "bg", "cs": "cz", "el": "gr", "es": "es", "hr-HR": "hr", "hu": "hu", "lt-LT": "lt", "ro-RO": "ro",
    "sk-SK": "sk", "sl-SI": "si", "tr": "tr", "zh-CN": CHINESE, "en": "en",
}  # fmt: skip
FOR = (
    "men's",
    "women's",
    "mens",
    "womens",
    "men",
    "women",
    "for men",
    "for women",
    "unisex",
    "girls",
    "boys",
    "kids",
    "baby",
)
NEUTRAL = (
    "new", "classic", "slim fit", "regular fit", "casual", "printed", "solid", "cotton", "leather", "premium", "set of 2",
    "pack of 3", "small", "large", "XL", "round neck", "long sleeve", "sports", "summer", "winter", "original",
)  # fmt: skip
WORN, CALLED, LEAVES, PHOTOS = (
    0.48,
    0.14,
    0.28,
    0.1,
)  # of the texts: kinds of the lexicon, other anchors, taxonomy, photos


@dataclass(frozen=True)
class Pointed:
    """A text and the parts of where it points; a part that it does not say is 0."""

    text: str
    meaning: NDArray[np.float32]
    colour: NDArray[np.float32] | None = None
    extra: NDArray[np.float32] | None = None  # a pattern, in the space of meanings


@dataclass
class Texts:
    """Draws texts; the same for the same state of `rng`."""

    worn: Mapping[str, Concept]  # kinds of the lexicon
    called: Sequence[Concept]  # ImageNet's classes and other anchors, in English
    leaves: Sequence[Concept]  # of the taxonomy
    photos: Sequence[tuple[Subject, NDArray[np.float32]]]  # and where their category lies
    colours: Mapping[str, NDArray[np.float32]]
    patterns: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def draw(self, rng: random.Random) -> Pointed:
        at = rng.random()
        if at < WORN:
            return self._worn(rng)
        if at < WORN + CALLED:
            concept = rng.choice(self.called)
            return self._in_english(rng.choice(concept.names["en"]), concept.target, rng)
        if at < WORN + CALLED + LEAVES or not self.photos:
            return self._leaf(rng)
        subject, target = rng.choice(self.photos)
        said = [subject.name or "", subject.description or ""]
        return Pointed(
            " ".join(said if rng.random() < 0.6 else said[:1]).strip() or (subject.category or ""), target
        )

    def _worn(self, rng: random.Random) -> Pointed:
        kind = rng.choice(list(self.worn))
        concept = self.worn[kind]
        if rng.random() < 0.45:
            return self._in_english(rng.choice(concept.names["en"]), concept.target, rng)
        options, section = KINDS[kind], rng.choice(LANGUAGES)
        look = Look(
            kind, rng.choice(options.colours), rng.choice(options.patterns), rng.choice(options.materials), 0
        )
        how = rng.random()
        if how < 0.3:  # the word alone
            return Pointed(_worn(rng.choice(concept.names[section]), rng), concept.target)
        if section == CHINESE or how < 0.7:
            text = query(look, section, rng)
            said = _said(look, section)
            colour = self.colours[look.colour] if said[0] in text else None
            pattern = (
                self.patterns.get(look.pattern) if any(part and part in text for part in said[1:]) else None
            )
            return Pointed(_worn(text, rng), concept.target, colour, pattern)
        sold = words.product(look, rng)
        text = words.name(sold, section, rng)
        if how > 0.85:
            text += " " + words.description(sold, section, rng)[: rng.randrange(40, 240)]
        said = _said(look, section)
        colour = self.colours[look.colour] if said[0] in text else None
        pattern = self.patterns.get(look.pattern) if any(part and part in text for part in said[1:]) else None
        return Pointed(text, concept.target, colour, pattern)

    def _in_english(self, name: str, target: NDArray[np.float32], rng: random.Random) -> Pointed:
        """`Nike Men's Navy Blue Running Shoes`: brand, whose, colour, and what it is, some of them."""
        parts, colour = [_number(name, rng)], None
        if rng.random() < 0.5:
            colour = rng.choice([*COLOURS, *MORE_COLOURS])
            parts = [colour, *parts] if rng.random() < 0.7 else [*parts, colour]
        if rng.random() < 0.3:
            parts.insert(0, rng.choice(NEUTRAL))
        if rng.random() < 0.35:
            parts.insert(0 if rng.random() < 0.8 else len(parts), rng.choice(FOR))
        if rng.random() < 0.4:
            parts.insert(0, " ".join(_invented(rng) for _ in range(rng.randrange(1, 3))))
        return Pointed(" ".join(parts), target, self.colours[colour] if colour else None)

    def _leaf(self, rng: random.Random) -> Pointed:
        concept = rng.choice(self.leaves)
        language = rng.choice(list(concept.names))
        name = concept.names[language][0]
        if language == "en" and rng.random() < 0.5:
            return self._in_english(name, concept.target, rng)
        how, colour = rng.random(), None
        if how < 0.15:
            whole = concept.paths.get(language, name).replace(" > ", rng.choice((" – ", " > ", ", ")))
            name = (
                f"{name} {_invented(rng)} {rng.randrange(10_000):04d} {whole}"
                if rng.random() < 0.5
                else whole
            )
        elif how < 0.3:
            name = f"{_invented(rng)} {name}" if rng.random() < 0.5 else f"{name} {_invented(rng)}"
        elif how < 0.45:
            chosen = rng.choice(list(COLOURS))
            colour = self.colours[chosen]
            said = _colour(chosen, SECTIONS[language])
            name = f"{said} {name}" if rng.random() < 0.5 else f"{name} {said}"
        return Pointed(_worn(name, rng), concept.target, colour)


def _said(look: Look, section: str) -> tuple[str, str, str]:
    """How a look's colour and pattern are written, the pattern in two ways; "" for plain."""
    colour = _colour(look.colour, section)
    if look.pattern == "plain":
        return colour, "", ""
    if section == CHINESE:
        return colour, _chinese()["patterns"][look.pattern], ""
    lexicon = words.lexicon()[section]
    return colour, lexicon["patterns"][look.pattern], lexicon["with"][look.pattern]


def _colour(name: str, section: str) -> str:
    table = _chinese()["colours"] if section == CHINESE else words.lexicon()[section]["colours"]
    return str(table[name])


def _number(name: str, rng: random.Random) -> str:
    """Now and then one instead of several, or several instead of one, or other capitals."""
    draw = rng.random()
    if draw < 0.25 and " " not in name[-3:]:
        if name.endswith("ies"):
            name = name[:-3] + "y"
        elif name.endswith(("ches", "shes", "sses", "xes")):
            name = name[:-2]
        elif name.endswith("s") and not name.endswith("ss"):
            name = name[:-1]
        elif name.endswith("y") and name[-2:-1] not in "aeiou":
            name = name[:-1] + "ies"
        else:
            name += "es" if name.endswith(("ch", "sh", "ss", "x")) else "s"
    return name


SYLLABLES = [c + v for c in "bcdfghjklmnprstvwz" for v in "aeiou"] + [
    "an",
    "el",
    "or",
    "us",
    "ix",
    "en",
    "ar",
    "in",
]


def _invented(rng: random.Random) -> str:
    """A word of no meaning, as brands and models are."""
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randrange(2, 4))).capitalize()


def pointed(found: Sequence[Pointed], colour: float, extra: float) -> NDArray[np.float32]:
    """(n, d): meaning of length 1, a pattern added to it where it is said, and a colour beside it.

    Args:
        colour: length of a text's colour beside its meaning's 1.
        extra: of a pattern, likewise.
    """
    rows = np.zeros((len(found), len(found[0].meaning) + PROTOTYPES), np.float32)
    width = len(found[0].meaning)
    for row, each in enumerate(found):
        rows[row, :width] = each.meaning
        if each.extra is not None:
            rows[row, :width] += extra * each.extra
        if each.colour is not None:
            rows[row, width:] = colour * each.colour
    return rows
