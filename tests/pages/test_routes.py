"""Pictures, downloads and health, as a browser or a program asks for them."""

from __future__ import annotations

import codecs
import io
import resource
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pandas as pd
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from core.catalog import info as catalog
from core.catalog import products as products_module
from core.catalog import spreadsheets
from core.catalog.build import import_dataset
from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.errors import ImageError
from pages import downloads, guard, headers, routes


@pytest.fixture
def client(glami_mini: str) -> TestClient:
    return TestClient(Starlette(routes=routes.ROUTES, middleware=[Middleware(headers.SafeHeaders)]))


def test_health_counts_the_datasets(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "datasets": 1}


def test_a_thumbnail_is_a_small_webp_that_may_be_kept(client: TestClient) -> None:
    fingerprint = catalog.info("glami-mini").fingerprint
    answer = client.get(f"/images/glami-mini/200000?w=150&v={fingerprint}")
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert Image.open(io.BytesIO(answer.content)).width <= 160


def test_without_the_fingerprint_a_picture_is_not_kept_for_ever(client: TestClient) -> None:
    assert "immutable" not in client.get("/images/glami-mini/200000").headers["cache-control"]


@pytest.mark.parametrize("width", ["999999", "-1", "0"])
def test_an_absurd_width_is_bounded(client: TestClient, width: str) -> None:
    answer = client.get(f"/images/glami-mini/200000?w={width}")
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).width <= 1600


def test_a_width_that_is_no_number_is_said(client: TestClient) -> None:
    answer = client.get("/images/glami-mini/200000?w=wide")
    assert answer.status_code == 400 and "whole number" in answer.text


