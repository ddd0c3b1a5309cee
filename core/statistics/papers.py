"""The comparison tables of the GLAMI-1M and MEP-3M papers, as data."""

from __future__ import annotations

from dataclasses import dataclass

GLAMI = "Kosar et al. 2022, GLAMI-1M: A Multilingual Image-Text Fashion Dataset, BMVC, arXiv:2211.14451"
MEP = "Liu et al. 2021, MEP-3M: A Large-scale Multi-modal E-Commerce Products Dataset, LTDL workshop at IJCAI"


@dataclass(frozen=True)
class PaperTable:
    name: str
    heading: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    measures: tuple[str, ...]  # numeric columns, the default one first


TABLES = (
    PaperTable(
        "multilingual", "Multilingual image-text datasets", f"{GLAMI}, table 1",
        ("dataset", "images", "texts", "languages", "domain", "task"),
        (
            ("LAION-5B", "5.85B", "5.85B", "100+", "Web images", "image-text retrieval"),
            ("YFCC100M", "100M", "100M", "172", "Web images", "image-text retrieval"),
            ("WIT", "11.5M", "37.6M", "108", "Wiki images", "image-text retrieval"),
            ("FooDI-ML", "1.5M", "9.5M", "33", "Food, groceries", "text-image retrieval"),
            ("GLAMI-1M", "968k", "1.01M", "13", "Fashion", "classification"),
            ("MultiSub (14)", "45k", "180k", "4", "subtitles, nouns", "fill-in-the-blank"),
            ("Multi30k", "30k", "4 x 30k", "4", "General", "machine translation"),
        ),
        ("images", "texts", "languages"),
    ),
    PaperTable(
        "classification", "Image-text classification datasets", f"{GLAMI}, table 2",
        ("dataset", "images", "texts", "languages", "domain", "task", "classes"),
        (
            ("Recipe1M+", "13M", "1M", "1", "Recipes", "single-label", "1047"),
            ("GLAMI-1M", "968k", "1.01M", "13", "Fashion", "single-label", "191"),
            ("FashionGen", "325k", "78k", "1", "Fashion", "single-label", "121"),
            ("UPMC Food-101", "100k", "100k", "1", "Food", "single-label", "101"),
            ("SNLI-VE", "30k", "565k", "1", "General", "single-label", "3"),
        ),
        ("images", "texts", "classes", "languages"),
    ),
    PaperTable(
        "fashion", "Fashion datasets with pictures and texts", f"{GLAMI}, table 3",
        ("dataset", "items", "images", "features", "languages"),
        (
            ("GLAMI-1M", "1.11M", "968k", "image, name, description, class (191)", "13"),
            ("FACAD", "130k", "993k", "image, description, class (78)", "1"),
            ("Fashion-MMT", "110k", "853k", "image, description with noisy translations, class (78), attributes", "2"),
            ("Fashion550k", "550k", "408k", "image (in the wild), user comments, garment class, attributes, other metadata", "1"),
            ("Neti-look", "350k", "355k", "image (in the wild), comments", "1"),
            ("FashionGen", "78k", "325k", "image, description, class (121)", "1"),
            ("Amazon Fashion Products 2020", "132k", "132k+", "multiple images, name, other", "1"),
            ("Fashion IQ", "50k", "50k", "image, description, attributes, relative caption", "1"),
            ("Fashion Product Images", "44k", "44k", "image, name, description, class, other", "1"),
        ),
        ("items", "images", "languages"),
    ),
    PaperTable(
        "e-commerce", "E-commerce product datasets", f"{MEP}, table 1",
        ("dataset", "year", "classes", "images", "modality"),
        (
            ("Stanford", "2016", "23K", "0.120M", "image"),
            ("iMat FGVC6", "2019", "2K", "1.012M", "image"),
            ("SIGIR 2020", "2020", "27", "0.098M", "image, text (French)"),
            ("AliProducts", "2020", "50K", "2.500M", "image"),
            ("Products-10K", "2020", "10K", "0.150M", "image"),
            ("MEP-3M", "2021", "599", "3.012M", "image, text (Chinese)"),
        ),
        ("images", "classes"),
    ),
)  # fmt: skip

_SCALE = {"k": 1e3, "m": 1e6, "b": 1e9}


def number(text: str) -> float:
    """Parse a count as printed in a paper.

    >>> number("5.85B"), number("132k+"), number("4 x 30k"), number("1047")
    (5850000000.0, 132000.0, 120000.0, 1047.0)
    """
    product = 1.0
    for part in text.lower().rstrip("+").split(" x "):
        scale = _SCALE.get(part[-1], 1.0)
        product *= round(float(part[:-1] if scale > 1 else part) * scale)
    return product
