"""A small dataset with planted duplicates in both splits, made of files that a test can read through."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.catalog.build import import_dataset
from core.catalog.products import Products

COLUMNS = ("item_id", "image_id", "split", "geo", "name", "description", "category", "image")
Make = Callable[..., Products]


def picture(seed: int) -> Image.Image:
    """Soft blobs that no two seeds share."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 255, (6, 5, 3), np.uint8)).resize(
        (120, 150), Image.Resampling.BICUBIC
    )


@pytest.fixture
def make(home: Path, tmp_path: Path) -> Make:
    """make(rows, name=...) imports a table; a row is a dict of COLUMNS, its image a PIL picture, bytes or None."""

    def build(rows: Sequence[dict[str, Any]], name: str = "planted") -> Products:
        import_dataset("table", [str(write(tmp_path / f"{name}-files", rows))], name)
        return Products.open(name)

    return build


def write(folder: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """A CSV file of these rows, and their pictures beside it."""
    folder.mkdir()
    written: set[str] = set()
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for number, row in enumerate(rows):
            made = {"item_id": f"i{number}", "split": "train", "geo": "cz", "category": "bags", **row}
            image = made.pop("image", None)
            if image is not None:
                made.setdefault("image_id", f"p{number}")
                path = folder / f"{made['image_id']}.jpg"
                if made["image_id"] not in written:
                    path.write_bytes(image) if isinstance(image, bytes) else image.save(path, quality=92)
                written.add(made["image_id"])
                made["image"] = path.name
            writer.writerow(made)
    return folder / "products.csv"


def planted_rows() -> list[dict[str, Any]]:
    """Rows 0-3 train, 4-7 test: 4 is 0's file, 5 is 1 recompressed, 6 is 2 mirrored; 3 and 7 are their own; 7 has 3's text."""
    base = [picture(seed) for seed in range(5)]
    train = [
        {"image": base[seed], "name": f"Product number {seed}", "description": f"All about thing {seed} " * 4}
        for seed in range(4)
    ]
    small = io.BytesIO()
    base[1].resize((80, 100)).save(small, "JPEG", quality=40)
    copy = io.BytesIO()
    base[0].save(copy, "JPEG", quality=92)
    test = [
        {"image": copy.getvalue(), "name": "Quite another", "description": "sold elsewhere"},
        {"image": small.getvalue(), "name": "Something else", "description": "not the same words"},
        {
            "image": ImageOps.mirror(base[2]),
            "name": "Facing left",
            "description": "a bag from the other side",
        },
        {"image": base[4], "name": "PRODUCT  number 3", "description": "all about thing 3 " * 4},
    ]
    return [*train, *({**row, "split": "test", "category": "hats"} for row in test)]


@pytest.fixture
def planted(make: Make) -> Products:
    """The dataset of `planted_rows`."""
    return make(planted_rows())