def test_a_picture_that_is_not_there_is_a_drawn_placeholder(client: TestClient) -> None:
    answer = client.get("/images/glami-mini/nobody")
    assert answer.status_code == 404 and answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/images/nothing/200000", "/images/..%2f..%2fetc/passwd", "/images/x/..%2f..%2fetc%2fpasswd"]
)
def test_paths_lead_nowhere(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404 and b"root:" not in answer.content


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_download_is_the_cohort(client: TestClient, kind: str) -> None:
    answer = client.get(f"/download/glami-mini.{kind}?geo=cz&split=test")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    # Excel takes a CSV without these three bytes for another alphabet; a Parquet file begins with its own four.
    assert answer.content.startswith(codecs.BOM_UTF8 if kind == "csv" else b"PAR1")
    file = io.BytesIO(answer.content)
    table = pd.read_csv(file) if kind == "csv" else pd.read_parquet(file)
    assert len(table) > 0 and table.columns[0] == "row_id"
    assert set(table["geo"]) == {"cz"} and set(table["split"]) == {"test"}


def test_a_download_comes_back_through_the_table_source(
    client: TestClient, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was exported as CSV can be imported again."""
    from pathlib import Path

    from core.catalog.build import import_dataset

    file = Path(str(tmp_path)) / "export.csv"
    file.write_bytes(client.get("/download/glami-mini.csv?split=test").content)
    monkeypatch.setenv("VITRINE_HOME", str(Path(str(tmp_path)) / "home"))
    assert import_dataset("table", [str(file)], "again").rows == 637


@pytest.mark.parametrize(
    "path", ["/download/nothing.csv", "/download/glami-mini.exe", "/download/glami-mini.csv?picture=perhaps"]
)
def test_a_download_that_cannot_be_is_said(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404 and len(answer.text.splitlines()) == 1


def test_a_path_of_many_levels_is_refused_before_any_sql(client: TestClient) -> None:
    """15,000 levels made as many conditions, which took DuckDB 22 GB to plan."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = client.get("/download/glami-mini.csv?category=" + ">" * 15_000)
    assert answer.status_code == 404 and "15,001 levels" in answer.text
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KB


def test_the_largest_filter_that_is_taken_is_cheap(client: TestClient) -> None:
    paths = "&".join(f"category={' > '.join(str(n % 10) * 32)}" for n in range(100))
    answer = client.get(f"/download/glami-mini.csv?{paths}&text={'+'.join(map(str, range(40)))}")
    assert answer.status_code == 200 and len(answer.text.splitlines()) == 1


def test_a_reason_of_several_lines_stays_one_header(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bytes:
        raise ImageError("The address answers 401\r\nset-cookie: a=b")

    monkeypatch.setattr("core.images.pictures.Thumbnails.get", refuse)
    monkeypatch.setattr("core.images.pictures.Thumbnails.cached", lambda *_: None)
    answer = client.get(
        "/images/glami-mini/200000?w=96", headers={guard.LOCAL: "1"}
    )  # as pages/guard.py marks it
    assert answer.status_code == 404 and "set-cookie" not in answer.headers
    assert answer.headers["x-vitrine-reason"] == "The address answers 401 set-cookie: a=b"


def test_a_reason_is_told_to_the_local_visitor_alone(client: TestClient) -> None:
    """It may name folders and addresses."""
    assert (
        "nobody"
        in client.get("/images/glami-mini/nobody", headers={guard.LOCAL: "1"}).headers["x-vitrine-reason"]
    )
    assert "x-vitrine-reason" not in client.get("/images/glami-mini/nobody").headers


def test_pictures_that_drip_from_the_web_hold_up_no_other_route(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than the server has threads; one is let go only when all others were answered."""
    monkeypatch.setattr("core.images.web.TIMEOUT_S", 60.0)
    monkeypatch.setenv("VITRINE_PRIVATE_URLS", "1")
    ended = threading.Event()

    class Drips(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: ")
                while not ended.wait(0.2):
                    self.wfile.write(b"a")

        def log_message(self, *_: object) -> None: ...

    host = ThreadingHTTPServer(("127.0.0.1", 0), Drips)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    table = tmp_path / "web.csv"
    addresses = [f"http://127.0.0.1:{host.server_port}/{number}.jpg" for number in range(45)]
    pd.DataFrame({"name": "a", "image": addresses, "image_id": range(45)}).to_csv(table, index=False)
    import_dataset("table", [str(table)], "web")

    with TestClient(Starlette(routes=routes.ROUTES)) as client, ThreadPoolExecutor(45) as visitors:
        waiting = [visitors.submit(client.get, f"/images/web/{number}?w=96") for number in range(45)]
        wait_for(lambda: routes.REMOTE.statistics().borrowed_tokens >= 32)
        assert client.get("/healthz").status_code == 200
        assert client.get("/product/web/0").status_code == 200
        assert not any(each.done() for each in waiting)
        ended.set()
        assert {each.result(60).status_code for each in waiting} == {404}
    host.shutdown()
    host.server_close()


def wait_for(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_download_reads_some_thousand_rows_at_a_time(
    glami_mini: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of 45 slow readers held the whole ordered answer."""
    monkeypatch.setattr(products_module, "PART_ROWS", 2_048)
    products = Products.open(glami_mini)
    for cohort in (Cohort(glami_mini), Cohort(glami_mini, geo=("cz",)), Cohort(glami_mini, geo=("nowhere",))):
        parts = list(products.parts(cohort))
        assert all(part.num_rows <= 2_048 for part in parts)
        rows = [row for part in parts for row in part["row_id"].to_pylist()]
        assert rows == sorted(
            row for (row,) in products.query("SELECT row_id FROM cohort", cohort).fetchall()
        )


async def _leave(response: Response, after: int) -> None:
    """Run a response to a reader who leaves, or takes nothing any more, after some pieces."""
    pieces = 0

    async def send(message: Any) -> None:
        nonlocal pieces
        pieces += message["type"] == "http.response.body"
        if pieces > after:
            raise OSError("gone") if after else await anyio.sleep_forever()

    await response(
        {"type": "http", "asgi": {"spec_version": "2.4"}, "method": "GET"}, anyio.sleep_forever, send
    )


def test_only_so_many_downloads_run_at_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_DOWNLOADS", "2")
    scope = {"type": "http", "method": "GET", "path_params": {"dataset": "glami-mini", "kind": "csv"},
             "query_string": b"", "headers": []}  # fmt: skip
    running = [downloads.download(Request({**scope, "client": (f"10.0.0.{n}", 1)})) for n in (1, 2)]
    refused = client.get("/download/glami-mini.csv")
    assert refused.status_code == 503 and refused.headers["retry-after"] == "10"
    assert refused.text.startswith("2 downloads are running")
    anyio.run(_leave, running[0], 1)
    assert client.get("/download/glami-mini.csv").status_code == 200
    monkeypatch.setattr(downloads, "STALLED_S", 0.05)
    anyio.run(_leave, running[1], 0)
    assert downloads.PLACES.taken == 0


def test_one_address_leaves_downloads_to_others(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_DOWNLOADS", "4")
    scope = {"type": "http", "method": "GET", "path_params": {"dataset": "glami-mini", "kind": "csv"},
             "query_string": b"", "headers": [], "client": ("10.0.0.1", 1)}  # fmt: skip
    running = [downloads.download(Request(scope)) for _ in range(3)]
    assert [each.status_code for each in running] == [200, 200, 503]
    assert bytes(running[2].body).startswith(b"2 of your downloads are running")
    assert client.get("/download/glami-mini.csv").status_code == 200
    for each in running[:2]:
        anyio.run(_leave, each, 1)
    assert downloads.PLACES.taken == 0


@pytest.mark.parametrize("query", ["", "?category=%3E" + "%3E" * 99, "?picture=perhaps"])
def test_a_download_that_is_over_or_refused_frees_its_place(client: TestClient, query: str) -> None:
    client.get(f"/download/glami-mini.csv{query}")
    client.head(f"/download/glami-mini.csv{query}")
    assert downloads.PLACES.taken == 0


def test_a_csv_runs_no_formula_unless_it_is_asked_for_raw(home: Path, tmp_path: Path) -> None:
    names = ['=HYPERLINK("http://x.example")', "+1-2", "-5", "@SUM(A1)", "-50 %", "plain", "\tx"]
    table = tmp_path / "shop.csv"
    pd.DataFrame({"item_id": ["-1", *"234567"], "name": names}).to_csv(table, index=False)
    import_dataset("table", [str(table)], "formulas")
    client = TestClient(Starlette(routes=routes.ROUTES))
    shown, raw = (
        pd.read_csv(io.BytesIO(client.get(f"/download/formulas.csv{query}").content), dtype=str)
        for query in ("", "?raw=1")
    )
    assert raw["name"].tolist() == names
    assert shown["name"].tolist() == [name if name in ("plain", "-5") else f"'{name}" for name in names]
    assert shown["item_id"].tolist() == raw["item_id"].tolist()
    assert shown["row_id"].tolist() == raw["row_id"].tolist()


def test_a_small_table_runs_no_formula(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=name": ["=1", "-2", None], "share": [-0.5, 1.0, 2.0]})
    assert spreadsheets.frame_csv(frame).decode("utf-8-sig") == "'=name,share\n'=1,-0.5\n-2,1.0\n,2.0\n"
