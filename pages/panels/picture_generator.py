"""What the generation panel draws with: the bundled generator, loaded when somebody asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo, datasets
from core.catalog.products import Products
from core.embeddings.loading import loaded_encoder
from core.embeddings.store import open_set, sets
from core.errors import VitrineError
from core.generation import phrases
from pages.panels.generation_view import near_address

if TYPE_CHECKING:
    from core.generation.model import Generator
    from core.generation.sampling import Drawing, Step
    from core.generation.texts import TextReader

LANGUAGES = {
    "cz": "Czech", "sk": "Slovak", "ro": "Romanian", "gr": "Greek", "si": "Slovenian", "hu": "Hungarian", "hr": "Croatian",
    "es": "Spanish", "lt": "Lithuanian", "lv": "Latvian", "tr": "Turkish", "ee": "Estonian", "bg": "Bulgarian",
}  # fmt: skip
ENCODER = "clip-lite"  # in whose space the nearest training pictures are sought
_lock = threading.Lock()


@lru_cache(maxsize=1)
def _loaded() -> tuple[Generator, TextReader]:
    from core.generation.model import BUNDLED, load
    from core.generation.texts import text_reader

    generator = load(BUNDLED)
    return generator, text_reader(generator.config.texts, generator.config.tokens)


def loaded() -> tuple[Generator, TextReader]:
    """The bundled generator and its text encoder; concurrent requests load them once.

    Raises:
        ModelError: its weights are missing or damaged.
    """
    with _lock:
        return _loaded()


def draw(asked: Drawing, texts: Sequence[str]) -> Iterator[Step]:
    from core.generation import sampling

    return sampling.draw(*loaded(), asked, texts)


def languages(phrase: str) -> list[tuple[str, str, str, bool]]:
    """Name, tag and text of a phrase in each language, and whether it was translated."""
    return [
        (LANGUAGES[one.country], one.language, one.text, one.translated)
        for one in phrases.in_every_language(phrase)
    ]


def model_name() -> str:
    return loaded()[0].card.name


def card() -> str:
    """What the model was trained on, as Markdown."""
    made = loaded()[0].card
    names = ", ".join(made.datasets)
    return (
        f"**{made.name}**: two U-Nets, 32 and 64 pixels, trained on Vitrine's drawn products ({names}), "
        f"{made.steps.get('base', 0):,} and {made.steps.get('upsampler', 0):,} steps on one processor core. It knows the kinds "
        "and colours of the built-in dataset, in thirteen languages and English, and nothing else; it draws coarse pictures. "
        "Every PNG says that it was generated, by which model, phrase and seed."
    )


def nearest(pictures: Any) -> list[list[tuple[str, str]]]:
    """Address and words of the two nearest training pictures of each picture; none where the dataset is not here."""
    dataset = _trained_on()
    if dataset is None:
        return []
    try:
        found, rows = _vectors(dataset.name, dataset.fingerprint)
        encoder = loaded_encoder(ENCODER)
        pixels = np.stack([encoder.preprocessing.pixels(Image.fromarray(one)) for one in pictures])
        scores = encoder.encode_pixels(pixels) @ found.T
    except VitrineError:
        return []
    best = np.argsort(-scores, axis=1)[:, :2]
    return [
        [
            (near_address(dataset.name, rows[place]), f"Training picture, cosine {scores[row, place]:.2f}")
            for place in places
        ]
        for row, places in enumerate(best)
    ]


def _trained_on() -> DatasetInfo | None:
    """The training dataset, if it is here and has vectors; a drawn one's fingerprint differs between machines, its name does not."""
    trained = loaded()[0].card.datasets
    for dataset in datasets():
        same = dataset.fingerprint in trained.values() or dataset.name in trained
        if same and ENCODER in sets(dataset):
            return dataset
    return None


@lru_cache(maxsize=1)
def _vectors(name: str, fingerprint: str) -> tuple[Any, list[str]]:
    """(n, d) float32 of length 1 and the picture of each, of the training split."""
    products = Products.open(name)
    stored = open_set(products.info, ENCODER)
    frame = products.frame(
        "SELECT row_id, image_id FROM cohort WHERE image IS NOT NULL ORDER BY row_id",
        Cohort(name, split=("train",)),
    )
    rows = frame.row_id.to_numpy()
    there = np.asarray(stored.present)[rows]
    vectors = np.asarray(stored.vectors[rows[there]], np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-8)
    return vectors, [str(one) for one in frame.image_id[there]]
