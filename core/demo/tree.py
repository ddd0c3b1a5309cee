"""The category tree of the built-in dataset.

As in GLAMI, the archive has only an integer and a slug for a category; the paths shown in the catalog are in
`assets/demo/tree.toml`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from core.settings import ASSETS

TREE_FILE = ASSETS / "demo" / "tree.toml"


@dataclass(frozen=True)
class Leaf:
    """A category: `slug` and `category_id` as in the archive, and its paths from root to leaf."""

    slug: str
    category_id: int
    path: tuple[str, ...]  # English
    path_zh: tuple[str, ...]  # simplified Chinese, as long as `path`


@cache
def leaves() -> dict[str, Leaf]:
    """Every category by its slug, in the order of the file."""
    with TREE_FILE.open("rb") as file:
        entries = tomllib.load(file)
    return {
        slug: Leaf(slug, entry["id"], tuple(entry["en"].split(" > ")), tuple(entry["zh"].split(" > ")))
        for slug, entry in entries.items()
    }


def path(slug: str) -> tuple[str, ...]:
    """The English path of a category; an unknown slug is its own path.

    >>> path("earrings")
    ('Jewellery, watches and glasses', 'Jewellery', 'Earrings')
    """
    leaf = leaves().get(slug)
    return leaf.path if leaf else (slug,)


def counterpart(slug: str) -> str | None:
    """The same garment for the other sex, or None.

    >>> counterpart("womens-jeans"), counterpart("umbrellas")
    ('mens-jeans', None)
    """
    for own, other in (("womens-", "mens-"), ("mens-", "womens-")):
        if slug.startswith(own):
            twin = other + slug.removeprefix(own)
            return twin if twin in leaves() else None
    return None


@cache
def neighbours(slug: str) -> dict[str, float]:
    """The categories that `slug` may be confused with, each with its closeness.

    1 for a leaf of the same branch, 0.6 for the counterpart of the other sex, 0.15 for a leaf that
    shares only the root.
    """
    leaf = leaves()[slug]
    close: dict[str, float] = {}
    for other in leaves().values():
        if other.path[:2] == leaf.path[:2]:
            close[other.slug] = 1.0
        elif other.path[:1] == leaf.path[:1]:
            close[other.slug] = 0.15
    twin = counterpart(slug)
    if twin:
        close[twin] = 0.6
    del close[slug]
    return close
