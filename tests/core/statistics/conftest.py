"""Real datasets imported once, and small ones of any shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.schema import FROM_SOURCE, PRODUCTS, REJECTED
from core.sources.reading import Batch, Places, Reading, SourceSpec

Toy = Callable[[Sequence[dict[str, Any]]], Products]


@pytest.fixture(scope="session")
def grocery(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Products:
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
    schema = pa.schema([PRODUCTS.field(name) for name in FROM_SOURCE])
    made = 0

    def make(rows: Sequence[dict[str, Any]]) -> Products:
        nonlocal made
        made += 1
        full = [dict.fromkeys(FROM_SOURCE) | row for row in rows]
        for row in full:
            if row["category"] is not None and row["category_path"] is None:
                row["category_path"] = [row["category"]]
        batch = Batch(pa.Table.from_pylist(full, schema=schema), REJECTED.empty_table())
        spec = SourceSpec("toy", "", "", "", "", lambda *_: Reading(iter([batch]), Places(), "none"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("core.catalog.build.source", lambda name: spec)
            import_dataset("toy", [], f"toy{made}")
        return Products.open(f"toy{made}")

    return make
