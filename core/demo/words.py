"""The name and the description of a drawn product, in thirteen languages.

`python -m core.demo.words > docs/reference/demo-words.md` prints ten of each in every language, for review by
speakers; the words are in `assets/demo/lexicon.toml`.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from core.demo.looks import KINDS, Look
from core.settings import ASSETS

COUNTRIES = ("cz", "sk", "ro", "gr", "si", "hu", "hr", "es", "lt", "lv", "tr", "ee", "bg")
SECTIONS = (*COUNTRIES, "en")  # some texts are in English in every country
LEXICON_FILE = ASSETS / "demo" / "lexicon.toml"
BRANDS_FILE = ASSETS / "demo" / "brands.toml"

SHOES = frozenset(
    (
        "womens-sneakers", "womens-pumps", "womens-ballerinas", "womens-sandals", "womens-ankle-boots",
        "womens-boots", "womens-wellingtons", "mens-sneakers", "mens-ankle-boots", "mens-formal-shoes",
        "slippers", "flip-flops",
    )
)  # fmt: skip
HEELS = frozenset(("womens-pumps", "womens-sandals", "womens-ankle-boots", "womens-boots"))
BAGS = frozenset(("womens-handbags", "clutches", "backpacks", "suitcases", "wallets"))
BELTS = frozenset(("womens-belts", "mens-belts"))
JEWELLERY = frozenset(("earrings", "necklaces", "rings", "bracelets"))
SOFT_ACCESSORIES = frozenset(("hats", "caps", "beanies", "scarves", "gloves", "mens-ties"))
SWIMWEAR = frozenset(("womens-swimsuits", "womens-bikinis", "mens-swim-shorts"))
UNDERWEAR = frozenset(("womens-tights", "womens-bras", "womens-panties", "mens-boxers", "mens-socks"))
CHILDRENS = frozenset(
    ("girls-dresses", "boys-t-shirts", "childrens-jackets", "childrens-trousers", "baby-bodysuits")
)
NO_CUT = UNDERWEAR | SWIMWEAR | frozenset(("baby-bodysuits",))  # clothes without a cut
BOTTOMS = frozenset(
    (
        "womens-jeans", "womens-trousers", "womens-leggings", "womens-skirts", "womens-shorts", "mens-jeans",
        "mens-trousers", "mens-shorts", "mens-swim-shorts",
    )
)  # fmt: skip
SUMMER = SWIMWEAR | frozenset(("womens-sandals", "flip-flops", "womens-tank-tops"))
CUTS = ("slim", "regular", "loose", "straight", "fitted")
SEASONS = ("spring_summer", "autumn_winter", "all_year")
WARM = frozenset(("knit", "wool", "fleece"))

WORN_MATERIALS = {  # if the shop's word differs from the drawn material
    ("womens-tights", "sheer"): "nylon",
    ("womens-bras", "sheer"): "lace",
    ("womens-panties", "sheer"): "lace",
    ("earrings", "metal"): "steel",
    ("necklaces", "metal"): "steel",
    ("rings", "metal"): "steel",
    ("bracelets", "metal"): "steel",
    ("watches", "metal"): "steel",
}
STRETCHED = frozenset(("cotton", "denim", "polyester"))  # materials that are sold mixed with elastane
FORBIDDEN = str.maketrans({character: " " for character in "\\{}[];<>/\n\r"})  # as in GLAMI's preprocessing


@dataclass(frozen=True)
class Product:
    """The attributes of a product besides its look."""

    look: Look
    brand: str
    model: str  # model number, for example 4107-605-820 or K1832
    collection: str
    unisex: bool = False


@cache
def lexicon() -> dict[str, dict[str, Any]]:
    """The sections of the lexicon by country code."""
    with LEXICON_FILE.open("rb") as file:
        return tomllib.load(file)


@cache
def brands() -> dict[str, list[str]]:
    with BRANDS_FILE.open("rb") as file:
        return tomllib.load(file)


def language_of(country: str) -> str:
    """The BCP-47 tag of a country's language.

    >>> language_of("gr")
    'el'
    """
    return str(lexicon()[country]["language"])


def product(look: Look, rng: random.Random, unisex: bool = False) -> Product:
    """A brand, a model number and a collection for a look."""
    names = brands()
    children = look.kind in CHILDRENS
    if children and rng.random() < 0.5:
        brand = rng.choice(names["childrens"])
    else:
        brand = rng.choice([brand for brand in names["brands"] if brand not in names["childrens"]])
    model = rng.choice(
        (
            f"{rng.randrange(10_000):04d}",
            f"{rng.choice('ABCEHKLMNRSTVWXZ')}{rng.randrange(100, 10_000)}",
            f"{rng.choice('ABDGKMRSTZ')}{rng.choice('ACELNORTX')}-{rng.randrange(100, 10_000)}",
            f"{rng.randrange(1_000, 10_000)}-{rng.randrange(100, 1_000)}-{rng.randrange(100, 1_000)}",
            f"{rng.randrange(10, 100)}{rng.choice('KMPS')}{rng.randrange(100, 1_000)}",
        )
    )
    return Product(look, brand, model, rng.choice(names["collections"]), unisex)


def capital(text: str, language: str) -> str:
    """The text with its first letter in upper case, by the rules of the language.

    >>> capital("iç çamaşırı", "tr"), capital("šaty", "cs")
    ('İç çamaşırı', 'Šaty')
    """
    return upper(text[:1], language, keep_accents=True) + text[1:]


def upper(text: str, language: str, keep_accents: bool = False) -> str:
    """The text in upper case: Turkish has a dotted capital I, Greek drops accents in capitals.

    >>> upper("φόρεμα", "el"), upper("bikini", "tr")
    ('ΦΟΡΕΜΑ', 'BİKİNİ')
    """
    if language == "tr":
        text = text.replace("i", "İ")
    text = text.upper()
    if language == "el" and not keep_accents:
        letters = unicodedata.normalize("NFD", text)
        text = unicodedata.normalize("NFC", letters.replace("\N{COMBINING ACUTE ACCENT}", ""))
    return text


def name(product: Product, country: str, rng: random.Random, omit_kind: bool = False) -> str:
    """The name of a product in a shop of `country`; `omit_kind` leaves out the noun."""
    words = lexicon()[country]
    look = product.look
    colour = words["colours"][look.colour]
    title = rng.choice((product.collection, product.collection.capitalize(), f"'{product.collection}'"))
    number, order, mark, decorated = product.model, rng.random(), rng.random(), rng.random()
    how_coloured = words["coloured"][int(rng.random() * len(words["coloured"]))]
    noun = _pick(words["kinds"][look.kind], rng)
    if omit_kind:
        text = (
            f"{product.brand} {title} {number}" if order < 0.4
            else f"{product.brand} {number}" if order < 0.7
            else f"{product.brand} {title}"
        )  # fmt: skip
    else:
        if look.pattern != "plain" and decorated < 0.55:
            noun = words["patterned"].format(kind=noun, **{"with": words["with"][look.pattern]})
        noun = capital(noun, words["language"]) if order < 0.93 else upper(noun, words["language"])
        text = (
            f"{noun} {product.brand} {number}" if order < 0.38
            else f"{noun} {product.brand} {title}" if order < 0.55
            else f"{product.brand} {noun} {title} {number}" if order < 0.67
            else f"{product.brand} {noun}" if order < 0.82
            else noun if order < 0.85
            else f"{noun} {title} {number} - {product.brand}"
        )  # fmt: skip
    if product.unisex:
        text += " " + words["unisex"]
    if mark < 0.6:
        text = how_coloured.format(name=text, colour=colour)
    return text.translate(FORBIDDEN)


def description(product: Product, country: str, rng: random.Random) -> str:
    """A description of one to many sentences; half are shorter than about 180 characters, few beyond 1,000.

    The same state of `rng` picks the same sentences in every country.
    """
    target = rng.lognormvariate(5.18, 0.88)  # characters
    sentences = _sentences(product, country, rng)
    text = ""
    for sentence in sentences:
        longer = f"{text} {sentence}".strip()
        if text and len(longer) - target > target - len(text):
            break
        text = longer
    return text.translate(FORBIDDEN)


def _pick(choices: list[str], rng: random.Random) -> str:
    """Mostly the first choice. Always one draw of `rng`, so that all languages stay synchronised."""
    draw = rng.random()
    return choices[0] if draw < 0.6 else choices[int((draw - 0.6) / 0.4 * len(choices)) % len(choices)]


def _sentences(product: Product, country: str, rng: random.Random) -> Iterator[str]:
    """The product's sentences in the order in which a shop would add them."""
    words = lexicon()[country]
    kind = product.look.kind
    facts = _facts(product, words, rng)

    def phrases(keys: Iterable[str]) -> list[str]:
        phrases = [phrase for key in keys for phrase in words["sentences"][key]]
        return [phrase.format(**facts) for phrase in phrases]

    labels = [key for key in LABELS if _fits(key, kind)]
    if "pattern" not in facts:
        labels = [key for key in labels if key != "pattern"]
    if "composition" in facts:
        labels[labels.index("material")] = "composition"
    topics = _topics(product.look)
    openers = [] if product.unisex else phrases(["intro"])  # a noun would say whose it is
    listed, praised = phrases(labels), phrases(topics.praise)
    cared, used = phrases(topics.care), phrases(topics.occasion)
    if "care_textile" in topics.care:  # wash by hand or by machine, not both
        del cared[0 if rng.random() < 0.3 else 1]
    sizes = ["sizes"] if _fits("sizes", kind) else []
    last = phrases(["delivery", "promotion", "note", "brand", "code", *topics.notes, *sizes])
    table = [_size_table(kind, words)] if _fits("size_table", kind) else []
    for group in (listed, praised, cared, used, last):
        rng.shuffle(group)
    style = rng.random()
    if style < 0.4:  # prose first
        order = [openers[:1], praised[:2], listed[:2], used[:1], cared[:1], listed[2:], praised[2:]]
    elif style < 0.75:  # a list of facts first
        order = [listed, praised[:1], cared[:2], used[:1], praised[1:]]
    else:  # an advertisement first
        order = [last[:1], openers[1:], listed[:3], praised[:2], listed[3:], praised[2:]]
    yield from dict.fromkeys(itertools.chain(*order, used, cared, table, last))  # each once


