"""The attributes of a drawn product: kind, colour, pattern and material.

Drawings and texts are both derived from a `Look`, so that a red striped jumper is drawn red and striped and described
as such in thirteen languages.
"""

from __future__ import annotations

from dataclasses import dataclass

COLOURS = {  # name: sRGB of the lit cloth
    "black": (38, 38, 42), "white": (244, 243, 240), "grey": (140, 143, 148), "beige": (219, 199, 170),
    "brown": (116, 77, 52), "red": (200, 38, 45), "burgundy": (112, 24, 44), "pink": (236, 150, 178),
    "orange": (236, 120, 40), "yellow": (244, 202, 60), "green": (52, 132, 76), "khaki": (122, 118, 78),
    "turquoise": (60, 176, 178), "blue": (48, 104, 196), "navy": (30, 42, 84), "purple": (116, 66, 150),
    "gold": (212, 175, 85), "silver": (192, 195, 200),
}  # fmt: skip
PATTERNS = ("plain", "stripes", "checks", "dots", "floral", "print")
MATERIALS = (
    "cotton", "knit", "denim", "leather", "satin", "sheer", "wool", "fleece", "polyester", "canvas",
    "rubber", "straw", "metal",
)  # fmt: skip

CLOTH = tuple(colour for colour in COLOURS if colour not in ("gold", "silver"))
DENIMS = ("blue", "navy", "black", "grey", "white")
HIDES = ("black", "brown", "beige", "burgundy", "red", "navy", "white", "grey", "khaki")
METALS = ("gold", "silver", "black")
FRAMES = ("black", "brown", "gold", "silver", "red", "blue", "grey")

ALL = PATTERNS
QUIET = ("plain", "stripes", "checks")
PLAIN = ("plain",)


@dataclass(frozen=True)
class Options:
    """The colours, patterns and materials that a kind is sold in."""

    materials: tuple[str, ...]
    patterns: tuple[str, ...] = ALL
    colours: tuple[str, ...] = CLOTH


