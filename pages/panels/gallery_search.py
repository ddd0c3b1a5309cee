"""What the retrieval panel searches: every dataset that has vectors, without Streamlit's caches."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from core.catalog.cohort import path_from_text, path_text
from core.catalog.info import DatasetInfo, datasets, info
from core.catalog.products import Products
from core.embeddings.clip import ENCODERS, run_encoders
from core.embeddings.loading import loaded_encoder
from core.embeddings.store import PICTURES_ALONE, Description, preferred, sets
from core.errors import UsageError, VitrineError
from core.images.pictures import Pictures, Thumbnails
from core.search.query import AWAY, How, Part, Searcher
from core.search.right import right
from core.settings import settings
from pages.components.shared import photos
from pages.panels.address import Asked, filters_of
from pages.panels.examples import row_example
from pages.panels.retrieval_events import Found, Gallery
from pages.panels.served import served, thumbnails_in_time

SEPARATOR = " / "  # between a dataset and its vectors: neither can hold it
WIDTH_PX = 320
OPEN = 4  # searchers in the cache

_searchers: OrderedDict[tuple[str, ...], tuple[Searcher, Thumbnails]] = OrderedDict()
_lock = threading.Lock()


def galleries() -> list[Gallery]:
    """Each dataset with each set of vectors that texts and pictures can be compared with."""
    found = []
    for dataset in datasets():
        for name, described in preferred(sets(dataset)):
            if described.tower != "imported":
                choices = _choices(dataset.name, dataset.fingerprint)
                title = f"{dataset.name}, {name}"
                found.append(
                    Gallery(
                        f"{dataset.name}{SEPARATOR}{name}",
                        title,
                        _about(dataset, described),
                        *choices,
                        dataset.name,
                        described.encoder not in PICTURES_ALONE,
                    )
                )
    return found


def search(
    gallery: str,
    text: str,
    picture: Path | None,
    without: str,
    countries: Sequence[str],
    categories: Sequence[str],
    k: int,
    filters: str = "",
    how: How = "both",
) -> list[Found]:
    """The nearest products of a gallery; see `pages.panels.retrieval_events.Backend`.

    Raises:
        VitrineError: the gallery is gone, the query is empty, or the picture cannot be opened.
    """
    dataset_name, separator, vectors = gallery.partition(SEPARATOR)
    if not separator:
        raise UsageError(f"{gallery!r} cannot be searched. Choose another.")
    dataset = info(dataset_name)
    searcher, thumbnails = _open(dataset, vectors)
    parts = [Part("text", text)] if text.strip() else []
    if picture is not None:
        if picture.stat().st_size > settings().upload_bytes:
            raise UsageError(f"The picture is larger than {settings().upload_bytes >> 20} MB.")
        parts.append(Part("image", "picture", image=picture.read_bytes()))
    if without.strip():
        parts.append(Part("text", without, weight=-AWAY))
    for what, asked, known in zip(
        ("country", "category"),
        (countries, categories),
        _choices(dataset.name, dataset.fingerprint),
        strict=True,
    ):
        if strange := [each for each in asked if each not in known]:
            some = ", ".join(known[:8])
            raise UsageError(
                f"{dataset_name} has no {what} {strange[0]!r}. It has: {some}{', ...' if known[8:] else ''}."
            )
    cohort = filters_of(filters, dataset_name).with_(
        geo=tuple(countries), category=tuple(path_from_text(path) for path in categories)
    )
    mask = None if cohort.with_(fingerprint=None).is_whole() else searcher.products.mask(cohort)
    answer = searcher.search(parts, k, mask, how if text.strip() else "likeness")
    rows = searcher.products.by_row([hit.row_id for hit in answer.hits])
    flags = right(searcher.products, text, rows)
    pictures = thumbnails_in_time(thumbnails, [row["image_id"] for row in rows], WIDTH_PX)
    return [
        Found(
            served(data, "found") if data is not None else None,
            ("✓ " if flag else "")
            + ": ".join(filter(None, [hit.likeness, row["name"] or row["category"] or row["item_id"]])),
            {
                "item_id": row["item_id"],
                "image_id": row["image_id"],
                "score": round(hit.score, 6),
                "name": row["name"],
                "category": row["category"],
                "country": row["geo"],
                "by": list(hit.by),
                "likeness": hit.likeness or None,
                **({} if flag is None else {"right": flag}),
            },
        )
        for hit, row, data, flag in zip(answer.hits, rows, pictures, flags, strict=True)
    ]


def question_picture(asked: Asked) -> Path | None:
    """The picture that the address asks about: a photo that was uploaded on the Search page, or a product's."""
    with suppress(VitrineError):
        if asked.photo:
            return photos.path_of(asked.photo)
    if asked.like is None or asked.cohort is None:
        return None
    found = row_example(asked.cohort.dataset, asked.like)
    return found.picture if found else None


def _open(dataset: DatasetInfo, vectors: str) -> tuple[Searcher, Thumbnails]:
    made = next((described.created for name, described in sets(dataset) if name == vectors), "")
    key = (dataset.name, dataset.fingerprint, dataset.created, vectors, made)
    with _lock:
        if key not in _searchers:
            opened = Searcher(Products(dataset), vectors, loaded_encoder), Thumbnails(Pictures(dataset))
            _searchers[key] = opened
            while len(_searchers) > OPEN:
                _searchers.popitem(last=False)
        _searchers.move_to_end(key)
        return _searchers[key]


@lru_cache(maxsize=32)
def _choices(name: str, fingerprint: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Countries, most frequent first, and categories in the tree's order."""
    products = Products.open(name)
    return tuple(products.facet("geo")), tuple(path_text(path) for path, _ in products.categories())


def _about(dataset: DatasetInfo, described: Description) -> str:
    known = [*ENCODERS, *run_encoders()]
    spec = next((spec for spec in known if spec.name == described.encoder), None)
    trained = f" {spec.title}: trained on {spec.trained_on}." if spec else ""
    what = "pictures" if described.tower == "image" else "texts of products"
    return f"**{dataset.name}**, {described.present:,} {what}.{trained}"