LABELS = ("colour", "material", "pattern", "cut", "season", "heel", "dimensions")


def _facts(product: Product, words: dict[str, Any], rng: random.Random) -> dict[str, str]:
    """The values of the placeholders in a sentence."""
    look = product.look
    noun = _pick(words["kinds"][look.kind], rng)
    material = WORN_MATERIALS.get((look.kind, look.material), look.material)
    elastane = rng.choice((2, 3, 5, 8))
    cut = rng.choice(CUTS)
    season = rng.choice(SEASONS)
    if look.kind in SUMMER:
        season = "spring_summer"
    elif look.material in WARM:
        season = "autumn_winter"
    sides = (rng.randrange(22, 48), rng.randrange(15, 34), rng.randrange(6, 18))
    if look.kind == "suitcases":
        sides = (sides[0] + 30, sides[1] + 15, sides[2] + 12)
    elif look.kind == "wallets":
        sides = (rng.randrange(9, 20), rng.randrange(8, 11), rng.randrange(2, 4))
    facts = {
        "kind": noun,
        "Kind": capital(noun, words["language"]),
        "brand": product.brand,
        "model": product.model,
        "colour": words["colours"][look.colour],
        "material": words["materials"][material],
        "cut": words["words"][cut],
        "season": words["words"][season],
        "sizes": rng.choice(_SIZES[_size_system(look.kind)]),
        "heel": str(rng.randrange(2, 11)),
        "dimensions": " × ".join(str(side) for side in sides),
        "free_from": words["free_from"],
        "discount": str(rng.randrange(10, 75, 5)),
    }
    if look.pattern != "plain" or rng.random() < 0.3:
        facts["pattern"] = words["patterns"][look.pattern]
    mixed = rng.random() < 0.6
    if mixed and material in STRETCHED and look.kind not in SHOES | BAGS | BELTS | {"umbrellas"}:
        main = "cotton" if material == "denim" else material
        parts = [(100 - elastane, main), (elastane, "elastane")]
        if elastane == 8:
            parts = [(60, main), (35, "viscose"), (5, "elastane")]
        facts["composition"] = ", ".join(
            words["percent"].format(n=share, material=words["materials"][part]) for share, part in parts
        )
    return facts


