"""Every display of every dataset that lacks something: a sentence, never a broken chart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics.counts import categories
from core.statistics.overview import SUBJECTS, report
from core.statistics.summary import summary


def rows(n: int, **fixed: Any) -> list[dict[str, Any]]:
    """Ordinary products, with some columns fixed."""
    words = ("red dress", "blue shirt", "green shoes", "warm coat of wool")
    return [
        {
            "item_id": str(i), "image_id": f"p{i}", "split": "train" if i % 4 else "test", "geo": ("cz", "sk", "ro")[i % 3],
            "language": ("cs", "sk", "ro")[i % 3], "name": words[i % 4], "description": f"{words[i % 4]} and more",
            "category": f"class-{i % 5}", "label_source": ("admin", "unknown")[i % 2],
            "label_kind": ("human", "machine")[i % 2], "image": f"{i}.jpg",
        } | fixed
        for i in range(n)
    ]  # fmt: skip


SHAPES: dict[str, list[dict[str, Any]]] = {
    "ordinary": rows(60),
    "no test split": rows(40, split="train"),
    "one class": rows(40, category="dress"),
    "one country": rows(40, geo="cz", language="cs"),
    "no text": rows(40, name=None, description=None),
    "empty text": rows(40, name="", description="   "),
    "all null": [{} for _ in range(30)],
    "one row": rows(1),
    "one value a column": rows(40, split="test", geo="cz", language="cs", name="a", description="b", category="c",
                               label_source="admin", label_kind="human", image_id="x", item_id="y"),
    "no picture": rows(40, image=None, image_id=None),
    "markup": rows(40, category="</script><img src=x onerror=alert(1)>", geo="<b>cz</b>", name="<script>alert(1)</script> dress"),
    "markup in several": [row | {"category": f"</script>{i % 3}"} for i, row in enumerate(rows(40))],
    "an empty path": rows(40, category="x", category_path=[]),
    "leaves of one name": [row | {"category": "Shoes", "category_path": [("Men", "Women")[i % 2], "Shoes"]} for i, row in enumerate(rows(40))],
    "a separator in a name": [row | {"category": "a > b", "category_path": ["x > y", "a > b"]} for row in rows(40)],
    "numbers as categories": [row | {"category": str(2020 + i % 4)} for i, row in enumerate(rows(40))],
    "five levels": [row | {"category": f"e{i}", "category_path": ["a", f"b{i % 2}", f"c{i % 4}", f"d{i % 8}", f"e{i}"]} for i, row in enumerate(rows(40))],
    "numbers as text": rows(40, name="12345 67", description="800 x 600"),
    "a script without a font": rows(40, name="ᚠᚢᚦ ᚨᚱᚲ", description="ᚠᚢᚦ"),
    "chinese": rows(40, name="孕妇配方奶粉 800克", description=None, language="zh"),
    "unknown splits": [row | {"split": ("fold-1", "fold-2", None)[i % 3]} for i, row in enumerate(rows(40))],
    "many countries": [row | {"geo": f"g{i}"} for i, row in enumerate(rows(60))],
}  # fmt: skip


SUMMED = ("ordinary", "all null", "no text", "one row", "an empty path", "chinese")


def check(products: Products, cohort: Cohort | None = None) -> int:
    """Walk every display; how many could be drawn."""
    drawn = 0
    for subject in SUBJECTS:
        for make in subject.displays:
            display = make(products, cohort)
            assert display.heading and display.title and display.explanation.endswith(".") and display.shown
            figure = display.figure(dark=bool(drawn % 2))
            written = figure.to_json()
            text = str(json.loads(written))  # what the browser's script sees
            assert not any(tag in text for tag in ("<script", "</script", "<img", "<b>cz")), display.name
            assert len(written) < 1_000_000, display.name  # a browser is sent what can be read, not all
            assert display.frame() is not display.frame()
            if display.cannot:
                assert display.cannot.endswith((".", ":")) and len(display.cannot) > 20, display.cannot
            else:
                drawn += 1
                axes = [figure.layout.xaxis, figure.layout.yaxis] if hasattr(figure.data[0], "x") else []
                assert (
                    not axes or any(axis.title.text for axis in axes) or display.name.startswith("cloud")
                ), display.name
                assert any(trace.hovertemplate for trace in figure.data), display.name
    return drawn


@pytest.fixture
def quick_clouds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Laying out a cloud takes a second; once is enough."""
    monkeypatch.setattr("core.statistics.words._laid_out", lambda table, font: (b"", []))


@pytest.mark.parametrize("shape", SHAPES)
def test_every_display_of(shape: str, toy, quick_clouds: None) -> None:
    products = toy(SHAPES[shape])
    drawn = check(products)
    found = summary(products) if shape in SUMMED else {}
    json.dumps(found, allow_nan=False)
    if shape == "ordinary":
        assert drawn > 30
    if shape == "all null":
        assert (
            found["categories"] == []
            and found["long_tail"]["gini"] is None
            and found["splits"]["none"]["rows"] == 30
        )


@pytest.mark.parametrize(("text", "rows_left"), [("unfindable", 0), ("wool", 15)])
def test_cohorts_of_few(text: str, rows_left: int, toy, quick_clouds: None) -> None:
    products = toy(rows(60))
    cohort = Cohort("toy1", text=text)
    assert summary(products, cohort)["rows"] == rows_left
    drawn = check(products, cohort)
    if not rows_left:
        assert drawn == 0
        said = [line for line in report(products, cohort) if line.startswith("  ")]
        assert all(line.endswith("No products match the filter.") for line in said), [
            line for line in said if "match the filter" not in line
        ]


def test_a_cohort_of_one(toy, quick_clouds: None) -> None:
    products = toy(rows(60))
    cohort = Cohort("toy1", item_id=("7",))
    assert summary(products, cohort)["rows"] == 1
    check(products, cohort)


def test_ten_thousand_classes(toy, quick_clouds: None) -> None:
    products = toy([row | {"category": f"class {i % 10_000}"} for i, row in enumerate(rows(12_000))])
    check(products)
    assert len(categories(products, None)) == 10_000


def test_missing_charts_say_why(toy) -> None:
    products = toy(rows(40, split="train", geo=None, name=None))
    lines = "\n".join(report(products))
    assert "None of these products has a country." in lines
    assert "There is no test split" in lines
    assert "None of these products has a name." in lines
