"""The planted duplicates of the built-in dataset, drawn small."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.duplicates import planted, planted_texts
from core.catalog.products import Products
from core.demo.build import build
from core.duplicates import finding


def test_most_planted_duplicates_are_found_and_few_others(home: Path) -> None:
    build("small", 600, 0, "glami", lambda done, total, what: None)
    products = Products.open("small")
    truth = pd.read_parquet(products.info.folder / "truth.parquet")
    found = finding.find(products, ["pixels", "hash", "text"])
    pixels = planted(found["pixels"], truth, 6)
    assert pixels["precision"] >= 0.8
    assert pixels["recompressed"] >= 0.9 and pixels["mirrored"] >= 0.9
    hashes = planted(found["hash"], truth, 16)
    assert hashes["recoloured"] >= 0.6  # a new colour moves the pixels, and the hash less
    assert hashes["pairs"] > pixels["pairs"]
    assert planted_texts(found["text"], truth)["recall"] == pytest.approx(1)
