"""What a visitor's photo or word is, and what is like it: the classifier and the search of the pages, in a few words."""

from __future__ import annotations

import hashlib
import io
import threading
from functools import cache
from typing import Any

from core.catalog.cohort import path_text
from core.catalog.info import DatasetInfo, datasets, info
from core.catalog.products import Products
from core.demo import tree
from core.demo.words import SECTIONS, lexicon
from core.embeddings.loading import loaded_encoder
from core.embeddings.store import PICTURES_ALONE, preferred, sets
from core.errors import UsageError, VitrineError
from core.images.pictures import decode, shrink
from core.search.query import Part, Searcher
from core.settings import settings
from pages.panels import product_classifier
from pages.panels.address import Asked
from pages.resources.urls import image_url

SIDE_PX = 512  # of the photo that is asked about: nothing larger is kept
LIKE = 6  # products
CLASSES = 3
LEAST = 0.1  # a class with less is not said
WORD_CHARACTERS = 120

_searcher: tuple[tuple[str, ...], Searcher] | None = None
_lock = threading.Lock()


def small(data: bytes) -> bytes:
    """A photo as a small JPEG, upright, without its EXIF: HEIC, a screenshot or 48 megapixels become this.

    Raises:
        ImageError: it is no photo, or too large.
    """
    out = io.BytesIO()
    shrink(decode(data, 2 * SIDE_PX), SIDE_PX, SIDE_PX).save(out, "JPEG", quality=85)
    return out.getvalue()


def word_of(text: str) -> str:
    """What somebody typed, in one line.

    Raises:
        UsageError: it is too long.
    """
    said = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if len(said) > WORD_CHARACTERS:
        raise UsageError(f"A question has {WORD_CHARACTERS} characters at most.")
    return said


def chosen() -> DatasetInfo:
    """The dataset that visitors ask: the one that VITRINE_STAGE names, else the first with vectors that read a photo.

    Raises:
        VitrineError: there is none.
    """
    if settings().stage:
        return info(settings().stage)
    there = datasets()
    found = next((each for each in there if _vectors(each)), None) or next(iter(there), None)
    if found is None:
        raise UsageError("There is no dataset yet.")
    return found


def digest(dataset: DatasetInfo, photo: bytes, word: str) -> str:
    """Equal questions to the same dataset have the same digest."""
    said = "\0".join((dataset.name, dataset.fingerprint, dataset.created, word.casefold()))
    return hashlib.sha256(said.encode() + b"\0" + photo).hexdigest()


def answer(dataset: DatasetInfo, photo: bytes, word: str) -> dict[str, Any]:
    """Classes with their probabilities, and products that are like it.

    One of both may be missing, where its model is not here.

    Raises:
        VitrineError: neither can be told.
    """
    told: dict[str, Any] = {"dataset": dataset.name, "classes": [], "like": [], "nothing": False}
    wrong: list[VitrineError] = []
    for part in (_classes, _like):
        try:
            told |= part(dataset, photo, word)
        except VitrineError as error:
            wrong.append(error)
    if len(wrong) == 2:
        raise wrong[0]
    return told


def in_language(told: dict[str, Any], language: str) -> dict[str, Any]:
    """An answer with the names of its classes in a language, where the built-in words have it."""
    return told | {"classes": [[named(label, language), share] for label, share in told["classes"]]}


def named(label: str, language: str) -> str:
    """A class in a language; its last part in English where that is not known.

    >>> named("Women > Dresses, skirts and jumpsuits > No such", "cs")
    'No such'
    """
    known = _names(language).get(label)
    return known or label.split(" > ")[-1]


@cache
def _names(language: str) -> dict[str, str]:
    section = next((each for each in SECTIONS if lexicon()[each]["language"] == language), None)
    kinds = lexicon()[section]["kinds"] if section else {}
    found = {}
    for slug, leaf in tree.leaves().items():
        if kinds.get(slug):  # a catalog has the path or the published slug
            found[path_text(leaf.path)] = found[slug] = kinds[slug][0]
    return found


def _classes(dataset: DatasetInfo, photo: bytes, word: str) -> dict[str, Any]:
    known = product_classifier.choosable()
    if not known:
        raise UsageError("No model is here that could say what it is.")
    model = product_classifier.fitting(known, Asked.read(f"dataset={dataset.name}"))
    found = product_classifier.classify(model, photo or None, word, "")
    return {
        "classes": [[label, round(share, 3)] for label, share in found.labels[:CLASSES] if share >= LEAST]
    }


def _like(dataset: DatasetInfo, photo: bytes, word: str) -> dict[str, Any]:
    searcher = _open(dataset)
    parts = [Part("image", "photo", image=photo)] if photo else []
    parts += [Part("text", word)] if word else []
    found = searcher.search(parts, LIKE, how="both" if word and not photo else "likeness")
    rows = searcher.products.by_row([hit.row_id for hit in found.hits])
    like = [
        {"name": row["name"] or row["category"] or row["item_id"], "picture": image_url(dataset, row["image_id"], 320)}
        for row in rows
    ]  # fmt: skip
    return {"like": like, "nothing": bool(found.hits) and all(hit.nothing for hit in found.hits)}


def _vectors(dataset: DatasetInfo) -> tuple[str, str] | None:
    """The vectors that read words and photos, and when they were made."""
    for name, described in preferred(sets(dataset)):
        if described.tower == "image" and described.encoder not in PICTURES_ALONE:
            return name, described.created
    return None


def _open(dataset: DatasetInfo) -> Searcher:
    global _searcher
    found = _vectors(dataset)
    if found is None:
        raise UsageError(
            f"{dataset.name} has no vectors that could be searched: vitrine prepare {dataset.name}"
        )
    key = (dataset.name, dataset.fingerprint, dataset.created, *found)
    with _lock:
        if _searcher is None or _searcher[0] != key:
            _searcher = key, Searcher(Products(dataset), found[0], loaded_encoder)
        return _searcher[1]
