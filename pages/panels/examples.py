"""Products of a dataset that visitors can try, as files that Gradio can hand out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo, datasets
from core.catalog.products import Products
from core.images.pictures import Pictures, Thumbnails
from pages.panels.served import served, thumbnails_in_time

WIDTH_PX = 480


@dataclass(frozen=True)
class Example:
    """A product that a visitor can try."""

    picture: Path | None
    name: str
    description: str
    dataset: str = ""
    image_id: str = ""
    category: tuple[str, ...] = ()
    item_id: str = ""


def product_examples(
    dataset: str | None = None, n: int = 12, seed: int = 3, among: Cohort | None = None
) -> Sequence[Example]:
    """Up to n products with a picture, of the test split where there is one.

    Args:
        dataset: its name; the first there is otherwise.
        among: a cohort that they are of; of it all splits where it names some, or has nothing in the test split.
    """
    if among is not None:
        dataset = among.dataset
    known = [found for found in datasets() if dataset in (None, found.name)]
    if not known:
        return []
    info = known[0]
    products, thumbnails = Products(info), Thumbnails(Pictures(info))
    split = ("test",) if info.splits.get("test") else ()
    of = (among or Cohort(info.name)).with_(picture=True)
    rows = products.rows(of.with_(split=of.split or split), "shuffle", seed, limit=2 * n)
    rows = rows or products.rows(of, "shuffle", seed, limit=2 * n)
    return _shown(info, rows, thumbnails, n)


def product_example(dataset: str, key: str) -> Example | None:
    """One product with its picture, if it has one that can be opened; None where it is not there.

    Args:
        key: what names it in an address: its item_id, and after a ~ its row where that repeats.
    """
    known = [found for found in datasets() if found.name == dataset]
    if not known:
        return None
    products = Products(known[0])
    item_id, _, row = key.rpartition("~")
    rows = products.item(item_id) or products.item(key)
    chosen = [each for each in rows if str(each["row_id"]) == row] or rows
    found = _shown(known[0], chosen[:1], Thumbnails(Pictures(known[0])), pictureless=True)
    return found[0] if found else None


def no_picture() -> Path:
    """What stands for a product without a picture where Gradio wants one."""
    out = BytesIO()
    Image.new("RGB", (228, 298), "#DEDAD2").save(out, "WEBP")
    return served(out.getvalue(), "examples")


def row_example(dataset: str, row: int) -> Example | None:
    """One product by its row, as `product_example`."""
    known = [found for found in datasets() if found.name == dataset]
    if not known:
        return None
    rows = Products(known[0]).by_row([row])
    found = _shown(known[0], rows, Thumbnails(Pictures(known[0])), pictureless=True)
    return found[0] if found else None


def _shown(
    info: DatasetInfo,
    rows: Sequence[Mapping[str, Any]],
    thumbnails: Thumbnails,
    n: int = 1,
    pictureless: bool = False,
) -> list[Example]:
    """Up to n of these products as examples; those without a picture only where they are asked for."""
    found = []
    pictures = thumbnails_in_time(thumbnails, [row["image_id"] for row in rows], WIDTH_PX)
    for row, data in zip(rows, pictures, strict=False):
        if data is None and not pictureless:
            continue
        found.append(
            Example(
                None if data is None else served(data, "examples"), row["name"] or "", row["description"] or "",
                info.name, row["image_id"] or "", row["category_path"], row["item_id"] or "",
            )
        )  # fmt: skip
        if len(found) == n:
            break
    return found
