"""A report is true, self-contained and safe, of any dataset and cohort."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from PIL import Image
from typer.testing import CliRunner

from core.catalog.build import import_dataset
from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.commands.app import app
from core.commands.filters import cohort_of
from core.errors import DamagedDatasetError, UsageError
from core.reports import page, samples
from core.reports.drawing import svg
from core.reports.findings import RULES
from core.reports.report import Report, report
from core.settings import PROJECT
from core.sources.reading import ReadOptions

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
COLOURS = {"bags": "red", "hats": "green", "shoes <b>": "blue"}


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> Products:
    """Forty products of three categories, their names full of markup; bags have no picture, one file is broken."""
    rows = ["id,name,category,country,split,image"]
    for number in range(40):
        label = list(COLOURS)[number % 3]
        Image.new("RGB", (60, 80), COLOURS[label]).save(tmp_path / f"{number}.png")
        image = "" if label == "bags" else f"{number}.png"
        split = "test" if number % 4 == 0 else "train"
        rows.append(f'{number},"{EVIL} {number}",{label},{("cz", "sk")[number % 2]},{split},{image}')
    (tmp_path / "1.png").write_bytes(b"no picture")
    (tmp_path / "shop.csv").write_text("\n".join(rows), encoding="utf-8")
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop", ReadOptions())
    return Products.open("shop")


class Read(HTMLParser):
    """Every element of a page, its addresses and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in ("src", "href", "srcset", "data", "action"):
                self.fetched.append(value or "")


def made(products: Products, **more: Any) -> tuple[Report, str, Read]:
    found = report(products, **more)
    text = page.page(found)
    return found, text, Read(text)


def test_the_page_asks_for_nothing_runs_nothing_and_shows_every_category(shop: Products) -> None:
    found, text, read = made(shop)
    assert not read.tags & {"script", "link", "iframe", "object", "form"} and not read.handlers
    assert read.fetched and all(address.startswith("data:image/webp;base64,") for address in read.fetched)
    assert all(re.match(r"http://localhost:8501/[a-z]+\?|#[a-z-]+$", link) for link in read.links)
    assert "url(" not in text and "@import" not in text
    assert [entry.path[0] for entry in found.classes] == ["bags", "hats", "shoes <b>"]
    assert all(entry.samples for entry in found.classes) and found.broken == 1
    assert not any(one.picture for one in found.classes[0].samples)  # names stand for it
    assert "&lt;script&gt;alert(2)&lt;/script&gt; 0" in text and "shoes &lt;b&gt;" in text
    assert json.dumps(found.as_dict(), allow_nan=False).count("data:image") == 0
    assert found.rows == 40 and found.splits == {"train": 30, "test": 10}
    assert {one.display.name for one in found.found if one.says_something} >= {"columns", "balance"}


def test_a_cohort_and_a_condition_choose_the_products_of_every_part(shop: Products) -> None:
    cohort = cohort_of(shop, "geo=cz&split=train", "category <> 'bags'")
    found, text, read = made(shop, cohort=cohort, url="http://10.0.0.1:8600/v/")
    said = shop.frame(
        "SELECT count(*) AS n FROM products WHERE geo = 'cz' AND split = 'train' AND category <> 'bags'"
    )
    assert found.rows == said["n"][0] == sum(entry.products for entry in found.classes) > 0
    assert {entry.path[0] for entry in found.classes} == {"hats", "shoes <b>"}
    assert found.splits == {"train": found.rows} and found.counts["geo"] == {"cz": found.rows}
    assert any(
        link.startswith("http://10.0.0.1:8600/v/browse?dataset=shop&split=train&geo=cz")
        for link in read.links
    )
    assert "--where &#39;category &lt;&gt;" in text and not any("condition" in link for link in read.links)
    assert report(shop, Cohort("shop", text=f"{EVIL} 7".lower())).rows > 0


