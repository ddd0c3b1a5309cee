import random
import re
import statistics
import string
import unicodedata
from pathlib import Path

import pytest

from core.demo import words
from core.demo.looks import COLOURS, KINDS, MATERIALS, PATTERNS, Look

MORE_MATERIALS = ("nylon", "lace", "steel", "elastane", "viscose")
OWN_LETTERS = {  # letters that a page of the language is bound to hold
    "cz": "ěščřžýáíéů", "sk": "ščžýáíéľô", "ro": "ășțâî", "si": "čšž", "hu": "áéíóöőúüű", "hr": "čćžšđ",
    "es": "áéíóñ", "lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž", "tr": "çğıöşü", "ee": "äöõüš",
}  # fmt: skip


def _templates(section: str) -> dict[str, list[str]]:
    sentences: dict[str, list[str]] = words.lexicon()[section]["sentences"]
    return sentences


def _fields(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def test_the_lexicon_has_the_thirteen_languages_and_english():
    assert set(words.lexicon()) == {*words.COUNTRIES, "en"}
    assert len(words.COUNTRIES) == 13


@pytest.mark.parametrize("section", words.SECTIONS)
def test_a_section_is_complete(section):
    text = words.lexicon()[section]
    assert set(text["kinds"]) == set(KINDS)
    assert set(text["colours"]) == set(COLOURS)
    assert set(text["patterns"]) == set(PATTERNS)
    assert set(text["with"]) == set(PATTERNS) - {"plain"}
    assert set(text["materials"]) == set(MATERIALS) | set(MORE_MATERIALS)
    assert all(1 <= len(nouns) <= 3 and all(nouns) for nouns in text["kinds"].values())
    assert len(set(text["colours"].values())) == len(COLOURS)
    assert set(text["words"]) == set(words.lexicon()["cz"]["words"])


@pytest.mark.parametrize("section", words.SECTIONS)
def test_the_nth_sentence_takes_the_same_facts_in_every_language(section):
    czech, own = _templates("cz"), _templates(section)
    assert set(own) == set(czech)
    for key, sentences in czech.items():
        assert len(own[key]) == len(sentences), key
        for mine, theirs in zip(own[key], sentences, strict=True):
            facts = {"kind" if field == "Kind" else field for field in _fields(mine)}
            assert facts == {"kind" if field == "Kind" else field for field in _fields(theirs)}, mine


def _scripts(text: str) -> set[str]:
    return {unicodedata.name(letter).split()[0] for letter in text if letter.isalpha()}


def _own_text(section: str) -> str:
    """Everything a reader of the language corrects, without what the program fills in."""
    text = words.lexicon()[section]
    parts = [noun for nouns in text["kinds"].values() for noun in nouns]
    for group in ("colours", "patterns", "with", "materials", "words"):
        parts += text[group].values()
    parts += [sentence for sentences in text["sentences"].values() for sentence in sentences]
    return re.sub(r"\{\w+\}", "", " ".join(parts))


@pytest.mark.parametrize("section", words.SECTIONS)
def test_a_section_is_written_in_its_own_alphabet(section):
    text = _own_text(section)
    script = {"gr": "GREEK", "bg": "CYRILLIC"}.get(section, "LATIN")
    foreign = {"LATIN"} if script != "LATIN" else set()
    assert _scripts(text) <= {script} | foreign
    if script != "LATIN":  # a few international words stay: UV, ATM, S, quartz, sneakers
        latin = [letter for letter in text if "LATIN" in unicodedata.name(letter, "")]
        assert len(latin) < 0.02 * len(text)
        assert not re.search(r"\b(?=\w*[a-zA-Z])(?=\w*[Ͱ-ӿ])\w+\b", text)  # no word in two scripts
    assert set(OWN_LETTERS.get(section, "")) <= set(text.lower())
    assert unicodedata.is_normalized("NFC", text)


@pytest.mark.parametrize("section", words.COUNTRIES)
def test_names_and_descriptions_are_as_long_as_in_glami(section):
    pairs = words.examples(section, 1_500, random.Random(5))
    names, descriptions = zip(*pairs, strict=True)
    assert 32 <= statistics.median(map(len, names)) <= 44
    assert 140 <= statistics.median(map(len, descriptions)) <= 205  # before some are left empty
    assert max(map(len, descriptions)) > 1_000
    text = "".join(names + descriptions)
    assert not set(text) & set("\\{}[];<>/\n")  # what GLAMI removed from its texts
    assert "  " not in text
    assert not any(part != part.strip() for part in names + descriptions)


def test_a_name_can_hide_what_the_product_is():
    product = words.product(Look("umbrellas", "red", "dots", "polyester", 3), random.Random(1))
    for draw in range(50):
        name = words.name(product, "cz", random.Random(draw), omit_kind=True)
        assert "deštník" not in name.lower()
        assert product.brand in name


def test_the_same_dice_say_the_same_in_every_language():
    """The materials of one product agree in Czech and Lithuanian whenever both are mentioned."""
    look = Look("womens-coats", "navy", "checks", "wool", 8)
    product = words.product(look, random.Random(2))
    for draw in range(60):
        czech = words.description(product, "cz", random.Random(draw))
        english = words.description(product, "en", random.Random(draw))
        assert czech.startswith("Barva: tmavě modrá.") == english.startswith("Colour: navy.")
        assert czech.startswith("Dámský kabát") == english.startswith("Women's coat")


def test_capitals_follow_the_language():
    assert words.capital("iç giyim", "tr") == "İç giyim"
    assert words.upper("pulover", "sl") == "PULOVER"
    assert words.upper("δαχτυλίδι", "el") == "ΔΑΧΤΥΛΙΔΙ"


def test_the_page_of_examples_is_up_to_date():
    shown = Path(__file__).parents[3] / "docs" / "reference" / "demo-words.md"
    assert shown.read_text("utf-8") == words.page()
