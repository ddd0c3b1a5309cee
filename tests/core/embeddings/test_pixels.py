from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.catalog.info import info
from core.embeddings import pixels
from core.embeddings.pixels import PixelCache
from core.errors import StorageError
from tests.toy import import_toy, write_toy


@pytest.fixture
def toy(home: Path, tmp_path: Path) -> Path:
    source = write_toy(tmp_path / "toy-source")
    (source / "images" / "1.jpg").write_bytes(b"broken")
    from core.catalog.build import import_dataset

    import_dataset("glami", [str(source)], "toy")
    return home


def test_pictures_are_decoded_once_by_workers(toy: Path) -> None:
    cache = PixelCache(info("toy"), 20, 16)
    ids = [str(number) for number in range(90)]
    assert cache.fill(ids, workers=2) == {"pictures": 72, "decoded": 72, "broken": 1}
    assert cache.fill(ids, workers=2)["decoded"] == 0
    again = PixelCache(info("toy"), 20, 16)
    assert again.fill(ids)["decoded"] == 0
    rows = again.rows(["2", "0", None, "1", "nowhere"])
    assert rows[0] >= 0 and rows[1:].tolist() == [-1] * 4
    batch = again.batch(rows)
    assert batch.shape == (5, 20, 16, 3)
    assert batch[0].mean(axis=(0, 1)).tolist() == pytest.approx([30, 40, 200], abs=8)
    assert not batch[1:].any()


def test_only_what_is_missing_is_decoded(toy: Path) -> None:
    cache = PixelCache(info("toy"), 20, 16)
    assert cache.fill(["2", "3"])["decoded"] == 2
    assert cache.fill(["2", "3", "4"])["decoded"] == 1


def test_another_size_and_a_changed_dataset_are_other_arrays(toy: Path, tmp_path: Path) -> None:
    from core.catalog.info import remove

    PixelCache(info("toy"), 20, 16).fill(["2"])
    assert PixelCache(info("toy"), 10, 8).fill(["2"])["decoded"] == 1
    remove("toy")
    import_toy(tmp_path / "again")
    assert PixelCache(info("toy"), 20, 16).fill(["2"])["decoded"] == 1


def test_no_room_is_said(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "LARGEST_BYTES", 1_000)
    with pytest.raises(StorageError, match="smaller pictures"):
        PixelCache(info("toy"), 20, 16)


def test_a_dataset_without_pictures(home: Path, tmp_path: Path) -> None:
    from core.catalog.build import import_dataset

    source = write_toy(tmp_path / "bare")
    for path in (source / "images").iterdir():
        path.unlink()
    import_dataset("glami", [str(source)], "bare")
    cache = PixelCache(info("bare"), 20, 16)
    assert cache.fill(["1"]) == {"pictures": 0, "decoded": 0, "broken": 0}
    assert cache.batch(cache.rows(["1", None])).shape == (2, 20, 16, 3)
    assert np.all(cache.rows(["1"]) == -1)
