"""A closed benchmark: no label of the split is left in the dataset, and it is the same again once it is opened."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.answers.database import Database
from core.benchmark.closing import close, reopen
from core.benchmark.leaderboard import board
from core.benchmark.records import Card
from core.benchmark.store import Submissions
from core.benchmark.submit import submit_file
from core.benchmark.truth import Task, truth_of
from core.catalog import sealed
from core.catalog.build import import_dataset
from core.catalog.info import info
from core.catalog.products import Products
from core.errors import UsageError


def test_no_label_is_left_and_all_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "home"))
    table = pd.DataFrame({
        "item_id": [f"{number}" for number in range(40)], "title": "x", "split": ["train", "test"] * 20,
        "category": ["Hats", "Secret boots"] * 20, "hint": ["a", "also a secret"] * 20,
    })  # fmt: skip
    table.to_csv(tmp_path / "shop.csv", index=False)
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    store, before = Submissions(Database(f"sqlite:///{tmp_path / 'a.sqlite'}")), info("shop")
    path = tmp_path / "p.csv"
    pd.DataFrame(
        {"item_id": table.item_id[table.split == "test"], "label": ["Secret boots"] * 15 + ["Hats"] * 5}
    ).to_csv(path, index=False)
    task = Task("shop")
    submit_file(task, path, "early", Card(), store)
    closed = close("shop", per_day=3, public=0.5, store=store)
    for file in (tmp_path / "home" / "shop").glob("*.*"):
        assert b"ecret" not in file.read_bytes(), file
    products = Products.open("shop")
    assert products.categories() == [((), 20), (("Hats",), 20)] or all(
        "Secret" not in str(one) for one in products.categories()
    )
    assert (
        all("ecret" not in str(row) for row in products.rows(limit=100))
        and info("shop").fingerprint != before.fingerprint
    )
    made = submit_file(task, path, "late", Card(), store, who="me", owner=False)
    assert made.report["top1"] == 0.75
    public, whole = board(truth_of(task), store, owner=False), board(truth_of(task), store)
    assert public.public and public.products == 10 and not whole.public and whole.products == 20
    assert [row.report["n"] for row in public.rows] == [10, 10] and whole.rows[0].report["top1"] == 0.75
    assert close("shop", per_day=9, store=store).seed == closed.seed
    with pytest.raises(UsageError, match="kept out of shop already"):
        close("shop", "train", store=store)
    assert reopen("shop", store) == ["test"]
    assert info("shop") == before and "Secret boots" in str(Products.open("shop").categories())
    assert not board(truth_of(task), store, owner=False).public
    with pytest.raises(UsageError, match="No labels are kept out"):
        reopen("shop", store)


def test_a_closing_that_was_killed_loses_no_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed when the table has no labels any more and the dataset's card does not say so yet."""
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "home"))
    table = pd.DataFrame({
        "item_id": [str(number) for number in range(4)], "title": "x", "split": ["train", "test"] * 2, "category": "Boots",
    })  # fmt: skip
    table.to_csv(tmp_path / "shop.csv", index=False)
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    before = info("shop")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sealed, "_write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        sealed.seal("shop", "test")
    sealed.seal("shop", "test")
    assert Products.open("shop").categories() == [((), 2), (("Boots",), 2)]
    assert sealed.unseal("shop") == before and Products.open("shop").categories() == [(("Boots",), 4)]
