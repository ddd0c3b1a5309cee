"""The same product, or one of the same category, as another country's shop describes it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.catalog.cohort import Cohort, path_from_text
from core.catalog.info import info
from core.catalog.products import Products

if TYPE_CHECKING:
    from core.models.explain import OtherText
    from pages.panels.examples import Example

LANGUAGES = {
    "bg": "Bulgarian", "cs": "Czech", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "et": "Estonian", "hr": "Croatian", "hu": "Hungarian", "lt": "Lithuanian", "lv": "Latvian", "ro": "Romanian",
    "sk": "Slovak", "sl": "Slovenian", "tr": "Turkish", "zh": "Chinese",
}  # fmt: skip
SEED = 5  # of the choice among a category's products


@lru_cache(maxsize=4)
def _open(dataset: str, fingerprint: str) -> Products:
    return Products(info(dataset))


def _products(dataset: str) -> Products:
    return _open(dataset, info(dataset).fingerprint)


def languages(dataset: str) -> list[tuple[str, str]]:
    """Names and tags of a dataset's languages, by name."""
    known = _products(dataset).facet("language")
    return sorted((LANGUAGES.get(tag, tag), tag) for tag in known if tag in LANGUAGES)


def text_in(dataset: str, language: str, label: str, example: Example | None = None) -> OtherText | None:
    """A text in that language: of the same picture where another country sells it, else of the same category.

    Args:
        label: the category where there is no example.

    Raises:
        UnknownDatasetError: the dataset is gone.
    """
    from core.models.explain import OtherText

    products = _products(dataset)
    tongue = LANGUAGES.get(language, language)
    path = path_from_text(label) if label else ()
    if example is not None:
        path = example.category
        same = products.rows(Cohort(dataset, language=(language,), image_id=(example.image_id,)), limit=8)
        same = [row for row in same if _texts(row) not in (("", ""), (example.name, example.description))]
        if same:
            return OtherText(f"with a {tongue} text of the same product", *_texts(same[0]))
    if not path:
        return None
    alike = products.rows(
        Cohort(dataset, language=(language,), category=(path,), label_kind=("human",)),
        "shuffle",
        SEED,
        limit=4,
    ) or products.rows(Cohort(dataset, language=(language,), category=(path,)), "shuffle", SEED, limit=4)
    for row in alike:
        if any(_texts(row)):
            return OtherText(f"with a {tongue} text of another product of {path[-1]}", *_texts(row))
    return None


def _texts(row: dict[str, Any]) -> tuple[str, str]:
    return row["name"] or "", row["description"] or ""
