"""Which products are of a split; a dataset without a training split is divided by its ids."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import pandas as pd

from core.catalog.cohort import Cohort, path_text
from core.catalog.products import Products

COLUMNS = "row_id, item_id, image_id, split, geo, language, name, description, category_path, label_source, label_kind"


def product_frame(products: Products, splits: Sequence[str], human_only: bool = False) -> pd.DataFrame:
    """Products of some splits in the dataset's order, with `label`: the category path as text.

    A dataset without a training split is divided 8:2 (as MEP-3M, at random) by a hash of item_id, so that all
    models and evaluations use the same split.
    """
    parted = "train" in products.info.splits
    cohort = Cohort(
        products.info.name,
        split=tuple(splits) if parted else (),
        label_kind=("human",) if human_only else (),
    )
    frame = products.frame(f"SELECT {COLUMNS} FROM cohort ORDER BY row_id", cohort)  # noqa: S608
    if not parted:
        frame["split"] = [split_of(item_id) for item_id in frame.item_id]
        frame = frame[frame.split.isin(list(splits))]
    frame["label"] = [path_text(path) if path is not None else None for path in frame.category_path]
    for column in ("name", "description", "image_id"):
        frame[column] = frame[column].astype(object).where(frame[column].notna(), None)
    return frame


def split_of(item_id: str | None) -> str:
    """`test` for a fixed fifth of all ids, else `train`."""
    return "test" if zlib.crc32(str(item_id).encode()) % 5 == 0 else "train"
