"""The page of label audits in the states that a visitor meets."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.answers.log import Decision
from core.audit.flags import flag
from core.audit.plan import Wish, draw
from core.audit.records import Plan
from core.audit.store import Store
from core.catalog.build import import_dataset
from core.catalog.cohort import Cohort
from core.catalog.products import Products
from tests.pages.conftest import Open


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> str:
    lines = ["item_id,name,category,geo,label_source"]
    for number in range(60):
        kind, geo = ("Boots", "Hats", "Bags")[number % 3], ("cz", "sk")[number % 2]
        lines.append(f"i{number},Boty {number},{kind},{geo},admin")
    (tmp_path / "shop.csv").write_text("\n".join(lines), encoding="utf-8")
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    return "shop"


@pytest.fixture
def answered(shop: str) -> Plan:
    """A plan on which two people agree for the most part."""
    wish = Wish(name="Can it be **trusted**?", by=("geo",), size=30, overlap=1.0, anchoring=0.4)
    plan, items = draw(Products.open(shop), Cohort(shop), wish)
    store = Store()
    store.create_plan(plan, items)
    store.assign(plan.plan, ["Ada", "Ben"])
    for who in ("Ada", "Ben"):
        for item in items:
            wrong = item.item % 5 == 0 or (who == "Ben" and item.item % 7 == 0)
            label = next(each for each in plan.labels if each != item.label) if wrong else None
            answer = "wrong" if wrong else "right"
            store.record(
                Decision(plan.plan, item.item, who, f"{who}{item.item}", answer=answer, label=label, ms=1_500)
            )
    return plan


def test_the_first_plan_is_made_and_shown(shop: str, open_page: Open) -> None:
    page = open_page("audit.py", dataset=shop)
    assert not page.exception
    assert any("no audit of this dataset yet" in info.value for info in page.info)
    assert any("one source" in caption.value for caption in page.caption)
    page.text_input(key="audit-people").set_value("Ada, Ben")
    next(button for button in page.button if button.label == "Draw the sample").click().run()
    assert not page.exception and not page.error
    plan = Store().plans(shop)[0]
    assert page.query_params["plan"] == [plan.plan] or page.query_params["plan"] == plan.plan
    assert Store().annotators(plan.plan) == ["Ada", "Ben"] and plan.anchoring == 0.2
    assert page.dataframe[0].value.annotator.tolist() == ["Ada", "Ben"]
    next(button for button in page.button if button.label == "Close").click().run()
    assert Store().plan(plan.plan).closed


def test_findings_stand_with_their_intervals(answered: Plan, open_page: Open) -> None:
    page = open_page("audit.py", dataset="shop", plan=answered.plan, part="Estimates")
    assert not page.exception
    assert page.metric[0].label == "Labels that are right" and "to" in page.metric[0].delta
    assert any("a random sample" in text.value for text in page.markdown)
    for part, said in (("Confusion", "Most confused pairs"), ("Agreement", "Annotators"), ("Downloads", "")):
        page = open_page("audit.py", dataset="shop", plan=answered.plan, part=part)
        assert not page.exception and not page.error
        assert not said or said in [heading.value for heading in page.subheader]


def test_without_labels_or_rights_the_page_says_what_can_be_done(
    home: Path, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bare.csv").write_text("item_id,name\n1,Boty\n2,Hat\n", encoding="utf-8")
    import_dataset("table", [str(tmp_path / "bare.csv")], "bare")
    page = open_page("audit.py", dataset="bare")
    assert any("no labels" in info.value for info in page.info)
    page = open_page("audit.py", dataset="bare", plan="nothing")
    assert any("no audit plan" in warning.value for warning in page.warning)


def test_a_visitor_sees_the_audits_and_makes_none(
    answered: Plan, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag(Store().log_, Products.open("shop").info, 3, "Ada")
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: False)
    page = open_page("audit.py", dataset="shop")
    assert not page.exception
    labels = [button.label for button in page.button]
    assert "Open" in labels and "Draw the sample" not in labels and "Review these" not in labels
    page = open_page("audit.py", dataset="shop", plan=answered.plan)
    assert "Close" not in [button.label for button in page.button]
