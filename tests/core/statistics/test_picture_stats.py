"""Measuring pictures: what is measured, what is broken, and what a kill leaves."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.errors import VitrineError
from core.statistics import picture_stats, pictures


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (40, 20), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def noise() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 80).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> Products:
    files = {
        "white.png": picture((255, 255, 255)), "red.png": picture((255, 0, 0), (20, 40)),
        "black.jpg": picture((0, 0, 0), (64, 64), "JPEG"), "half.png": noise()[:2_000], "text.jpg": b"not a picture",
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    table = pd.DataFrame(
        {"id": list(files), "name": list(files), "image": list(files), "category": "a", "geo": "cz"}
    )
    table.to_csv(tmp_path / "shop.csv", index=False)
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    return Products.open("shop")


def test_what_is_measured(shop: Products) -> None:
    assert picture_stats.measured(shop.info).state == "absent"
    assert "shop --pictures" in pictures.resolutions(shop).cannot
    seen: list[tuple[int, int]] = []
    path = picture_stats.measure(shop.info, lambda done, total, _: seen.append((done, total)))
    assert picture_stats.measured(shop.info).state == "done" and seen[-1] == (5, 5)
    found = pd.read_parquet(path).set_index("image_id")
    white, red, black = found.loc["white.png"], found.loc["red.png"], found.loc["black.jpg"]
    assert (white["width"], white["height"], white["format"], white["brightness"]) == (
        40,
        20,
        "PNG",
        pytest.approx(1),
    )
    assert (red["red"], red["green"], red["blue"]) == (255, 0, 0) and red["brightness"] == pytest.approx(
        0.2126
    )
    assert (black["format"], black["bytes"]) == ("JPEG", len(picture((0, 0, 0), (64, 64), "JPEG")))
    assert found["problem"].notna().sum() == 2
    assert pictures.problems(shop).values == {"products_without_picture": 0, "broken": 2, "unreadable": 0}
    assert pictures.resolutions(shop).frame()["pictures"].sum() == 4  # the cut one still has a header
    assert sorted(p.name for p in shop.info.folder.glob("picture_stats*")) == [
        "picture_stats.lock",
        "picture_stats.parquet",
    ]


def test_a_file_that_went_away_is_unreadable(shop: Products, tmp_path: Path) -> None:
    (tmp_path / "red.png").unlink()
    picture_stats.measure(shop.info)
    assert pictures.problems(shop).values["unreadable"] == 1


def test_a_killed_run_goes_on_where_it_stopped(shop: Products, monkeypatch) -> None:
    monkeypatch.setattr(picture_stats, "PART", 2)

    def killed(done: int, total: int, what: str) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        picture_stats.measure(shop.info, killed)
    state = picture_stats.measured(shop.info)
    assert (state.state, state.done, state.total) == ("stopped", 4, 5)
    read = []
    light = picture_stats.light
    monkeypatch.setattr(picture_stats, "light", lambda data: read.append(1) or light(data))
    picture_stats.measure(shop.info)
    assert len(read) <= 1 and picture_stats.measured(shop.info).state == "done"
    assert pq.read_metadata(picture_stats.stats_path(shop.info)).num_rows == 5


def test_what_an_earlier_import_left_is_measured_anew(shop: Products) -> None:
    path = picture_stats.measure(shop.info)
    picture_stats._write(path, pq.read_table(path), "another fingerprint")
    assert picture_stats.measured(shop.info).state == "stale"
    picture_stats.measure(shop.info)
    assert picture_stats.measured(shop.info).state == "done"


def test_only_one_measures(shop: Products) -> None:
    with picture_stats._lock(shop.info):
        assert picture_stats.measured(shop.info).state == "running"
        with pytest.raises(VitrineError, match="already"):
            picture_stats.measure(shop.info)


def test_the_process_in_the_background(shop: Products) -> None:
    picture_stats.start(shop.info)
    until = time.monotonic() + 30
    while picture_stats.measured(shop.info).state != "done":
        assert time.monotonic() < until
        time.sleep(0.1)
    assert pictures.numbers(shop)["measured"] == 5


def test_nothing_to_measure_is_said(toy) -> None:
    products = toy([{"name": "a"}])
    with pytest.raises(VitrineError, match="no pictures"):
        picture_stats.measure(products.info)
