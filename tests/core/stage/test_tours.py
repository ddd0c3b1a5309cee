"""Tours: what a file may hold, that it travels with its dataset, and that nothing in it leads out of the app."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.catalog.build import import_dataset
from core.catalog.info import info, remove
from core.errors import UnknownDatasetError, UsageError
from core.stage import tours
from core.stage.tours import Stop, Tour


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> str:
    (tmp_path / "shop.csv").write_text("title,kind\nBoots,Shoes\nHat,Hats\n", encoding="utf-8")
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    return "shop"


def file(**change: Any) -> bytes:
    stop = {"line": "Red", "page": "browse", "query": {"text": ["red"]}, "notes": "look"}
    said = {"vitrine": "tour", "version": 1, "name": "t", "title": "T", "stops": [stop]}
    return json.dumps(said | change).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff\xfe", b"[" * 50_000, b"[]", b"null", b" " * (tours.FILE_BYTES + 1), file(vitrine="views"), file(version=2),
        file(stops={}), file(stops=[None]), file(stops=[{"line": "x", "page": "browse", "query": {"text": "red"}}]),
        file(stops=[{"line": "x", "page": "browse", "query": []}]), file(stops=[{"line": "", "page": "browse"}]),
        file(stops=[{"line": "x" * 201, "page": "browse"}]), file(stops=[{"line": "a\nb", "page": "browse"}]),
        file(stops=[{"line": "x", "page": "https://attacker.example"}]), file(stops=[{"line": "x", "page": "//attacker.example"}]),
        file(stops=[{"line": "x", "page": "sign-out"}]), file(stops=[{"line": "x", "page": "stage"}]),
        file(stops=[{"line": "x", "page": "browse", "query": {"a b": ["x"]}}]), file(stops=[{"line": "x", "page": "browse"}] * 61),
        file(stops=[{"line": "x", "page": "browse", "notes": "n" * 4_001}]), file(title=7), file(name="../x"), file(title="\0"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_tour_is_refused_with_a_line(shop: str, data: bytes) -> None:
    with pytest.raises(UsageError) as error:
        tours.receive(shop, data)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400
    assert tours.tours(info(shop)) == []


@pytest.mark.parametrize(
    "link", ["https://attacker.example/a/b", "javascript:alert(1)", "//attacker.example", "data:text/html,x", "/sign-out", "x" * 20_000,
             "/download/shop.csv", "http://[", "/browse?" + "&".join(["a=1"] * 2_001)],
)  # fmt: skip
def test_a_link_that_leaves_the_app_is_no_view(link: str) -> None:
    with pytest.raises(UsageError):
        tours.stop_of_link("x", link, "shop")


def test_a_tour_is_made_view_by_view_moved_sent_and_received(shop: str) -> None:
    tours.add(
        shop,
        "mine",
        "Mine",
        tours.stop("Hats", "browse", {"dataset": [shop], "fingerprint": ["00"], "text": ["hat"]}, shop),
    )
    tours.add(
        shop,
        "mine",
        "Mine",
        tours.stop_of_link("All", f"http://127.0.0.1:8501/statistics?dataset={shop}&subject=Text", shop),
    )
    tours.add(shop, "mine", "Mine", tours.stop("Elsewhere", "map", {"dataset": ["other"]}, shop, "a\nb"))
    made = tours.tour(shop, "mine")
    assert [stop.address(shop) for stop in made.stops] == [
        "/browse?dataset=shop&text=hat", "/statistics?dataset=shop&subject=Text", "/map?dataset=other"
    ]  # fmt: skip
    assert [bool(stop.trouble(shop)) for stop in made.stops] == [False, False, True]
    assert [stop.line for stop in made.moved(2, -9).stops] == ["Elsewhere", "Hats", "All"]
    assert [stop.line for stop in made.without(0).stops] == ["All", "Elsewhere"]
    again = tours.receive(shop, made.bytes())
    assert again.name == "mine-2" and again.stops == made.stops
    tours.remove(shop, "mine-2")
    assert [each.name for each in tours.tours(info(shop))] == ["mine"]


def test_a_tour_goes_with_its_dataset_and_a_damaged_file_stops_no_other(shop: str) -> None:
    tours.save(shop, Tour("good", "Good", (Stop("x", "browse"),)))
    (info(shop).folder / tours.FOLDER / "bad.json").write_bytes(b"{")
    assert [each.name for each in tours.tours(info(shop))] == ["good"]
    with pytest.raises(UsageError, match="JSON"):
        tours.tour(shop, "bad")
    with pytest.raises(UsageError, match="there is: good"):
        tours.tour(shop, "../../etc/passwd")
    remove(shop)
    with pytest.raises(UnknownDatasetError):
        tours.tour(shop, "good")


def test_the_shipped_tour_has_eight_views_of_the_dataset_it_is_shown_with() -> None:
    shipped = tours.read(tours.SHIPPED.read_bytes())
    assert len(shipped.stops) == 8 and all(stop.notes for stop in shipped.stops)
    assert all("dataset=anew" in stop.address("anew") for stop in shipped.stops)


def test_the_tour_of_a_dataset_that_vitrine_drew_is_found_by_its_name(shop: str) -> None:
    described = info(shop).folder / "dataset.json"
    described.write_text(described.read_text().replace('"table"', '"glami"'))
    (info(shop).folder / "truth.parquet").touch()
    assert [each.name for each in tours.tours(info(shop))] == [tours.STORY]
    assert tours.tour(shop, tours.STORY).stops
