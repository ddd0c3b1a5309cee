"""What a stranger may try by the hundred: paths, names that are markup, and many questions at once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.catalog.build import import_dataset
from core.catalog.cohort import Cohort
from core.catalog.products import Products
from pages import routes
from tests.pages.conftest import Open

FUZZED, QUESTIONS = 783, 480
PARTS = ["..", "%2e%2e", "%2f", "/", "//", "%5c", "\\", "%00", "%0a", "%0d%0a", "etc", "passwd", "secret.txt", "shop", "%", "%zz",
         "?w=1", "?v=%00", "#", ";", "~", ".", "é", "%c0%ae", "%u002e", "x" * 300, "images", "runs", "dataset.json"]  # fmt: skip
XSS = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "[x](javascript:alert(1))",
       "</style><script>alert(1)</script>", ":material/home: **bold** $x$", "<iframe srcdoc='<script>1</script>'>"]  # fmt: skip
PAGES = ("home.py", "browse.py", "search.py", "dataset_statistics.py")


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> str:
    """Products whose names and categories are markup, and a file beside them that nobody may read."""
    import pandas as pd

    table = tmp_path / "shop.csv"
    names = XSS * 6
    frame = pd.DataFrame(
        {"item_id": range(len(names)), "name": names, "category": names, "geo": ["cz", "sk"] * 21}
    )
    frame.to_csv(table, index=False)
    import_dataset("table", [str(table)], "shop")
    (home / "secret.txt").write_text("root: nobody may read this")
    return "shop"


def test_fuzzed_paths_reach_no_file_and_break_nothing(shop: str) -> None:
    rng = random.Random(0)
    client = TestClient(Starlette(routes=routes.ROUTES), raise_server_exceptions=False)
    broken = []
    for _ in range(FUZZED):
        start = rng.choice(("/images/", "/images/shop/", "/download/", "/fonts/", "/map/", "/"))
        path = start + "".join(rng.choices(PARTS, k=rng.randint(1, 7)))
        try:
            answer = client.get(path)
        except (ValueError, UnicodeError):  # the client refuses to send it
            continue
        if answer.status_code >= 500 or b"root:" in answer.content or b"fingerprint" in answer.content:
            broken.append((path, answer.status_code))
    assert not broken
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("script", PAGES)
def test_markup_in_names_and_addresses_stays_text(shop: str, open_page: Open, script: str) -> None:
    for text in ("", *XSS):
        page = open_page(script, dataset="shop", **({"text": text} if text else {}))
        assert not page.exception
        shown = [str(element.proto) for element in page.get("html") if element.proto]
        assert not any("alert(1)</script>" in each or "<img src=x" in each for each in shown)


def test_many_questions_at_once_have_the_answers_of_one_at_a_time(shop: str) -> None:
    products = Products.open(shop)
    asked = [
        Cohort(shop, geo=("cz",) if number % 2 else (), text=XSS[number % len(XSS)][:9])
        for number in range(28)
    ]
    alone = [len(products.query("SELECT row_id FROM cohort", each).fetchall()) for each in asked]
    with ThreadPoolExecutor(24) as pool:
        numbers = [number % len(asked) for number in range(QUESTIONS)]
        together = list(pool.map(lambda number: products.count(asked[number]), numbers))
    assert together == [alone[number] for number in numbers] and max(alone) > 0
