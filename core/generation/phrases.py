"""What a phrase asks for among the kinds that the bundled generator was taught, and the phrase in other languages."""

from __future__ import annotations

from dataclasses import dataclass

from core.demo import words
from core.demo.looks import KINDS
from core.demo.meaning import Wanted, same_word, tokens, wanted
from core.demo.parameters import POPULARITY


@dataclass(frozen=True)
class Phrase:
    """A phrase in one language."""

    country: str  # a code of the lexicon
    language: str  # BCP-47 tag
    text: str
    translated: bool  # by the lexicon; else as typed


def hint(phrase: str) -> str:
    """What the lexicon does not know of a phrase, for whoever wonders about the picture; empty where it knows enough."""
    found = wanted(phrase)
    if found is None:
        return (
            f"This phrase names none of the {len(KINDS)} kinds of products that the bundled model was taught (dresses, shoes, "
            "bags, …): the picture shows what it makes of unknown words. Try: red dress."
        )
    if not found.colours:
        return "The phrase names no colour that the model knows: it chooses one."
    return ""


def in_every_language(phrase: str) -> list[Phrase]:
    """The phrase in the thirteen languages of the lexicon, by the words of kind, colour and pattern that it has."""
    found = wanted(phrase)
    return [_phrase(phrase, country, found) for country in words.COUNTRIES]


def _phrase(typed: str, country: str, found: Wanted | None) -> Phrase:
    language = words.language_of(country)
    if found is None:
        return Phrase(country, language, typed, False)
    lexicon = words.lexicon()[country]
    kind = min(found.kinds, key=POPULARITY.index)  # of several, the most frequent
    noun = str(lexicon["kinds"][kind][0])
    for pattern in sorted(found.patterns & lexicon["with"].keys()):
        noun = str(lexicon["patterned"]).format(kind=noun, **{"with": lexicon["with"][pattern]})
    colours = [str(lexicon["colours"][colour]) for colour in _colours(typed, found)]
    return Phrase(country, language, " ".join([*colours, noun]), True)


def _colours(typed: str, found: Wanted) -> list[str]:
    """The colours whose words all stand in the phrase, without those that are a part of another's: blue, of dark blue."""
    asked = tokens(typed)
    said = {
        colour: max(
            (
                text
                for text in _names(colour)
                if all(any(same_word(word, one) for one in asked) for word in text)
            ),
            key=len,
            default=(),
        )
        for colour in sorted(found.colours)
    }
    return [
        colour
        for colour, text in said.items()
        if text and not any(set(text) < set(other) for other in said.values())
    ]


def _names(colour: str) -> list[tuple[str, ...]]:
    return [tuple(tokens(words.lexicon()[section]["colours"][colour])) for section in words.SECTIONS]
