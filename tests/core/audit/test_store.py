"""Decisions are stored once, in order, by everybody at once, and an undo is one of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core.answers.database import Database
from core.answers.log import Decision
from core.audit.records import Item, Plan, Stratum
from core.audit.store import Store
from core.errors import AnswersError, ClosedPlanError, UnknownPlanError, UsageError
from tests.databases import Postgres


def planned(n: int = 12, name: str = "shop-1", overlap: int = 1) -> tuple[Plan, list[Item]]:
    plan = Plan(
        plan=name, name="A plan", dataset="shop", fingerprint="f", cohort={"dataset": ["shop"]}, frame=100, by=(),
        strata=(Stratum("all", 100, n),), allocation="proportional", size=n, seed=1, labels=("bags", "hats", "undo"),
    )  # fmt: skip
    items = [
        Item(
            k,
            10 * k,
            f"i{k}",
            f"p{k}",
            "hats",
            "shop",
            "human",
            "cz",
            "train",
            0,
            n / 100,
            k % 3 == 0,
            overlap,
        )
        for k in range(n)
    ]
    return plan, items


@pytest.fixture
def store(answers_database: Database) -> Store:
    found = Store(answers_database)
    plan, items = planned()
    found.create_plan(plan, items)
    return found


def said(item: int, key: str, answer: str = "right", who: str = "Ana", **more: object) -> Decision:
    return Decision("shop-1", item, who, key, answer=answer, **more)  # type: ignore[arg-type]


def test_an_answer_is_stored_once_and_undone_by_an_entry(store: Store) -> None:
    store.assign("shop-1", ["Ana", "Ben"])
    waiting = [one.item.item for one in store.next_items("shop-1", "Ana", 50)]
    assert len(waiting) == 6 and waiting != sorted(waiting)
    first, second, third = waiting[:3]
    stored = store.record(said(first, "k1", ms=800, suggestions=("hats", "bags")))
    assert store.record(said(first, "k1", "wrong", label="bags")) == stored  # the same key: a double press
    store.record(said(second, "k2", kind="skip"))
    store.record(said(third, "k3", kind="choice", label="bags"))
    assert [one.item.item for one in store.next_items("shop-1", "Ana", 50)] == [*waiting[2:], second]
    assert store.next_items("shop-1", "Ana")[0].choice == "bags"  # a reload goes on where it was
    store.record(said(third, "k4", "wrong", label="bags", choice="bags"))
    assert [one.answer for one in store.current("shop-1")] == ["right", "wrong"]
    for key, item in (("u1", third), ("u2", third), ("u3", second), ("u4", first)):
        undone = store.undo("shop-1", "Ana", key)
        assert undone is not None and undone.item == item
        assert store.undo("shop-1", "Ana", key) == undone
    assert store.undo("shop-1", "Ana", "u5") is None
    assert store.current("shop-1") == []
    assert [one.item.item for one in store.next_items("shop-1", "Ana", 50)] == waiting
    kinds = [one.kind for one in store.log("shop-1")]
    assert kinds == ["answer", "skip", "choice", "answer", "undo", "undo", "undo", "undo"]


def test_what_cannot_be_is_refused(store: Store) -> None:
    store.assign("shop-1", ["Ana"])
    for wrong in (
        said(12, "a"), said(-1, "a"), said(0, "a", "maybe"), said(0, "a", "wrong", label="trousers"),
        said(0, "a", "wrong", label="hats"), said(0, "a", "right", label="bags"), said(0, "", "right"),
        said(0, "a", kind="choice"), said(0, "a", who="Eve"), said(0, "a", who=" "), said(0, "a", kind="drop"),
    ):  # fmt: skip
        with pytest.raises(UsageError):
            store.record(wrong)
    with pytest.raises(UnknownPlanError):
        store.record(replace(said(0, "a"), task="nothing"))
    store.record(said(0, "a", note="\0 \ud800 '; DROP TABLE entries; --", ms=-5))
    with pytest.raises(UsageError):
        store.record(said(1, "a"))  # the key of another item
    assert store.current("shop-1")[0].ms is None
    store.close("shop-1", "Lea")
    for refused in (lambda: store.record(said(2, "b")), lambda: store.undo("shop-1", "Ana", "u")):
        with pytest.raises(ClosedPlanError):
            refused()
    store.reopen("shop-1", "Lea")
    store.record(said(2, "b", "wrong", label="undo"))  # a class named like a command
    assert len(store.current("shop-1")) == 2


def test_many_people_at_once_lose_nothing(store: Store) -> None:
    people = [f"p{k}" for k in range(20)]
    plan, items = planned(60, "rush", overlap=2)
    store.create_plan(plan, items)

    def review(who: str) -> int:
        store.join("rush", who)
        done = 0
        while waiting := store.next_items("rush", who, 2):
            for one in waiting:
                wanted = Decision("rush", one.item.item, who, f"{who}-{one.item.item}", answer="right")
                assert store.record(wanted) == store.record(wanted)
                done += 1
            if done >= 6:
                break
        return done

    with ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(review, people))
    log = store.log("rush")
    assert len(log) == sum(counts) == len({one.key for one in log}) == len(store.current("rush"))
    assert set(store.annotators("rush")) == set(people)
    store.assign("rush", people[:2])  # all others leave; their answers stay, the rest is dealt to two
    seen = {one.item for one in store.current("rush")}
    for who in people[:2]:
        seen |= {one.item.item for one in store.next_items("rush", who, 50)}
    assert len(seen) == 60


def test_an_answer_is_sent_again_when_the_database_is_back(postgres: Postgres) -> None:
    with Database(postgres.url()).engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("CREATE DATABASE gone")
    found = Store(Database(postgres.url("gone")))
    found.create_plan(*planned())
    found.assign("shop-1", ["Ana"])
    found.record(said(0, "k0"))
    postgres.stop("immediate")
    try:
        with pytest.raises(AnswersError):
            found.record(said(1, "k1"))
    finally:
        postgres.start()
    assert found.record(said(1, "k1")) == found.record(said(1, "k1"))
    assert [one.key for one in found.current("shop-1")] == ["k0", "k1"]