def test_pictures_stay_within_their_bound(shop: Products, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MOST_BYTES", 400)
    album = samples.Album(shop.info, 400)
    assert album.picture("5.png") and album.picture("5.png")
    while not album.full:
        assert album.picture(f"{8 if album.picture('2.png') else 5}.png")
    assert album.picture("11.png") == ""


def test_what_cannot_be_reported_is_one_clear_error(shop: Products, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No product of shop matches geo xx"):
        report(shop, Cohort("shop", geo=("xx",)))
    with pytest.raises(UsageError, match="foo is not a filter"):
        cohort_of(shop, "foo=1")
    with pytest.raises(UsageError, match="names another dataset"):
        cohort_of(shop, "dataset=other")
    with pytest.raises(UsageError, match="expected the address of a Vitrine server"):
        report(shop, url="javascript:alert(1)")
    for out in (tmp_path, tmp_path / "none" / "r.html", tmp_path / "shop.csv" / "r.html"):
        with pytest.raises(UsageError, match=r"Cannot write to .*--out"):
            page.check_out(out)
    (shop.info.folder / "products.parquet").write_bytes(b"PAR1")
    with pytest.raises(DamagedDatasetError, match="vitrine remove shop"):
        Products.open("shop")


@pytest.mark.parametrize(
    "table", ["id,name\n1,one\n", "id,name,category\n1,a,b\n", "id,name,split\n1,a,train\n2,b,test\n"]
)
def test_the_smallest_datasets_have_a_report(home: Path, tmp_path: Path, table: str) -> None:
    (tmp_path / "few.csv").write_text(table)
    import_dataset("table", [str(tmp_path / "few.csv")], "few", ReadOptions())
    found, text, _ = made(Products.open("few"))
    assert found.rows == table.count("\n") - 1 and not found.copies and not found.models
    assert "Duplicates are not computed yet" in text
    assert ("None of these products has a category" in text) == ("category" not in table)


def test_the_command_writes_the_page_and_prints_what_it_holds(shop: Products, tmp_path: Path) -> None:
    out = tmp_path / "shop.html"
    asked = ["report", "shop", "--cohort", "geo=cz", "--out", str(out), "--json"]
    said = json.loads(CliRunner().invoke(app, asked, catch_exceptions=False).stdout)
    assert said["rows"] == 20 and said["bytes"] == out.stat().st_size and said["file"] == str(out)
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not list(tmp_path.glob(".shop.html*"))


def test_the_guide_tells_every_rule() -> None:
    guide = " ".join((PROJECT / "docs" / "guide" / "report.md").read_text(encoding="utf-8").split())
    assert [rule.says for rule in RULES if rule.says not in guide] == []


def test_bars_points_and_heat_maps_are_drawn_where_their_values_lie() -> None:
    figure = go.Figure()
    figure.add_bar(y=["a", "<b>&lt;i&gt;"], x=[1.0, 3.0], orientation="h", name="one")
    figure.add_bar(y=["a", "<b>&lt;i&gt;"], x=[2.0, None], orientation="h", name="two")
    figure.update_layout(barmode="stack", yaxis={"autorange": "reversed"})
    drawn = svg(figure, 'a "title"')
    bars = [
        tuple(map(float, found))
        for found in re.findall(
            r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="[\d.]+" fill', drawn
        )
    ]
    one, other, stacked = (bar for bar in bars if bar[2] > 12)
    assert one[1] < other[1] and other[2] == pytest.approx(3 * one[2], rel=0.01)
    assert stacked[0] == pytest.approx(one[0] + one[2], abs=0.2)
    assert "&lt;b&gt;&lt;i&gt;" in drawn and "<b>" not in drawn and "a &quot;title&quot;" in drawn
    points = go.Figure(go.Scatter(x=[1, 2, 3], y=[1, 10, 100], mode="markers"))
    points.update_layout(yaxis={"type": "log"})
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', svg(points))]
    assert (
        heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.3) and heights[0] > heights[2]
    )
    assert svg(go.Figure(go.Heatmap(z=[[0.5, 1]], x=["a", "b"], y=["r"]))).count("<rect") == 2
    assert svg(go.Figure(go.Treemap(labels=["a"], parents=[""]))) == svg(go.Figure()) == ""
