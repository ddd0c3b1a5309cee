"""Products of a dataset that visitors can try, as files that Gradio can hand out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.catalog.cohort import Cohort
from core.catalog.info import datasets
from core.catalog.products import Products
from core.images.pictures import Pictures, Thumbnails
from pages.panels.served import served, thumbnails_in_time

WIDTH_PX = 480


@dataclass(frozen=True)
class Example:
    """A product that a visitor can try."""

    picture: Path
    name: str
    description: str
    dataset: str = ""
    image_id: str = ""
    category: tuple[str, ...] = ()


def product_examples(dataset: str | None = None, n: int = 12, seed: int = 3) -> Sequence[Example]:
    """Up to n products with a picture, of the test split where there is one.

    Args:
        dataset: its name; the first there is otherwise.
    """
    known = [found for found in datasets() if dataset in (None, found.name)]
    if not known:
        return []
    info = known[0]
    products, thumbnails = Products(info), Thumbnails(Pictures(info))
    split = ("test",) if info.splits.get("test") else ()
    found = []
    rows = products.rows(Cohort(info.name, split=split, picture=True), "shuffle", seed, limit=2 * n)
    pictures = thumbnails_in_time(thumbnails, [row["image_id"] for row in rows], WIDTH_PX)
    for row, data in zip(rows, pictures, strict=False):
        if data is None:
            continue
        found.append(
            Example(
                served(data, "examples"), row["name"] or "", row["description"] or "",
                info.name, row["image_id"] or "", row["category_path"],
            )
        )  # fmt: skip
        if len(found) == n:
            break
    return found
