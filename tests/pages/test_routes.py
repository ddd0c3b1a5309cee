"""Pictures, downloads and health, as a browser or a program asks for them."""

from __future__ import annotations

import codecs
import io
import resource

import pandas as pd
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from core.catalog import info as catalog
from core.errors import ImageError
from pages import routes


@pytest.fixture
def client(glami_mini: str) -> TestClient:
    return TestClient(Starlette(routes=routes.ROUTES, middleware=[Middleware(routes.SafeHeaders)]))


def test_health_counts_the_datasets(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "datasets": 1}


def test_a_thumbnail_is_a_small_webp_that_may_be_kept(client: TestClient) -> None:
    fingerprint = catalog.info("glami-mini").fingerprint
    answer = client.get(f"/images/glami-mini/200000?w=150&v={fingerprint}")
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
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
    answer = client.get("/images/glami-mini/200000?w=96")
    assert answer.status_code == 404 and "set-cookie" not in answer.headers
    assert answer.headers["x-vitrine-reason"] == "The address answers 401 set-cookie: a=b"