# One entry per leaf category; keys are in the style of GLAMI's category names.
KINDS: dict[str, Options] = {
    # women's clothes
    "womens-dresses": Options(("cotton", "satin", "sheer", "knit", "polyester")),
    "womens-evening-dresses": Options(("satin", "sheer"), ("plain", "floral"), (*CLOTH, "gold", "silver")),
    "womens-blouses-and-shirts": Options(("cotton", "satin", "sheer")),
    "womens-t-shirts": Options(("cotton", "polyester")),
    "womens-tank-tops": Options(("cotton", "satin", "polyester")),
    "womens-sweaters": Options(("knit", "wool"), ("plain", "stripes", "dots", "print")),
    "womens-cardigans": Options(("knit", "wool"), ("plain", "stripes")),
    "womens-hoodies": Options(("cotton", "fleece"), ("plain", "print", "stripes")),
    "womens-jackets": Options(("denim", "leather", "polyester"), PLAIN),
    "womens-coats": Options(("wool", "polyester"), ("plain", "checks")),
    "womens-jeans": Options(("denim",), PLAIN, DENIMS),
    "womens-trousers": Options(("cotton", "wool", "polyester"), QUIET),
    "womens-leggings": Options(("cotton", "polyester"), ("plain", "print", "stripes")),
    "womens-skirts": Options(("cotton", "denim", "leather", "satin")),
    "womens-shorts": Options(("cotton", "denim", "polyester")),
    "womens-jumpsuits": Options(("cotton", "satin", "denim")),
    "womens-tights": Options(
        ("sheer",), ("plain", "dots"), ("black", "white", "grey", "beige", "brown", "navy", "burgundy"),
    ),
    "womens-bras": Options(("cotton", "sheer", "satin"), ("plain", "floral", "dots")),
    "womens-panties": Options(("cotton", "sheer", "satin"), ("plain", "floral", "dots", "stripes")),
    "womens-pyjamas": Options(("cotton", "satin"), ("stripes", "checks", "dots", "floral", "print")),
    "womens-bathrobes": Options(("fleece", "satin", "cotton"), ("plain", "floral", "stripes")),
    "womens-swimsuits": Options(("polyester",)),
    "womens-bikinis": Options(("polyester",)),
    # men's clothes
    "mens-t-shirts": Options(("cotton", "polyester"), ("plain", "stripes", "print")),
    "mens-polo-shirts": Options(("cotton",), ("plain", "stripes")),
    "mens-shirts": Options(("cotton", "denim"), QUIET),
    "mens-sweaters": Options(("knit", "wool"), ("plain", "stripes")),
    "mens-hoodies": Options(("cotton", "fleece"), ("plain", "print")),
    "mens-jackets": Options(("denim", "leather", "polyester"), PLAIN),
    "mens-suits": Options(("wool",), QUIET, ("black", "grey", "navy", "beige", "brown", "blue")),
    "mens-jeans": Options(("denim",), PLAIN, DENIMS),
    "mens-trousers": Options(("cotton", "wool"), ("plain", "checks")),
    "mens-shorts": Options(("cotton", "denim", "polyester"), ("plain", "checks", "print")),
    "mens-boxers": Options(("cotton",)),
    "mens-swim-shorts": Options(("polyester",)),
    "mens-socks": Options(("cotton", "knit"), ("plain", "stripes", "checks", "dots")),
    "mens-ties": Options(("satin",)),
    # children's clothes
    "girls-dresses": Options(("cotton", "denim")),
    "boys-t-shirts": Options(("cotton",), ("print", "stripes", "plain")),
    "childrens-jackets": Options(("polyester",), ("plain", "print", "dots")),
    "childrens-trousers": Options(("cotton", "denim", "fleece"), ("plain", "stripes", "print")),
    "baby-bodysuits": Options(("cotton",)),
    # shoes
    "womens-sneakers": Options(("leather", "canvas", "polyester"), PLAIN),
    "womens-pumps": Options(("leather", "satin"), PLAIN, (*CLOTH, "gold", "silver")),
    "womens-ballerinas": Options(("leather", "satin"), ("plain", "dots")),
    "womens-sandals": Options(("leather",), PLAIN, (*HIDES, "gold", "silver")),
    "womens-ankle-boots": Options(("leather",), PLAIN, HIDES),
    "womens-boots": Options(("leather",), PLAIN, HIDES),
    "womens-wellingtons": Options(("rubber",), ("plain", "dots", "floral", "stripes")),
    "mens-sneakers": Options(("leather", "canvas", "polyester"), PLAIN),
    "mens-ankle-boots": Options(("leather",), PLAIN, HIDES),
    "mens-formal-shoes": Options(("leather",), PLAIN, HIDES),
    "slippers": Options(("fleece", "wool"), ("plain", "checks")),
    "flip-flops": Options(("rubber",), ("plain", "stripes", "floral")),
    # bags and accessories
    "womens-handbags": Options(
        ("leather", "canvas"), ("plain", "checks", "print"), (*HIDES, "pink", "yellow", "green", "blue"),
    ),
    "clutches": Options(("satin", "leather"), ("plain", "floral"), (*CLOTH, "gold", "silver")),
    "backpacks": Options(("polyester", "canvas", "leather")),
    "suitcases": Options(("polyester",), ("plain", "print")),
    "wallets": Options(("leather",), PLAIN, (*HIDES, "pink", "blue")),
    "womens-belts": Options(("leather",), PLAIN, HIDES),
    "mens-belts": Options(("leather", "canvas"), PLAIN, HIDES),
    "hats": Options(
        ("straw", "wool"), PLAIN, ("beige", "black", "brown", "grey", "navy", "red", "white", "burgundy"),
    ),
    "caps": Options(("cotton", "canvas"), ("plain", "print", "checks")),
    "beanies": Options(("knit",), ("plain", "stripes")),
    "scarves": Options(("wool", "knit", "sheer")),
    "gloves": Options(("knit", "leather"), ("plain", "stripes")),
    "umbrellas": Options(("polyester",)),
    # jewellery, watches, glasses
    "earrings": Options(("metal",), PLAIN, ("gold", "silver")),
    "necklaces": Options(("metal",), PLAIN, ("gold", "silver")),
    "rings": Options(("metal",), PLAIN, ("gold", "silver")),
    "bracelets": Options(("metal", "leather"), PLAIN, ("gold", "silver", "black", "brown")),
    "watches": Options(("metal", "leather"), PLAIN, (*METALS, "brown", "white", "navy")),
    "sunglasses": Options(("metal",), PLAIN, FRAMES),
    "glasses": Options(("metal",), PLAIN, FRAMES),
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """The look of a product, from which it is drawn and described.

    Other attributes (cut, proportion, view, background, mannequin, price sticker) are derived from `seed`: the same look
    gives the same picture.
    """

    kind: str  # a key of KINDS
    colour: str  # a key of COLOURS
    pattern: str  # one of PATTERNS
    material: str  # one of MATERIALS
    seed: int
