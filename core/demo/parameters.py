"""The parameters of the built-in dataset, each with the figure of the GLAMI-1M paper that it reproduces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.demo import words

MAX_ITEMS = 2_000_000  # about twice GLAMI-1M, to catch typing errors
COUNTRIES = words.COUNTRIES

# From the most to the least frequent category; head and tail as in Table 5, for the categories that we draw.
POPULARITY = (
    "mens-t-shirts", "womens-t-shirts", "mens-sneakers", "womens-sneakers", "womens-dresses",
    "baby-bodysuits", "womens-blouses-and-shirts", "womens-trousers", "womens-bikinis", "flip-flops",
    "womens-sandals", "womens-jackets", "mens-shirts", "mens-hoodies", "womens-sweaters", "mens-jackets",
    "womens-handbags", "womens-jeans", "mens-jeans", "womens-hoodies", "womens-ankle-boots", "womens-bras",
    "womens-skirts", "mens-shorts", "womens-leggings", "mens-sweaters", "womens-coats", "womens-pumps",
    "mens-trousers", "earrings", "boys-t-shirts", "womens-panties", "mens-boxers", "womens-swimsuits",
    "womens-evening-dresses", "watches", "womens-shorts", "womens-cardigans", "sunglasses", "mens-socks",
    "mens-polo-shirts", "backpacks", "womens-pyjamas", "mens-ankle-boots", "womens-tank-tops", "necklaces",
    "girls-dresses", "womens-boots", "caps", "mens-swim-shorts", "womens-ballerinas", "slippers",
    "childrens-jackets", "wallets", "scarves", "womens-jumpsuits", "rings", "beanies", "childrens-trousers",
    "bracelets", "mens-formal-shoes", "mens-belts", "womens-tights", "gloves", "womens-bathrobes",
    "womens-belts", "suitcases", "mens-suits", "hats", "clutches", "womens-wellingtons", "glasses",
    "mens-ties", "umbrellas",
)  # fmt: skip

DUPLICATES = ("recompressed", "cropped", "recoloured", "mirrored")
HUES = (  # source and target colours of recoloured pictures: those with a hue
    "brown", "red", "burgundy", "pink", "orange", "yellow", "green", "turquoise", "blue", "navy", "purple",
)  # fmt: skip
QUALITIES = (62, 70, 75, 78, 80, 82, 85, 88, 90, 92)  # JPEG quality, which varies between shops

COLOUR_WEIGHTS = {  # frequent colours; others have weight 1
    "black": 5.0, "white": 3.0, "navy": 2.5, "grey": 2.2, "blue": 2.2, "beige": 2.0, "red": 1.8, "pink": 1.8,
    "gold": 3.0, "silver": 3.0, "brown": 1.6,
}  # fmt: skip
PLAIN_SHARE = 0.5  # of the products of kinds with several patterns

LEFT_IN = {  # texts not in their country's language are in English or a neighbour's language
    "cz": "sk", "sk": "cz", "ro": "hu", "gr": "bg", "si": "hr", "hu": "sk", "hr": "si", "es": "en",
    "lt": "lv", "lv": "lt", "tr": "en", "ee": "lv", "bg": "ro",
}  # fmt: skip


def _by_name(**values: float) -> Mapping[str, float]:
    return MappingProxyType(values)


@dataclass(frozen=True)
class Structure:
    """The parameters of the dataset's structure, each with its source.

    Tables and figures are those of the GLAMI-1M paper; S is its supplementary. Figures published only as pictures are
    approximated and marked as ours.
    """

    # Sizes and the long tail
    test_share: float = 0.1046  # Table 4: 116,004 of 1,108,532 items are the test set
    tail: tuple[tuple[float, float], ...] = (  # Table 5: (rank from 0 to 1, count beside the largest class)
        (0.0, 1.0),  # 75,724
        (0.0053, 0.660),  # 50,000
        (0.0474, 0.307),  # 23,219: the tenth of 191
        (
            0.9526,
            0.00279,
        ),  # 211: the tenth from the end; between them linear in the logarithm (Figure 2)
        (1.0, 0.00107),  # 81
    )
    least_train: int = 2  # products of the rarest class, so that it can be learned
    least_test: int = 1
    test_class_jitter: float = 0.35  # Table 5: deviation of log(test / train) among its twenty classes

    # Countries: approximated from Figure 3; a few countries are shifted by up to a factor of three
    train_countries: Mapping[str, float] = field(
        default_factory=lambda: _by_name(
            cz=0.155, sk=0.105, ro=0.115, gr=0.075, si=0.05, hu=0.1, hr=0.065, es=0.06, lt=0.065, lv=0.03,
            tr=0.085, ee=0.035, bg=0.06,
        )
    )  # fmt: skip
    test_countries: Mapping[str, float] = field(
        default_factory=lambda: _by_name(
            cz=0.09, sk=0.08, ro=0.07, gr=0.085, si=0.08, hu=0.09, hr=0.09, es=0.05, lt=0.13, lv=0.05,
            tr=0.03, ee=0.085, bg=0.07,
        )
    )  # fmt: skip
    branch_taste: float = 0.35  # ours: deviation of the log of a country's share in a branch of the tree
    leaf_taste: float = 0.35  # ours: the same for a leaf

    # Labels: S Table 2; "" is NaN, a machine source
    train_sources: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType(
            {"custom-tag": 0.408, "admin": 0.343, "": 0.244, "combined-tag": 0.005, "quality-check": 0.001}
        )
    )
    test_sources: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType(
            {"custom-tag": 0.543, "admin": 0.457, "quality-check": 0.001}
        )
    )
    machine_wrong: float = 0.15  # ours: the paper calls the machine sources "less reliable", without a figure
    human_wrong: float = 0.02  # ours: as above, "high-quality"
    country_error: Mapping[str, float] = field(  # S Table 4: 1 - the top-1 accuracy in each country
        default_factory=lambda: _by_name(
            cz=0.408, sk=0.195, ro=0.354, gr=0.411, si=0.317, hu=0.33, hr=0.261, es=0.374, lt=0.315, lv=0.328,
            tr=0.28, ee=0.341, bg=0.274,
        )
    )  # fmt: skip
    country_contrast: float = (
        2.0  # ours: the rate of wrong labels is proportional to country_error to this power, to be visible
    )

    # One product in several shops: Table 4, unique image_id per row
    train_shared: float = (
        0.095  # of the products; gives about 0.88 pictures a row in train (882,846 of 992,528)
    )
    test_shared: float = 0.24  # gives about 0.74 in test (85,577 of 116,004)
    more_shops: float = 0.35  # ours: probability of a further shop for a shared product
    most_shops: int = 12  # section 3: "up to tens of items"
    apart: tuple[str, ...] = ("tr",)  # S Table 5: Turkish shops share almost nothing (4 to 730 pairs)
    unisex: float = (
        0.008  # section 3 gives no figure; train rows that repeat an item_id in the other sex's class
    )

    # Duplicates. The paper removed them by MD5 and CLIP; here some are planted for the audit.
    near_duplicates: float = 0.04  # of train pictures
    split_duplicates: float = 0.02  # of test pictures, made from a train picture
    split_texts: float = 0.02  # of test rows: name and description of another product in train
    train_same_texts: float = 0.27  # of train rows, with another row of train: Table 4 has a quarter of names
    test_same_texts: float = 0.15  # and a third of descriptions not unique in train, less in test

    # Texts. Figure 4: medians of 38 and 150 characters, both with a long right tail.
    omits_kind: float = 0.15  # ours: names that are only a brand and a number
    empty_description: float = 0.07  # ours
    repeated_name: float = 0.05  # ours: descriptions that only repeat the name
    other_language: float = 0.03  # ours: texts left in English or in the neighbour's language
    parallel: float = 0.6  # ours: products whose texts in several countries are translations of each other
