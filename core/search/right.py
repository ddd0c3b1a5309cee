"""Which results of a search are right, where the dataset knows it: by what was drawn, or by a product's own text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from core.catalog.products import Products
from core.demo.meaning import wanted

Key = tuple[str, str, str]


def right(products: Products, text: str, rows: Sequence[Mapping[str, Any]]) -> list[bool | None]:
    """Is each product what a sentence asks for? None for all where the dataset does not know.

    Vitrine's own datasets know what was drawn: a product is right that has the kind, colour, pattern and material that the
    sentence names; where nothing of the kind was drawn, nothing is said. In others a sentence that is a product's own name or
    description has that product as its answer.

    Args:
        rows: complete products, as `Products.by_row` gives them.
    """
    asked = wanted(text) if text.strip() else None
    looks = _looks(products.info.name, products.info.fingerprint) if asked else {}
    if asked and looks:
        if not any(asked.fits(look) for look in looks.values()):
            return [None] * len(rows)
        found = [looks.get((str(row["item_id"]), str(row["geo"]), str(row["image_id"]))) for row in rows]
        return [None if look is None else asked.fits(look) for look in found]
    said = _folded(text)
    own = [bool(said) and said in (_folded(row["name"]), _folded(row["description"])) for row in rows]
    return [one if any(own) else None for one in own]


def _folded(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


@lru_cache(maxsize=4)
def _looks(dataset: str, fingerprint: str) -> dict[Key, dict[str, str]]:
    """What was drawn of each product; empty where the dataset is not Vitrine's own."""
    path = Products.open(dataset).info.folder / "truth.parquet"
    if not path.exists():
        return {}
    import pyarrow.parquet as pq

    names = ["item_id", "geo", "image_id", "kind", "colour", "pattern", "material"]
    records = pq.read_table(path, columns=names).to_pylist()
    return {(str(one["item_id"]), str(one["geo"]), str(one["image_id"])): one for one in records}
