"""The benchmark asks both sides the same: what it measures must be the same answers."""

from __future__ import annotations

from benchmarks import catalog, glami_shaped
from core.catalog.build import import_dataset


def test_vitrine_and_pandas_find_the_same_products(home, tmp_path):
    glami_shaped.write(tmp_path / "g.zip", 3_000, stream_words=50_000)
    report = import_dataset("glami", [str(tmp_path / "g.zip")], catalog.NAME)
    assert report.splits == {"train": 2_700, "test": 300} and not report.rejected and not report.warnings
    asked = catalog.questions(25, glami_shaped.common_words())
    found = list(catalog.browse_with_vitrine(asked, tmp_path / "g.zip"))
    assert found == list(catalog.browse_with_pandas(asked, tmp_path / "g.zip"))
    assert len(set(found)) > 10