_SIZES = {
    "letters": ("S, M, L", "XS, S, M, L", "S, M, L, XL", "XS–XL", "M, L, XL, XXL", "S–XXL"),
    "womens shoes": ("36–41", "36, 37, 38, 39", "37, 38, 39, 40", "36–42"),
    "mens shoes": ("40–46", "41, 42, 43, 44", "42, 43, 44, 45", "41–47"),
    "children": ("104, 110, 116, 122", "92–128", "98, 104, 110", "128–164"),
    "babies": ("56, 62, 68", "62–86", "68, 74, 80"),
    "one": ("UNI",),
}


def _size_system(kind: str) -> str:
    if kind in SHOES:
        return "mens shoes" if kind.startswith("mens-") else "womens shoes"
    if kind in CHILDRENS:
        return "babies" if kind.startswith("baby-") else "children"
    return "letters" if is_clothing(kind) else "one"


def is_clothing(kind: str) -> bool:
    return kind not in SHOES | BAGS | BELTS | JEWELLERY | SOFT_ACCESSORIES | {
        "umbrellas", "watches", "sunglasses", "glasses"
    }  # fmt: skip


def _fits(key: str, kind: str) -> bool:
    """Whether a phrase applies to a kind of product."""
    if key == "heel":
        return kind in HEELS
    if key == "dimensions":
        return kind in BAGS
    if key == "cut":
        return is_clothing(kind) and kind not in NO_CUT
    if key == "season":
        return (is_clothing(kind) and kind not in UNDERWEAR) or kind in SHOES
    if key == "pattern":
        return kind not in JEWELLERY and kind not in ("watches", "sunglasses", "glasses")
    if key == "size_table":
        return kind in SHOES or (is_clothing(kind) and kind not in UNDERWEAR | CHILDRENS)
    if key == "sizes":
        return kind in SHOES | SOFT_ACCESSORIES - {"mens-ties"} or is_clothing(kind)
    return True


