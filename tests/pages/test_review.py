"""What the review page's routes answer: to annotators, to visitors, to odd and repeated input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.audit.plan import Wish, draw
from core.audit.records import Plan
from core.audit.store import Store
from core.catalog.build import import_dataset
from core.catalog.cohort import Cohort
from core.catalog.info import remove
from core.catalog.products import Products
from pages import guard, review_routes

COMMANDS = ("undo", "skip", "<script>alert(1)</script>", "Shoes > Boots")


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> str:
    """Forty products; some categories are named like commands and like markup."""
    lines = ["item_id,name,category,geo"]
    lines += [f"i{number},Boty {number},{COMMANDS[number % 4]},cz" for number in range(40)]
    (tmp_path / "shop.csv").write_text("\n".join(lines), encoding="utf-8")
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    return "shop"


@pytest.fixture
def plan(shop: str) -> Plan:
    made, items = draw(Products.open(shop), Cohort(shop), Wish(size=12, anchoring=0.5, seed=1))
    store = Store()
    store.create_plan(made, items)
    store.assign(made.plan, ["Ada"])
    return made


def client(local: bool = True) -> TestClient:
    headers = {guard.LOCAL: "1"} if local else {}
    return TestClient(Starlette(routes=review_routes.ROUTES), headers=headers)


def send(plan: Plan, *events: dict[str, Any], who: str = "Ada") -> dict[str, Any]:
    answer = client().post(f"/review/{plan.plan}/answers", params={"who": who}, json={"events": events})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def session(plan: Plan) -> dict[str, Any]:
    return client().get(f"/review/{plan.plan}/session?who=Ada").json()  # type: ignore[no-any-return]


def test_only_an_annotator_reviews(plan: Plan) -> None:
    for path in ("", "/who", "/session?who=Ada", "/items?who=Ada&ids=1", "/end?who=Ada"):
        assert client().get(f"/review/{plan.plan}{path}").status_code == 200
        refused = client(local=False).get(f"/review/{plan.plan}{path}")
        assert refused.status_code == 403 and "can review labels" in refused.text
    assert client(local=False).post(f"/review/{plan.plan}/answers?who=Ada", json={}).status_code in (400, 403)


def test_the_page_runs_its_own_scripts_alone(plan: Plan) -> None:
    page = client().get(f"/review/{plan.plan}")
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert f'data-plan="{plan.plan}"' in page.text and "{version}" not in page.text
    assert client().get("/review/<script>").status_code == 404


def test_what_waits_comes_with_its_question_and_classes_under_any_name(plan: Plan) -> None:
    told = session(plan)
    assert told["assigned"] == 12 == len(told["items"]) and told["answered"] == 0
    assert {each["shown"] for each in told["items"]} == {True, False}
    labels = {each["label"]: each["words"] for each in told["classes"]}
    assert {"undo", "skip", "<script", "Boots"} >= {label.split(">")[0] for label in labels}
    assert any("Stiefel" in word or "čiž" in word.lower() for word in labels["Boots"])  # of the word list


def test_the_same_key_twice_counts_once_and_an_undo_goes_back(plan: Plan) -> None:
    first = session(plan)["items"][0]["item"]
    answer = {"key": "k1", "kind": "answer", "item": first, "answer": "right", "ms": 900, "suggestions": []}
    assert send(plan, answer, answer)["answered"] == 1
    assert send(plan, answer)["answered"] == 1
    told = session(plan)
    assert told["steps"] == [{"item": first, "kind": "answer", "label": None}] and first not in [
        each["item"] for each in told["items"]
    ]
    assert send(plan, {"key": "k2", "kind": "undo", "item": first}) == {
        "results": [{"key": "k2", "undone": first}],
        "answered": 0,
    }
    assert session(plan)["items"][0]["item"] == first


def test_what_cannot_be_taken_says_why_and_loses_nothing_else(plan: Plan) -> None:
    good = {"kind": "answer", "item": session(plan)["items"][0]["item"], "answer": "ambiguous"}
    told = send(
        plan,
        {**good, "key": "a", "item": 999},
        {**good, "key": "b", "answer": "wrong", "label": "no such class"},
        {**good, "key": "c", "answer": "hostile"},
        {**good, "key": "d", "item": "1"},
        {**good, "key": "e", "suggestions": [1, {}]},
        {**good, "key": "f", "kind": "undo it"},
        {**good, "key": "g", "ms": -5, "note": "x" * 10_000},
    )
    assert [bool(each.get("refused")) for each in told["results"]] == [True] * 6 + [False]
    assert told["answered"] == 1
    for body in (b"[", b"null", b'{"events": 3}', b'{"events": [1]}', b"[" * 90_000):
        answer = client().post(f"/review/{plan.plan}/answers?who=Ada", content=body)
        assert answer.status_code in (400, 404), body[:20]
    assert client().post(f"/review/{plan.plan}/answers?who=Ada", content=b"x" * 600_000).status_code == 413
    assert client().get(f"/review/{plan.plan}/session?who=").status_code == 404
    assert client().get(f"/review/{plan.plan}/items?who=Ada&ids=1,x").status_code == 404


def test_a_closed_plan_and_a_dataset_that_is_gone_say_so(plan: Plan) -> None:
    Store().close(plan.plan, "owner")
    assert session(plan)["closed"] is True and session(plan)["items"] == []
    told = send(plan, {"key": "z", "kind": "answer", "item": 0, "answer": "right"})
    assert "closed" in told["results"][0]["refused"]
    Store().reopen(plan.plan, "owner")
    remove("shop")
    gone = client().get(f"/review/{plan.plan}/session?who=Ada")
    assert gone.status_code == 404 and "no dataset named 'shop'" in gone.text


def test_a_database_that_is_away_is_503_so_that_the_page_sends_again(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT", {}, OSError("gone"))

    event = {"key": "k", "kind": "answer", "item": session(plan)["items"][0]["item"], "answer": "right"}
    with monkeypatch.context() as patch:
        patch.setattr("sqlalchemy.engine.Engine.connect", away)
        answer = client().post(f"/review/{plan.plan}/answers?who=Ada", json={"events": [event]})
        assert answer.status_code == 503 and answer.text == review_routes.AWAY
    assert send(plan, event)["answered"] == 1


def test_somebody_new_joins(plan: Plan) -> None:
    assert client().get(f"/review/{plan.plan}/session?who=Ben").status_code == 404
    assert client().post(f"/review/{plan.plan}/join?who=Ben").json()["annotators"] == ["Ada", "Ben"]
    assert client().get(f"/review/{plan.plan}/session?who=Ben").json()["assigned"] > 0
