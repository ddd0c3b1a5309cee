"""Flagged products: set, taken off, reviewed, and never part of an estimate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.audit.estimates import estimate
from core.audit.flags import QUEUE, flag, flags, unflag
from core.audit.plan import Wish
from core.audit.queues import queue_plan
from core.audit.store import Store
from core.audit.suggestions import likeliest
from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.errors import UsageError


def test_a_flag_is_set_once_taken_off_and_set_again(home: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("title,kind\nBoots,Shoes\nHat,Hats\nCap,Hats\n", encoding="utf-8")
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    products, store = Products.open("shop"), Store()
    for row in (2, 0, 2):
        flag(store.log_, products.info, row, "Ada")
    assert [one.row_id for one in flags(store.log_, products.info)] == [0, 2]
    unflag(store.log_, products.info, 2)
    assert [one.row_id for one in flags(store.log_, products.info)] == [0]
    flag(store.log_, products.info, 2, "Ada", "a cap is no hat")
    assert flags(store.log_, products.info)[0].note == "a cap is no hat"
    with pytest.raises(UsageError, match="no row 3"):
        flag(store.log_, products.info, 3, "Ada")

    plan, items = queue_plan(products, QUEUE, [2, 0], Wish(anchoring=1.0))
    store.create_plan(plan, items)
    assert store.assign(plan.plan, ["Ada"]) == {"Ada": 2}
    with pytest.raises(UsageError, match="not a random sample"):
        estimate(store.audit(plan.plan))


def test_similar_products_vote_for_a_class_and_a_product_has_no_vote_on_itself() -> None:
    vectors = np.array([[1, 0], [1, 0.1], [1, -0.1], [0, 1], [0.1, 1], [0, 0]], np.float16)
    present = np.array([True] * 5 + [False])
    codes = np.array([7, 1, 1, 2, 2, 3])
    first, without = likeliest(vectors, present, codes, np.array([0, 5]), few=2)
    assert first == [1, 2] and without == []
