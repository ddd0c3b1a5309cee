"""Samples are what they say: sizes, probabilities, gold, overlap; a patch and an export come back unchanged."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.answers.database import Database
from core.answers.log import Decision
from core.audit import exchange, report, suspicion
from core.audit.estimates import estimate
from core.audit.plan import Wish, draw
from core.audit.precision import precision
from core.audit.queues import overview, queue_plan
from core.audit.store import Store
from core.catalog import corrections, info
from core.catalog.build import import_dataset
from core.catalog.cohort import Cohort, path_text
from core.catalog.products import Products
from core.commands.app import app
from core.duplicates.finding import find
from core.embeddings.imported import import_vectors
from core.errors import UnknownPlanError, UsageError, VitrineError
from tests.shapes import picture


@pytest.fixture
def truth(shared_data: Path, glami_mini: str) -> dict[int, str]:
    """row_id -> the right label of every product of glami-mini."""
    with (shared_data / "glami-mini-truth.csv").open() as file:
        right = {(row["item_id"], row["split"]): row["category_name"] for row in csv.DictReader(file)}
    table = Products.open(glami_mini).table("SELECT row_id, item_id, split FROM cohort")
    return {row["row_id"]: right[row["item_id"], row["split"]] for row in table.to_pylist()}


def reviewed(
    store: Store, plan: str, truth: dict[int, str], people: tuple[str, ...] = ("Ana", "Ben")
) -> None:
    """Everybody answers everything truthfully."""
    store.assign(plan, people)
    labels = {label.rpartition(" > ")[2]: label for label in store.plan(plan).labels}
    for who in people:
        while waiting := store.next_items(plan, who, 50):
            for one in waiting:
                right = labels[truth[one.item.row_id]]
                ok = right == one.item.label
                store.record(
                    Decision(plan, one.item.item, who, f"{plan}{who}{one.item.item}", answer="right" if ok else "wrong",
                             label=None if ok else right, ms=700)
                )  # fmt: skip


def test_a_sample_is_drawn_as_asked(glami_mini: str, truth: dict[int, str]) -> None:
    products = Products.open(glami_mini)
    cohort = Cohort(glami_mini)
    gold = {
        row: label
        for row, label in [(0, products.by_row([0])[0]["category"]), (1, products.by_row([1])[0]["category"])]
    }
    wish = Wish(
        by=("label_kind", "split"), size=300, seed=3, overlap=0.2, anchoring=0.25, gold=gold, gold_share=0.5
    )
    plan, items = draw(products, cohort, wish)
    again, same = draw(products, cohort, wish)
    assert items == same and replace(again, plan=plan.plan) == plan
    drawn = [one for one in items if one.stratum is not None]
    assert plan.size == len(drawn) == 300 == sum(one.drawn for one in plan.strata)
    assert plan.frame == len(products) == sum(one.size for one in plan.strata)
    assert sum(1 / (one.inclusion or 1) for one in drawn) == pytest.approx(plan.frame)
    for one in drawn:
        assert one.stratum is not None and plan.strata[one.stratum].name == f"{one.label_kind} · {one.split}"
    assert sum(one.reviewers == 2 for one in drawn) == 60 and sum(one.shown for one in drawn) == 75
    assert plan.gold <= 2 and len(items) == 300 + plan.gold and "gold" in " ".join(plan.notes)
    machine = draw(products, Cohort(glami_mini, label_kind=("machine",)), Wish(half_width=0.05, by=("geo",)))[
        0
    ]
    assert machine.frame < plan.frame and machine.size < 141
    equal = draw(products, cohort, Wish(size=100, by=("label_kind",), allocation="equal"))[0]
    assert [one.drawn for one in equal.strata] == [50, 50]
    pilot = {"human": 0.98, "machine": 0.8}
    neyman = draw(products, cohort, Wish(size=400, by=("label_kind",), allocation="neyman", pilot=pilot))[0]
    share = neyman.strata[1].drawn / 400
    assert share > neyman.strata[1].size / neyman.frame
    fixed = draw(
        products, cohort, Wish(by=("label_kind",), allocation="fixed", fixed={"human": 10, "machine": 9_999})
    )[0]
    assert fixed.strata[1].drawn == fixed.strata[1].size and "all are taken" in fixed.notes[0]


@pytest.mark.parametrize(
    "wish",
    [
        Wish(), Wish(size=0), Wish(size=10, half_width=0.1), Wish(half_width=0.9), Wish(size=10, overlap=1.5),
        Wish(size=10, by=("name",)),  # type: ignore[arg-type]
        Wish(size=1, by=("label_kind", "geo")), Wish(size=10, allocation="neyman"), Wish(size=10, seed=-1),
        Wish(allocation="fixed", fixed={"mars": 3}), Wish(by=("label_kind",), allocation="fixed", fixed={"human": 3}),
        Wish(size=10, gold={10**9: "shirt"}), Wish(size=10, gold={1: "=cmd|' /C calc'!A0"}), Wish(size=10, reviewers=1),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_one_clear_line(glami_mini: str, wish: Wish) -> None:
    with pytest.raises(UsageError) as error:
        draw(Products.open(glami_mini), Cohort(glami_mini), wish)
    assert "\n" not in str(error.value)
    with pytest.raises(UsageError):
        draw(Products.open(glami_mini), Cohort(glami_mini, text="no product says this"), Wish(size=10))


def test_an_audit_of_real_photos_finds_what_is_true(
    glami_mini: str, truth: dict[int, str], answers_database: Database, tmp_path: Path
) -> None:
    """A simulated audit of glami-mini beside its truth, exported and imported; its corrections applied and reverted."""
    products, store = Products.open(glami_mini), Store(answers_database)
    plan, items = draw(
        products,
        Cohort(glami_mini),
        Wish(by=("label_kind",), size=120, allocation="equal", overlap=0.2, anchoring=0.2),
    )
    store.create_plan(plan, items)
    reviewed(store, plan.plan, truth)
    store.undo(plan.plan, "Ana", "undo-1")
    found = estimate(store.audit(plan.plan), repeats=20)
    rows = products.table("SELECT row_id, category, label_kind FROM cohort").to_pylist()
    for kind in ("human", "machine"):
        of = [row["category"] == truth[row["row_id"]] for row in rows if row["label_kind"] == kind]
        assert (
            found["by"]["label_kind"][kind]["low"] <= np.mean(of) <= found["by"]["label_kind"][kind]["high"]
        )
    assert found["human_minus_machine"]["low"] > 0.05
    page = report.as_html(found, replace(plan, name="<script>alert(1)</script>"))
    assert "<script>" not in page and "Human labels are right" in page

    exported = exchange.whole(store, plan.plan)
    other = Store(Database(f"sqlite:///{tmp_path / 'other.sqlite'}"))
    targets: tuple[tuple[str, exchange.Kind], ...] = (
        ("a.json", "json"),
        ("a-csv", "csv"),
        ("a-parquet", "parquet"),
    )
    for name, kind in targets:
        exchange.export(store, plan.plan, tmp_path / name, kind)
        other = Store(Database(f"sqlite:///{tmp_path / f'{kind}.sqlite'}"))
        exchange.import_(other, tmp_path / name)
        assert exchange.whole(other, plan.plan) == exported
        with pytest.raises(UsageError):
            exchange.import_(other, tmp_path / name)
    assert estimate(other.audit(plan.plan), repeats=20) == found


def test_texts_of_spreadsheets_come_back_unchanged(tmp_path: Path) -> None:
    from tests.core.audit.test_store import planned

    store = Store(Database(f"sqlite:///{tmp_path / 'one.sqlite'}"))
    plan, items = planned()
    odd = ["=cmd|' /C calc'!A0", "'=1", "''@x", "-12", "'-12", "\\E", "\\", "", None, 'a\r\nb;"c"', "+", "'"]
    items = [replace(one, item_id=text, label=text or "hats") for one, text in zip(items, odd, strict=True)]
    store.create_plan(replace(plan, name="@odd"), items)
    store.assign(plan.plan, ["=Ana"])
    store.record(Decision(plan.plan, 0, "=Ana", "k", kind="note", note="-note\r"))
    exchange.export(store, plan.plan, tmp_path / "csv", "csv")
    assert "'=cmd" in (tmp_path / "csv" / "items.csv").read_text("utf-8-sig")
    other = Store(Database(f"sqlite:///{tmp_path / 'two.sqlite'}"))
    exchange.import_(other, tmp_path / "csv")
    assert exchange.whole(other, plan.plan) == exchange.whole(store, plan.plan)
    whole = exchange.whole(store, plan.plan)
    for broken in (
        {"format": "x"}, {"items": whole["items"][1:]}, {"log": [{**whole["log"][0], "item": 99}]}, {"plan": {}},
        {"log": [{**whole["log"][0], "undoes": 7}]}, {"items": [{**whole["items"][0], "shown": "yes"}]},
    ):  # fmt: skip
        path = tmp_path / "broken.json"
        path.write_text(json.dumps({**whole, "plan": {**whole["plan"], "plan": "new"}, **broken}))
        with pytest.raises(VitrineError):
            exchange.import_(other, path)
        with pytest.raises(UnknownPlanError):
            other.plan("new")


@pytest.fixture
def copied(glami_mini_home: Path, home: Path) -> str:
    """A glami-mini of our own, to be changed."""
    shutil.copytree(glami_mini_home / "glami-mini", home / "glami-mini")
    return "glami-mini"


def test_corrections_are_applied_and_reverted(
    copied: str, shared_data: Path, home: Path, truth_of: dict[int, str], tmp_path: Path
) -> None:
    """By the commands, on the real dataset, with the suspicion queue that its vectors give."""
    import_vectors(Products.open(copied), shared_data / "glami-mini-mobilenet-v1.npz", "mobilenet")
    products = Products.open(copied)
    made = suspicion.compute(products)
    assert suspicion.load(products.info) is not None and made.accuracy > 0.5
    store = Store(Database(f"sqlite:///{home / 'answers.sqlite'}"))
    before = overview(store, products, made)
    assert all(row["says"] == "nobody has measured it" for one in before for row in one["precision"])
    rows = made.queue("margin", products)[:100].tolist()
    plan, items = queue_plan(products, "margin", rows, Wish())
    store.create_plan(plan, items)
    reviewed(store, plan.plan, truth_of, ("Ana",))
    with pytest.raises(UsageError, match="no accuracy"):
        estimate(store.audit(plan.plan))
    measured = overview(store, products, made)[0]["precision"]
    assert measured[1]["judged"] == 100 and measured[1]["precision"] > 0.3 and "errors" in measured[1]["says"]
    assert precision(rows, {}, (50,))[0]["precision"] is None

    patch = tmp_path / "patch.json"
    run = CliRunner().invoke
    assert run(app, ["audit", "corrections", plan.plan, str(patch)]).exit_code == 0
    old = info.info(copied)
    table = products.table("SELECT * FROM cohort ORDER BY row_id")
    assert run(app, ["audit", "apply", str(patch)]).exit_code == 0
    now = Products.open(copied)
    assert now.info.fingerprint != old.fingerprint
    wrong = [one for one in json.loads(patch.read_text())["corrections"]]
    assert [path_text(now.by_row([one["row_id"]])[0]["category_path"]) for one in wrong] == [
        one["new"] for one in wrong
    ]
    assert suspicion.compute(now).vectors == ("mobilenet",)  # vectors are carried over
    again = run(app, ["audit", "apply", str(patch)])
    assert isinstance(again.exception, UsageError) and "already" in str(again.exception)
    assert run(app, ["audit", "revert", str(patch)]).exit_code == 0
    assert (
        info.info(copied) == old
        and Products.open(copied).table("SELECT * FROM cohort ORDER BY row_id") == table
    )
    with pytest.raises(UsageError):
        corrections.revert(copied, plan.plan, [])
    first = Products.open(copied).by_row([0])[0]
    lost = corrections.Correction(
        0, first["item_id"], first["image_id"], path_text(first["category_path"]), "gone"
    )
    with pytest.raises(UsageError, match="any longer"):
        corrections.apply(copied, "x", [lost])


@pytest.fixture
def truth_of(shared_data: Path, copied: str) -> dict[int, str]:
    with (shared_data / "glami-mini-truth.csv").open() as file:
        right = {(row["item_id"], row["split"]): row["category_name"] for row in csv.DictReader(file)}
    table = Products.open(copied).table("SELECT row_id, item_id, split FROM cohort")
    return {row["row_id"]: right[row["item_id"], row["split"]] for row in table.to_pylist()}


def test_scores_equal_cleanlab() -> None:
    from cleanlab.rank import get_label_quality_scores

    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(5), 200)
    given = rng.integers(0, 5, 200)
    mine, margin = suspicion.quality(chances, given)
    assert mine == pytest.approx(get_label_quality_scores(given, chances, method="self_confidence"))
    assert margin == pytest.approx(get_label_quality_scores(given, chances, method="normalized_margin"))


def test_a_found_duplicate_with_another_label_is_a_conflict(home: Path, tmp_path: Path) -> None:
    """Three files of the same bytes, two of them with one label; a fourth picture is another."""
    for number, colour in enumerate(("red", "red", "red", "blue")):
        (tmp_path / f"{number}.jpg").write_bytes(picture(color=colour))
    lines = [
        f"{number},{number}.jpg,{label}" for number, label in enumerate(("hats", "hats", "bags", "bags"))
    ]
    (tmp_path / "shop.csv").write_text("\n".join(["item_id,image,category", *lines]))
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    products = Products.open("shop")
    assert suspicion.conflicting(products).tolist() == []
    find(products, ["bytes"])
    assert suspicion.conflicting(products).tolist() == [0, 1, 2]
