"""Real datasets imported once, and small ones of any shape written straight as tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.catalog import Products
from core.schema import PICTURES, PRODUCTS

Toy = Callable[[Sequence[dict[str, Any]]], Products]


@pytest.fixture(scope="session")
def grocery(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Products:
    from core.build import import_dataset

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(tmp_path_factory.mktemp("grocery-home")))
        import_dataset("table", [str(shared_data / "grocery" / "products.csv")], "grocery")
        return Products.open("grocery")


@pytest.fixture
def glami(glami_mini: str) -> Products:
    return Products.open(glami_mini)


@pytest.fixture
def toy(home: Path) -> Toy:
    """A dataset of the given rows; columns that a row does not name are NULL."""
    made = 0

    def make(rows: Sequence[dict[str, Any]]) -> Products:
        nonlocal made
        made += 1
        folder = home / f"toy{made}"
        folder.mkdir(parents=True)
        full = []
        for number, row in enumerate(rows):
            row = dict.fromkeys(PRODUCTS.names) | {"row_id": number} | row
            if row["category"] is not None and row["category_path"] is None:
                row["category_path"] = [row["category"]]
            for text in ("name", "description"):
                row[f"{text}_length"] = None if row[text] is None else len(row[text])
            full.append(row)
        pq.write_table(pa.Table.from_pylist(full, schema=PRODUCTS), folder / "products.parquet")
        pq.write_table(PICTURES.empty_table(), folder / "pictures.parquet")
        described = {
            "format": 1, "source": "table", "licence": "none", "rows": len(full), "created": "2026-01-01T00:00:00+00:00",
            "fingerprint": f"toy-{made}", "splits": {}, "categories": 0, "geos": 0, "with_picture": 0,
            "pictures": {"archives": [], "root": None},
        }  # fmt: skip
        (folder / "dataset.json").write_text(json.dumps(described))
        return Products.open(folder.name)

    return make