@dataclass(frozen=True)
class Topics:
    """The groups of sentences that apply to a product."""

    praise: tuple[str, ...]
    care: tuple[str, ...] = ()
    occasion: tuple[str, ...] = ("occasion_trip", "occasion_daily")
    notes: tuple[str, ...] = ()


CLOTHES = Topics(("clothes",), ("care_textile",), ("occasion_clothes",), ("note_clothes",))
TOPICS: tuple[tuple[frozenset[str], Topics], ...] = (  # the first group with the kind; otherwise CLOTHES
    (SHOES, Topics(("shoes",), ("care_wipe",), notes=("note_clothes",))),
    (BAGS, Topics(("bags",), ("care_wipe",))),
    (BELTS, Topics(("accessories",), ("care_wipe",))),
    (JEWELLERY, Topics(("jewellery",), ("care_metal",))),
    (frozenset(("watches",)), Topics(("watches", "accessories"), ("care_metal",))),
    (frozenset(("sunglasses",)), Topics(("sunglasses", "accessories"))),
    (frozenset(("glasses",)), Topics(("glasses", "accessories"))),
    (frozenset(("umbrellas",)), Topics(("umbrellas",))),
    (frozenset(("hats", "mens-ties")), Topics(("accessories",))),
    (SOFT_ACCESSORIES, Topics(("accessories",), ("care_textile",))),
    (SWIMWEAR, Topics(("swim",), ("care_textile",), (), notes=("note_clothes",))),
    (UNDERWEAR, Topics(("underwear",), ("care_textile",), ("occasion_daily",), notes=("note_clothes",))),
)


def _topics(look: Look) -> Topics:
    topics = next((topics for kinds, topics in TOPICS if look.kind in kinds), CLOTHES)
    if topics is CLOTHES and look.kind.startswith("womens-"):
        topics = dataclasses.replace(topics, notes=("note_clothes", "note_womens"))
    if look.material == "leather" and topics.care in (("care_textile",), ("care_wipe",)):
        return dataclasses.replace(topics, care=("care_wipe", "care_leather"))
    return topics


def _size_table(kind: str, words: dict[str, Any]) -> str:
    labels = words["words"]
    if _size_system(kind) == "letters":
        chest, waist = (92, 78) if kind.startswith("mens-") else (84, 66)
        first, second = ("waist", "hips") if kind in BOTTOMS else ("chest", "waist")
        at_first, at_second = (waist, chest + 8) if kind in BOTTOMS else (chest, waist)
        rows = (
            f"{size}: {labels[first]} {at_first + 4 * step}–{at_first + 4 * step + 3}, "
            f"{labels[second]} {at_second + 4 * step}–{at_second + 4 * step + 3}"
            for step, size in enumerate(("S", "M", "L", "XL", "XXL"))
        )
        return f"{labels['size_table']} ({labels['cm']}) – {' · '.join(rows)}."
    smallest = 41 if kind.startswith("mens-") else 36
    decimal = "." if words["language"] == "en" else ","
    rows = (
        f"{size}: {23 + 0.65 * (size - 36):.1f}".replace(".", decimal)
        for size in range(smallest, smallest + 6)
    )
    return f"{labels['insole']} ({labels['cm']}) – {' · '.join(rows)}."


def examples(country: str, count: int, rng: random.Random) -> list[tuple[str, str]]:
    """Random names and descriptions in a country's language, with uniformly drawn kinds and looks."""
    pairs = []
    for _ in range(count):
        kind = rng.choice(list(KINDS))
        options = KINDS[kind]
        colour, pattern = rng.choice(options.colours), rng.choice(options.patterns)
        chosen = product(Look(kind, colour, pattern, rng.choice(options.materials), 0), rng)
        pairs.append((name(chosen, country, rng), description(chosen, country, rng)))
    return pairs


def page(count: int = 10, seed: int = 0) -> str:
    """The page of examples for docs/, as Markdown."""
    text = [
        "# Names and descriptions of the built-in dataset",
        "",
        "For a reader of each language to judge. What is wrong is corrected in `assets/demo/lexicon.toml`;",
        "`python -m core.demo.words > docs/reference/demo-words.md` writes this page anew.",
    ]
    for section in SECTIONS:
        text += ["", f"## {section} ({language_of(section)})", ""]
        text += [f"- **{title}** {body}" for title, body in examples(section, count, random.Random(seed))]
    return "\n".join(text) + "\n"


if __name__ == "__main__":
    print(page(), end="")
