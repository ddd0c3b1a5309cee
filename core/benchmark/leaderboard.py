"""The leaderboard of a task: every submission with its scores and the ranks that it may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.audit.store import Store
from core.benchmark.noise import audited_products, corrected
from core.benchmark.ranking import Ranks, mcnemar_holm, ranks
from core.benchmark.records import Closed, Submission
from core.benchmark.scores import parts_of, top_figures
from core.benchmark.store import Submissions
from core.benchmark.truth import Truth
from core.evaluation.published import TABLES, PublishedTable

MOST_RANKED = 200  # submissions that are compared with one another; the best by top-1


@dataclass(frozen=True)
class Row:
    """One submission on the leaderboard."""

    submission: Submission
    report: dict[str, Any]  # of the public part, where the benchmark is closed
    first: int | None  # the best rank it may have; None where it is not ranked
    last: int | None
    why: str = ""  # it is not ranked
    corrected: tuple[float, float, float] | None = None  # accuracy against right labels, with its interval
    corrected_ranks: tuple[int, int] | None = None


@dataclass(frozen=True)
class Board:
    """A leaderboard.

    Attributes:
        rows: the best top-1 first, then those that are not ranked.
        ranked: positions of `rows` that `compared` is of.
        compared: their differences and p values; None where fewer than two are ranked.
        mcnemar: (m, m) p values of McNemar's test by Holm's correction, likewise.
        products: number of products that the figures are of.
        public: whether they are of the public part of a closed benchmark.
        audited: number of audited products that the corrected accuracies are of; 0 where there are none.
    """

    rows: tuple[Row, ...]
    ranked: tuple[int, ...]
    compared: Ranks | None
    mcnemar: NDArray[np.float64] | None
    products: int
    public: bool
    audited: int = 0


def board(truth: Truth, store: Submissions, owner: bool = True) -> Board:
    """The leaderboard of a task.

    Args:
        owner: sees the figures of all products, also while the benchmark is closed.
    """
    closed = next((one for one in store.closed(truth.task.dataset) if one.split == truth.task.split), None)
    part = None if owner or closed is None else public_part(truth, closed)
    found = store.list(truth.task)
    there = [one for one in found if one.fingerprint == truth.info.fingerprint]
    tables = {one.id: store.predictions(one.id) for one in there}
    reports = {one.id: _report(truth, one, tables[one.id], part) for one in there}
    whole = [one for one in there if len(tables[one.id]) == len(truth)]
    whole.sort(key=lambda one: (-reports[one.id]["top1"], one.created))
    ranked = whole[:MOST_RANKED]
    compared = mcnemar = None
    if len(ranked) > 1:
        hits, right = _hits(truth, [tables[one.id] for one in ranked], part)
        compared, mcnemar = ranks(hits), mcnemar_holm(right)
    rows = [
        Row(
            one, reports[one.id], *((int(compared.first[at]), int(compared.last[at])) if compared else (1, 1))
        )
        for at, one in enumerate(ranked)
    ]
    audited = 0
    if part is None and ranked:
        rows, audited = _with_audit(truth, store, rows, [tables[one.id] for one in ranked])
    rows += [
        Row(one, reports[one.id], None, None, f"only the best {MOST_RANKED} are compared")
        for one in whole[MOST_RANKED:]
    ]
    rows += [
        Row(one, reports[one.id], None, None, f"scored on {len(tables[one.id]):,} of {len(truth):,} products")
        for one in there
        if one not in whole
    ]
    if part is None:
        rows += [
            Row(one, one.report, None, None, "outdated: the dataset was imported again from other files")
            for one in found
            if one not in there
        ]
    products = len(truth) if part is None else int(part.sum())
    return Board(
        tuple(rows), tuple(range(len(ranked))), compared, mcnemar, products, part is not None, audited
    )


def _with_audit(
    truth: Truth, store: Submissions, rows: list[Row], tables: Sequence[pd.DataFrame]
) -> tuple[list[Row], int]:
    """The ranked rows with accuracies corrected for wrong labels, by the audit with most answers of these products."""
    audits = Store(store.database)
    found = [
        audited
        for plan in audits.plans(truth.task.dataset)
        if plan.fingerprint == truth.info.fingerprint and not plan.queue
        and (audited := audited_products(truth, audits.audit(plan.plan), tables)) is not None
    ]  # fmt: skip
    if not found:
        return rows, 0
    best = max(found, key=lambda one: len(one.position))
    hits, _ = _hits(truth, tables, None)
    made = corrected(hits, best)
    ranked = ranks(hits, extra=(made.change, made.drawn)) if len(rows) > 1 else None
    return [
        replace(
            row, corrected=(float(made.value[at]), float(made.low[at]), float(made.high[at])),
            corrected_ranks=(int(ranked.first[at]), int(ranked.last[at])) if ranked else (1, 1),
        )
        for at, row in enumerate(rows)
    ], made.audited  # fmt: skip


def public_part(truth: Truth, closed: Closed) -> NDArray[np.bool_]:
    """(n,) the products that public scores are of: a random part, the same for every submission."""
    if closed.public >= 1:
        return np.ones(len(truth), bool)
    order = np.random.default_rng(closed.seed).permutation(len(truth))
    found = np.zeros(len(truth), bool)
    found[order[: max(1, round(closed.public * len(truth)))]] = True
    return found


def _hits(
    truth: Truth, tables: Sequence[pd.DataFrame], part: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(m, n) each product's contribution to top-1, and whether it was classified correctly, in the task's order."""
    order = truth.frame.row_id.to_numpy() if part is None else truth.frame.row_id.to_numpy()[part]
    hits = np.empty((len(tables), len(order)), np.float32)
    right = np.empty(hits.shape, bool)
    for at, table in enumerate(tables):
        own = table.set_index("row_id").reindex(order)
        hits[at], right[at] = own.hit.to_numpy(), own.correct.to_numpy(bool)
    return hits, right


def _report(
    truth: Truth, one: Submission, table: pd.DataFrame, part: NDArray[np.bool_] | None
) -> dict[str, Any]:
    """Its report; of the public part only what a table of predictions tells."""
    if part is None:
        return one.report
    some = table[table.row_id.isin(truth.frame.row_id.to_numpy()[part])]
    return top_figures(truth, some, one.report.get("top5") is not None) | parts_of(truth, some)


def hits_of(truth: Truth, store: Submissions, submissions: Sequence[Submission]) -> NDArray[np.float32]:
    """(m, n) each product's contribution to top-1, in the task's order."""
    return _hits(truth, [store.predictions(one.id) for one in submissions], None)[0]


def published(truth: Truth) -> tuple[PublishedTable, ...]:
    """The papers' tables of a dataset of this layout; never ranked with what was measured here.

    The papers measured on their own test products, which `PublishedTable.data` names; only where a dataset is the paper's
    could its rows stand beside them, and that they are not ranked is the same.
    """
    layouts = {"glami": ("glami-embracenet", "glami-zero-shot"), "mep3m": ("mep-fusion",)}
    names = layouts.get(truth.info.source, ())
    return tuple(table for table in TABLES if table.name in names)
