"""Queues that claim to find wrong labels: reviewed for fixing, and measured by what people said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.audit.plan import Wish, all_labels, described, new_id
from core.audit.precision import AT, judged_wrong, precision
from core.audit.records import Item, Plan
from core.audit.store import Store
from core.audit.suspicion import QUEUES, Suspicion
from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.errors import UsageError

MOST = 10_000  # of one queue that are planned


def overview(
    store: Store, products: Products, suspicion: Suspicion, at: Sequence[int] = AT
) -> list[dict[str, Any]]:
    """Every queue of a dataset with what people have measured of it.

    Returns:
        For each: queue, says (what it claims), products, and precision (see `precision.precision`), from all decisions of
        any plan on the dataset as it is now.
    """
    judged = decisions_of(store, products)
    found = []
    for kind, says in QUEUES.items():
        rows = suspicion.queue(kind, products).tolist()
        found.append(
            {"queue": kind, "says": says, "products": len(rows), "precision": precision(rows, judged, at)}
        )
    return found


def decisions_of(store: Store, products: Products) -> dict[int, bool]:
    """row_id -> is the label wrong, by every plan on the dataset as it is now."""
    info = products.info
    plans = [one for one in store.plans(info.name) if one.fingerprint == info.fingerprint]
    return judged_wrong([store.audit(one.plan) for one in plans])


def queue_plan(
    products: Products, queue: str, rows: Sequence[int], wish: Wish, name: str = ""
) -> tuple[Plan, list[Item]]:
    """A plan to review the first products of a queue, in random order: for fixing labels and for measuring the queue's
    precision. It estimates nothing of the dataset.

    Args:
        queue: its name.
        rows: row_ids, the most suspicious first; MOST are taken at most.
        wish: its anchoring, overlap, reviewers, seed and by_whom count.
    """
    rows = [int(row) for row in rows[:MOST]]
    if not rows:
        raise UsageError(f"The queue {queue} of {products.info.name} is empty.")
    rng = np.random.default_rng(wish.seed)
    n = len(rows)
    twice = set(rng.permutation(n)[: round(n * wish.overlap)].tolist())
    shown = set(rng.permutation(n)[: round(n * wish.anchoring)].tolist())
    items = [
        Item(
            at,
            **one,
            stratum=None,
            inclusion=None,
            shown=at in shown,
            reviewers=wish.reviewers if at in twice else 1,
        )
        for at, one in enumerate(described(products, rows))
    ]
    made = Plan(
        plan=new_id(products.info.name), name=name or f"Queue {queue} of {products.info.name}", queue=queue,
        dataset=products.info.name, fingerprint=products.info.fingerprint,
        cohort=Cohort(products.info.name).to_query(), frame=len(products), by=(), strata=(), allocation="fixed", size=n,
        seed=wish.seed, labels=all_labels(products), overlap=wish.overlap, reviewers=wish.reviewers,
        anchoring=wish.anchoring, created_by=wish.by_whom,
    )  # fmt: skip
    return made, items
