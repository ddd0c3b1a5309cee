"""The Map page in the states that a visitor meets, and the bytes that its component fetches."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from core.catalog import info as catalog
from core.catalog import map_files
from core.catalog.cohort import Cohort, area_text
from core.embeddings.store import Description, writing
from pages import map_routes, routes
from pages.components.map import map_view
from pages.resources import maps
from tests.drawn_map import by_category, write_map
from tests.pages.conftest import counted

Open = Callable[..., AppTest]


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> catalog.DatasetInfo:
    """Twelve products; a name holds markup."""
    from core.catalog.build import import_dataset

    lines = ["item_id,name,category,geo"]
    lines += [
        f"{row},<b>{('boot', 'hat')[row % 2]}</b> {row},{('boots', 'hats')[row % 2]},{('cz', 'sk')[row % 3 > 1]}"
        for row in range(12)
    ]
    (tmp_path / "shop.csv").write_text("\n".join(lines))
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    return catalog.info("shop")


@pytest.fixture
def mapped(shop: catalog.DatasetInfo) -> catalog.DatasetInfo:
    """Boots on the left, hats on the right; the last product is not on the map."""
    points = np.array([[(-0.5, 0.5)[row % 2], row / 24] for row in range(12)])
    points[11] = np.nan
    write_map(shop, points, np.arange(12) % 2, ["boots", "hats"])
    return shop


@pytest.fixture
def client(mapped: catalog.DatasetInfo) -> TestClient:
    return TestClient(Starlette(routes=routes.ROUTES))


LEFT = ((-0.9, -0.9), (0.0, -0.9), (0.0, 0.9), (-0.9, 0.9))


def said(page: AppTest) -> str:
    return " ".join(element.value for element in [*page.caption, *page.info, *page.error, *page.warning])


def vectors(info: catalog.DatasetInfo, seed: int = 0) -> None:
    plan = Description("own", "imported", 8, info.fingerprint, info.rows, created=f"then {seed}")
    with writing(info, "own", plan, 1, restart=True) as writer:
        drawn = np.random.default_rng(seed).standard_normal((info.rows, 8))
        writer.write(0, np.arange(info.rows), drawn, np.ones(info.rows, bool))


def test_without_a_dataset(home: Path, open_page: Open) -> None:
    assert "no dataset yet" in said(open_page("map.py"))


def test_without_vectors_it_offers_to_make_them(shop: catalog.DatasetInfo, open_page: Open) -> None:
    page = open_page("map.py", dataset="shop")
    assert "has no vectors" in said(page) and "vitrine embed shop" in said(page)
    assert "choose Words" not in said(page) and "The map is computed from them" in said(page)


def test_without_a_map_it_offers_to_make_it(shop: catalog.DatasetInfo, open_page: Open) -> None:
    vectors(shop)
    page = open_page("map.py", dataset="shop")
    assert "has no map yet" in said(page) and not page.exception
    assert [button.label for button in page.button].count("Make the map") == 1


def test_a_visitor_from_elsewhere_cannot_make_one(
    shop: catalog.DatasetInfo, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors(shop)
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: False)
    page = open_page("map.py", dataset="shop")
    assert "Make the map" not in [button.label for button in page.button]
    assert "vitrine map shop --encoder own" in said(page)


def test_a_stale_map_is_said_and_can_be_made_again(mapped: catalog.DatasetInfo, open_page: Open) -> None:
    vectors(mapped)
    path = mapped.folder / "maps" / "drawn" / "map.json"
    described = json.loads(path.read_text())
    path.write_text(json.dumps({**described, "vectors": "own", "vectors_digest": "of others"}))
    page = open_page("map.py", dataset="shop")
    assert "older than its vectors" in said(page) and "needs a new map" in said(page)
    assert "Make the map" in [button.label for button in page.button]


def test_a_link_to_a_map_that_is_not_there_says_so(mapped: catalog.DatasetInfo, open_page: Open) -> None:
    page = open_page("map.py", dataset="shop", map="other")
    assert "has no map other" in said(page) and not page.exception
    assert "vitrine map" not in said(page)
    page.button(key="instead-drawn").click().run()
    assert "11 of 12 products" in said(page) and page.query_params["map"] in ("drawn", ["drawn"])


def test_the_map_is_shown_and_named_in_the_address(mapped: catalog.DatasetInfo, open_page: Open) -> None:
    page = open_page("map.py", dataset="shop")
    assert not page.exception and not page.error
    assert page.query_params["map"] in ("drawn", ["drawn"])
    assert "11 of 12 products" in said(page)
    assert list(page.selectbox(key="colour").options)[:2] == ["Category", "Region of the map"]


@pytest.mark.parametrize("n", [1, 3])
def test_few_products_at_one_place(home: Path, tmp_path: Path, open_page: Open, n: int) -> None:
    from core.catalog.build import import_dataset

    (tmp_path / "few.csv").write_text("item_id,name,category\n" + "\n".join(f"{row},x,y" for row in range(n)))
    import_dataset("table", [str(tmp_path / "few.csv")], "few")
    write_map(catalog.info("few"), np.zeros((n, 2)), np.full(n, -1), [])
    page = open_page("map.py", dataset="few")
    assert not page.exception and not page.error


def test_a_lasso_means_the_same_on_every_page(mapped: catalog.DatasetInfo, open_page: Open) -> None:
    page = open_page("browse.py", dataset="shop", map="drawn", area=area_text(LEFT))
    assert counted(page) == "6"
    cohort = Cohort("shop", map="drawn", area=LEFT)
    assert map_view.counted(mapped, cohort)["count"] == 6  # type: ignore[index]
    everything = ((-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 9.0))
    assert map_view.counted(mapped, cohort.with_(area=everything))["count"] == 11  # type: ignore[index]
    nothing = ((5.0, 5.0), (6.0, 5.0), (6.0, 6.0))
    assert map_view.counted(mapped, cohort.with_(area=nothing))["count"] == 0  # type: ignore[index]


def test_an_area_that_is_none_is_refused(mapped: catalog.DatasetInfo, open_page: Open) -> None:
    page = open_page("map.py", dataset="shop", map="drawn", area="0,0;nonsense")
    assert page.error and not page.exception


def test_without_webgl_there_is_a_chart(mapped: catalog.DatasetInfo, open_page: Open) -> None:
    page = open_page("map.py", dataset="shop", area=area_text(LEFT), map="drawn")
    page.session_state[map_view.WITHOUT] = "absent"
    page.run()
    assert not page.exception
    assert "has no WebGL" in said(page)
    assert "6 of 12 products" in " ".join(element.value for element in page.markdown)


def test_positions_are_two_short_numbers_a_product(client: TestClient, mapped: catalog.DatasetInfo) -> None:
    answer = client.get(map_routes.points_url(mapped, "drawn"))
    steps = np.frombuffer(answer.content, "<u2").reshape(-1, 2)
    points = np.asarray(map_files.read_map(mapped, "drawn").points)
    assert (steps[11] == map_routes.ABSENT).all()
    np.testing.assert_allclose(steps[:11] / map_routes.HIGHEST * 2 - 1, points[:11], atol=2 / 65534)
    assert "immutable" in answer.headers["cache-control"]
    assert "immutable" not in client.get("/map-data/shop/drawn/points?v=old").headers["cache-control"]


def test_colours_and_lit_products(client: TestClient, mapped: catalog.DatasetInfo) -> None:
    codes = np.frombuffer(client.get(map_routes.colours_url(mapped, "drawn", "geo")).content, np.uint8)
    assert codes.tolist() == [int(row % 3 > 1) for row in range(12)]
    assert map_routes.lit_url(mapped, Cohort("shop")) is None
    address = map_routes.lit_url(mapped, Cohort("shop", geo=("sk",), map="drawn", area=LEFT))
    bits = np.unpackbits(np.frombuffer(client.get(address or "").content, np.uint8), bitorder="little")[:12]
    assert bits.tolist() == codes.tolist(), "the lasso is the browser's to draw: only the filters are sent"


def test_a_product_of_the_map(client: TestClient) -> None:
    product = client.get("/product/shop/1").json()
    assert product["name"] == "<b>hat</b> 1" and product["category"] == "hats" and product["src"] is None


@pytest.mark.parametrize(
    "address",
    ["/product/shop/12", "/product/other/1", "/map-data/shop/other/points", "/map-data/shop/drawn/colours/price",
     "/map-data/other/drawn/points", "/lit/other?geo=cz", "/map-data/shop/..%2F..%2Fx/points", "/lit/shop?picture=maybe"],
)  # fmt: skip
def test_what_is_not_there_is_said(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404 and "Traceback" not in answer.text


def test_the_legend_counts_what_else_could_be_chosen(mapped: catalog.DatasetInfo) -> None:
    drawn = map_files.read_map(mapped, "drawn")
    cohort = Cohort("shop", category=(("boots",),))
    legend = map_view.legend(mapped, drawn, cohort, maps.coloured(mapped, "drawn", "category"))
    assert {entry["label"]: (entry["count"], entry["on"]) for entry in legend["entries"]} == {
        "boots": (6, True),
        "hats": (5, False),  # the sixth is not on the map
    }


def test_the_helper_puts_every_category_in_a_place_of_its_own(mapped: catalog.DatasetInfo) -> None:
    places = by_category("shop")
    assert {label: n for label, (_, _, n) in places.items()} == {"boots": 6, "hats": 6}
