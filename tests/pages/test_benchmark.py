"""The benchmark's routes and page: who may, odd input, a name that is HTML, what a closed benchmark shows whom."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from core.benchmark.closing import close
from core.catalog.build import import_dataset
from core.catalog.info import info
from pages import benchmark_routes, guard

PROJECT = Path(__file__).resolve().parents[2]
NAME = "<img src=x onerror=alert(1)>"
LOCAL = {guard.LOCAL: "1"}


@pytest.fixture
def client(home: Path, tmp_path: Path) -> TestClient:
    lines = ["item_id,name,category,country,split"]
    lines += [f"i{number},Boty {number},{('Hats', 'Boots')[number % 2]},cz,test" for number in range(40)]
    lines += ["i40,Boty 40,Boots,cz,train"]
    (tmp_path / "shop.csv").write_text("\n".join(lines), encoding="utf-8")
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    return TestClient(Starlette(routes=benchmark_routes.ROUTES))


def predictions(said: str = "Hats") -> bytes:
    return "\n".join(["item_id,label", *(f"i{number},{said}" for number in range(40))]).encode()


def test_programs_submit_and_read(client: TestClient) -> None:
    address = "/submissions/shop"
    assert client.post(address, params={"name": NAME}, content=predictions()).status_code == 403
    made = client.post(address, params={"name": NAME, "authors": "A."}, content=predictions(), headers=LOCAL)
    assert made.status_code == 201 and made.json()["top1"] == 0.5 and made.json()["rank"] == "1"
    for changed, body, says in (
        ({"name": NAME}, predictions(), "There is a submission named"),
        ({"name": ""}, predictions(), "needs a name"),
        ({"name": "a", "split": "dev"}, predictions(), "is not one of"),
        ({"name": "a", "paper": "javascript:alert(1)"}, predictions(), "no web address"),
        ({"name": "a"}, predictions("hats"), "'hats' → 'Hats'"),
        ({"name": "a"}, b"\x80\x04\x95pickle", "pickle"),
        ({"name": "a"}, b"", "no column item_id"),
    ):
        refused = client.post(address, params=changed, content=body, headers=LOCAL)
        assert refused.status_code == 400 and says in refused.text, (refused.text, says)
    assert (
        client.post("/submissions/none", params={"name": "a"}, content=b"", headers=LOCAL).status_code == 404
    )
    assert client.get("/leaderboard/shop.exe").status_code == 404
    texts = {kind: client.get(f"/leaderboard/shop.{kind}").text for kind in ("csv", "json", "md", "tex")}
    assert NAME in texts["csv"] and NAME not in texts["md"] and "&lt;img" in texts["md"]
    assert r"\textless{}img" in texts["tex"] and '"products": 40' in texts["json"]
    close("shop")
    assert '"products": 20' in client.get("/leaderboard/shop.json").text
    assert '"products": 40' in client.get("/leaderboard/shop.json", headers=LOCAL).text
    assert "Hats" not in (info("shop").folder / "products.parquet").read_bytes().decode("latin-1")


def test_every_view_of_the_page(client: TestClient) -> None:
    for name, said in ((NAME, "Hats"), ("other", "Boots")):
        client.post("/submissions/shop", params={"name": name}, content=predictions(said), headers=LOCAL)
    page = AppTest.from_file(str(PROJECT / "pages" / "main.py"), default_timeout=30).run()
    page.switch_page("benchmark.py").run()
    for view in ("Leaderboard", "Countries", "Submission", "Compare", "Submit"):
        page.session_state["view"] = view
        page.run()
        assert not page.exception and not page.error, view
        if view == "Leaderboard":
            assert page.dataframe[0].value["rank"].tolist() == ["1 to 2", "1 to 2"]
        if view == "Compare":
            assert [metric.value for metric in page.metric][:3] == ["50.0%", "50.0%", "100.0%"]
