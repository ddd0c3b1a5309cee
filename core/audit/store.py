"""Plans, who reviews what, and their answers, in the database of answers.

Answers go through `core.answers.log`: append-only, the same key twice is one entry, an undo is an entry.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.answers.database import Database, database
from core.answers.log import ENTRIES, LIVE_ENTRIES, Decision, Log, cleaned, now, person
from core.audit.dealing import deal, place, work_of
from core.audit.records import ANSWERS, Assigned, Audit, Item, Plan, Work
from core.audit.tables import ANNOTATOR, ASSIGNED, ITEM_NAMES, ITEMS, METADATA, PLANS
from core.errors import ClosedPlanError, UnknownPlanError, UsageError

ANNOTATORS = 500  # of one plan
AHEAD = 50  # items that are given at once

# Statements of every decision, made once: to build one takes longer than to run it.
DOOR = (
    sa.select(PLANS.c.closed, sa.select(ANNOTATOR.c.who).where(
        ANNOTATOR.c.plan == PLANS.c.plan, ANNOTATOR.c.who == sa.bindparam("who")
    ).scalar_subquery().label("who"))
    .where(PLANS.c.plan == sa.bindparam("plan"))
    .with_for_update(read=True, of=PLANS)
)  # fmt: skip


def _waiting() -> sa.Select[Any]:
    """What waits for an annotator: item, the latest skip's number, and the class of the latest blind choice."""
    mine, live = ASSIGNED.c, LIVE_ENTRIES.c
    plan: sa.BindParameter[str] = sa.bindparam("plan")
    who: sa.BindParameter[str] = sa.bindparam("who")
    # Any answer that was not taken back, not the latest: PostgreSQL compares all pairs of an annotator's answers for that.
    done = sa.select(live.item).where(live.task == plan, live.who == who, live.kind == "answer")
    since = (
        sa.select(
            live.item,
            sa.func.max(sa.case((live.kind == "skip", live.seq))).label("skip"),
            sa.func.max(sa.case((live.kind == "choice", live.seq))).label("choice"),
        )
        .where(live.task == plan, live.who == who, live.kind.in_(("skip", "choice")))
        .group_by(live.item)
        .subquery()
    )
    entry = ENTRIES.alias("chosen")
    return (
        sa.select(mine.item, since.c.skip, entry.c.label)
        .select_from(
            ASSIGNED.outerjoin(since, since.c.item == mine.item).outerjoin(
                entry, entry.c.seq == since.c.choice
            )
        )
        .where(mine.plan == plan, mine.who == who, mine.item.not_in(done))
        .order_by(sa.func.coalesce(since.c.skip, 0), mine.place)
        .limit(sa.bindparam("many", type_=sa.Integer))
    )


WAITING = _waiting()


class Store:
    """Audits in one database. Thread-safe; every change is a transaction."""

    def __init__(self, where: Database | None = None) -> None:
        """
        Raises:
            AnswersError: the database does not answer.
        """
        self.database = where or database()
        self.log_ = Log(self.database)
        self.database.prepare(METADATA, {})
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Plan, tuple[Item, ...]]] = {}  # they never change

    def create_plan(self, plan: Plan, items: Sequence[Item]) -> Plan:
        """Store a plan with its items.

        Raises:
            UsageError: there is one with this id.
        """
        made = replace(plan, created=plan.created or now())
        with self.database.write() as connection:
            self.create_in(connection, made, items)
        return made

    def create_in(self, connection: Connection, plan: Plan, items: Sequence[Item]) -> None:
        """`create_plan` within a transaction."""
        row = {
            "plan": plan.plan,
            "dataset": plan.dataset,
            "document": plan.document(),
            "created": plan.created,
            "closed": plan.closed,
        }
        try:
            connection.execute(sa.insert(PLANS), row)
        except sa.exc.IntegrityError as error:
            raise UsageError(f"There is a plan {plan.plan} already.") from error
        rows = [{"plan": plan.plan, **dict(zip(ITEM_NAMES, astuple(one), strict=True))} for one in items]
        if rows:
            connection.execute(sa.insert(ITEMS), rows)

    def plans(self, dataset: str | None = None) -> list[Plan]:
        """All plans, of a dataset or of all, the newest first."""
        chosen = sa.select(PLANS.c.plan, PLANS.c.closed, PLANS.c.document).order_by(
            PLANS.c.created.desc(), PLANS.c.plan
        )
        if dataset is not None:
            chosen = chosen.where(PLANS.c.dataset == dataset)
        with self.database.read() as connection:
            return [
                Plan.from_document(row.plan, row.closed, json.loads(row.document))
                for row in connection.execute(chosen)
            ]

    def plan(self, plan: str) -> Plan:
        """
        Raises:
            UnknownPlanError: there is none.
        """
        with self.database.read() as connection:
            closed = connection.execute(sa.select(PLANS.c.closed).where(PLANS.c.plan == plan)).first()
        if closed is None:
            raise UnknownPlanError(plan)
        return replace(self._whole(plan)[0], closed=closed.closed)

    def items(self, plan: str) -> tuple[Item, ...]:
        """All items; `items[k].item == k`.

        Raises:
            UnknownPlanError: there is no such plan.
        """
        return self._whole(plan)[1]

    def audit(self, plan: str) -> Audit:
        """A plan with its items and the answers that count."""
        return Audit(self.plan(plan), self.items(plan), tuple(self.current(plan)))

    # Who reviews what

    def assign(self, plan: str, annotators: Sequence[str]) -> dict[str, int]:
        """Assign the items to these people: what they have answered stays theirs, all else is assigned evenly at random. Whoever
        is left out gets no further items; gold items go to everybody. Can be repeated when people come and go.

        Returns:
            Items of each, answered or not.

        Raises:
            UnknownPlanError, ClosedPlanError, UsageError: nobody or too many are named.
        """
        people = list(dict.fromkeys(person(name) for name in annotators))
        if not 0 < len(people) <= ANNOTATORS:
            raise UsageError(f"A plan has 1 to {ANNOTATORS} annotators.")
        with self.database.write() as connection:
            return self._deal(connection, plan, people)

    def join(self, plan: str, who: str) -> dict[str, int]:
        """Add one annotator to those that there are; does nothing if they are one already."""
        who = person(who)
        with self.database.write() as connection:
            self._open(connection, plan, alone=True)
            people = self._annotators(connection, plan)
            if who in people:
                return {}
            if len(people) >= ANNOTATORS:
                raise UsageError(f"A plan has at most {ANNOTATORS} annotators.")
            return self._deal(connection, plan, [*people, who])

    def annotators(self, plan: str) -> list[str]:
        """Those who get items, in the order in which they came."""
        with self.database.read() as connection:
            return self._annotators(connection, plan)

    def next_items(self, plan: str, who: str, count: int = 5) -> list[Assigned]:
        """The items that wait for an annotator, in their own order; what they skipped comes last.

        Raises:
            UnknownPlanError, UsageError: there is no such plan or annotator.
        """
        items, who = self.items(plan), person(who)
        with self.database.read() as connection:
            rows = connection.execute(
                WAITING, {"plan": plan, "who": who, "many": max(1, min(count, AHEAD))}
            ).all()
            if not rows and who not in self._annotators(connection, plan):
                raise UsageError(f"{who} is no annotator of this plan.")
        return [Assigned(items[row.item], row.label, row.skip is not None) for row in rows]

    def work(self, plan: str, who: str | None = None) -> list[Work]:
        """How far each annotator is, or one."""
        items = self.items(plan)
        chosen = sa.select(ASSIGNED.c.who, ASSIGNED.c.item).where(ASSIGNED.c.plan == plan)
        with self.database.read() as connection:
            people = [who] if who is not None else self._annotators(connection, plan)
            mine: dict[str, set[int]] = defaultdict(set)
            for row in connection.execute(chosen):
                mine[row.who].add(row.item)
            live = sa.select(LIVE_ENTRIES.c.who, LIVE_ENTRIES.c.item).where(
                LIVE_ENTRIES.c.task == plan, LIVE_ENTRIES.c.kind == "skip"
            )
            skipped = {(row.who, row.item) for row in connection.execute(live)}
        answers: dict[str, list[Decision]] = defaultdict(list)
        for one in self.log_.current(plan):
            answers[one.who].append(one)
        return [
            work_of(name, mine[name], answers[name], {item for by, item in skipped if by == name}, items)
            for name in people
        ]

    # Answers

    def record(self, decision: Decision) -> Decision:
        """Store an annotator's answer, choice, skip or note; it is on disk when this returns. The same key again returns
        what was stored first.

        Raises:
            UnknownPlanError: there is no such plan.
            ClosedPlanError: it takes no more answers.
            UsageError: the item is not in the plan, the person is no annotator of it, or the answer cannot be.
            AnswersError: the database does not answer; send it again with the same key.
        """
        plan, items = self._whole(decision.task)
        wanted = _checked(plan, items, cleaned(decision))
        with self.database.write() as connection:
            row = connection.execute(DOOR, {"plan": plan.plan, "who": wanted.who}).first()
            if row is None or row.closed is not None:
                raise UnknownPlanError(plan.plan) if row is None else ClosedPlanError(plan.plan)
            if row.who is None:
                raise UsageError(f"{wanted.who} is no annotator of this plan.")
            return self.log_.append_in(connection, wanted)

    def undo(self, plan: str, who: str, key: str) -> Decision | None:
        """Take back the annotator's latest answer, choice or skip; again, the one before, without limit.

        Returns:
            What was taken back (its `item` waits again); None if there is nothing left.

        Raises:
            UnknownPlanError, ClosedPlanError, AnswersError: as `record`.
        """
        with self.database.write() as connection:
            self._open(connection, plan)
            return self.log_.undo_in(connection, plan, person(who), key)

    def current(self, plan: str, who: str | None = None) -> list[Decision]:
        """The answers that count now: one a person and item."""
        return self.log_.current(plan, None if who is None else person(who))

    def log(self, plan: str, after: int = 0) -> list[Decision]:
        """Everything that was ever said, in order."""
        return self.log_.entries(plan, after)

    def close(self, plan: str, who: str) -> Plan:
        """Take no more answers; can be opened again by `reopen`."""
        return self._close(plan, now(), person(who))

    def reopen(self, plan: str, who: str) -> Plan:
        """Take answers again."""
        return self._close(plan, None, person(who))

    def _close(self, plan: str, when: str | None, who: str) -> Plan:
        with self.database.write() as connection:
            where = (
                PLANS.c.plan == plan if when is None else (PLANS.c.plan == plan) & PLANS.c.closed.is_(None)
            )
            connection.execute(sa.update(PLANS).where(where).values(closed=when, closed_by=who))
        return self.plan(plan)

    def _whole(self, plan: str) -> tuple[Plan, tuple[Item, ...]]:
        with self._lock:
            if plan in self._known:
                return self._known[plan]
        with self.database.read() as connection:
            row = connection.execute(sa.select(PLANS.c.document).where(PLANS.c.plan == plan)).first()
            if row is None:
                raise UnknownPlanError(plan)
            chosen = sa.select(*(ITEMS.c[name] for name in ITEM_NAMES)).where(ITEMS.c.plan == plan)
            items = tuple(Item(*found) for found in connection.execute(chosen.order_by(ITEMS.c.item)))
        made = Plan.from_document(plan, None, json.loads(row.document))
        with self._lock:
            return self._known.setdefault(plan, (made, items))

    def _open(self, connection: Connection, plan: str, alone: bool = False) -> None:
        """Hold the plan open until the transaction ends; `alone` against all others.

        Raises:
            UnknownPlanError, ClosedPlanError: it is not there, or closed.
        """
        chosen = sa.select(PLANS.c.closed).where(PLANS.c.plan == plan)
        row = connection.execute(chosen.with_for_update(read=not alone)).first()
        if row is None:
            raise UnknownPlanError(plan)
        if row.closed is not None:
            raise ClosedPlanError(plan)

    @staticmethod
    def _annotators(connection: Connection, plan: str) -> list[str]:
        chosen = sa.select(ANNOTATOR.c.who).where(ANNOTATOR.c.plan == plan, ANNOTATOR.c.active)
        return list(connection.scalars(chosen.order_by(ANNOTATOR.c.joined, ANNOTATOR.c.who)))

    def _deal(self, connection: Connection, plan: str, people: list[str]) -> dict[str, int]:
        made, items = self._whole(plan)
        self._open(connection, plan, alone=True)
        live = LIVE_ENTRIES.c
        touched = {
            (row.who, row.item)
            for row in connection.execute(
                sa.select(live.who, live.item).where(live.task == plan, live.kind.in_(("answer", "choice")))
            )
        }
        mine = ASSIGNED.c
        had = {
            (row.who, row.item)
            for row in connection.execute(sa.select(mine.who, mine.item).where(mine.plan == plan))
        }
        dealt = deal(items, people, touched, had, made.seed)
        known = set(connection.scalars(sa.select(ANNOTATOR.c.who).where(ANNOTATOR.c.plan == plan)))
        connection.execute(sa.update(ANNOTATOR).where(ANNOTATOR.c.plan == plan).values(active=False))
        connection.execute(
            sa.update(ANNOTATOR)
            .where(ANNOTATOR.c.plan == plan, ANNOTATOR.c.who.in_(people))
            .values(active=True)
        )
        if new := [one for one in people if one not in known]:
            stamp = now()
            connection.execute(
                sa.insert(ANNOTATOR),
                [
                    {"plan": plan, "who": who, "joined": f"{stamp} {at:04}", "active": True}
                    for at, who in enumerate(new)
                ],
            )
        wanted = {(who, item) for who, some in dealt.items() for item in some}
        for who in {who for who, _ in had - wanted}:
            gone = [item for by, item in had - wanted if by == who]
            connection.execute(
                sa.delete(ASSIGNED).where(mine.plan == plan, mine.who == who, mine.item.in_(gone))
            )
        rows = [
            {"plan": plan, "who": who, "item": item, "place": place(made.seed, who, item)}
            for who, item in sorted(wanted - had)
        ]
        if rows:
            connection.execute(sa.insert(ASSIGNED), rows)
        return {who: len(dealt[who]) for who in people}


def _checked(plan: Plan, items: Sequence[Item], decision: Decision) -> Decision:
    """
    Raises:
        UsageError: the item is not in the plan, or the answer cannot be.
    """
    if decision.item >= len(items):
        raise UsageError(f"Item {decision.item} is not in the plan {plan.plan}.")
    if decision.kind == "undo" or decision.undoes is not None:
        raise UsageError("An undo is not recorded as an answer.")
    labels = set(plan.labels)
    for label in (decision.label, decision.choice):
        if label is not None and label not in labels:
            raise UsageError(f"{label!r} is not among the {len(labels):,} labels of this plan.")
    if decision.kind == "choice" and decision.label is None:
        raise UsageError("A choice needs a label.")
    if decision.kind == "answer" and decision.answer not in ANSWERS:
        raise UsageError(f"An answer is one of {', '.join(ANSWERS)}, not {decision.answer!r}.")
    if decision.kind == "answer" and decision.answer != "wrong" and decision.label is not None:
        raise UsageError("Only the answer wrong says which label is right instead.")
    if decision.answer == "wrong" and decision.label == items[decision.item].label:
        raise UsageError("The label is wrong, and right instead: choose one of both.")
    return replace(
        decision,
        answer=decision.answer if decision.kind == "answer" else "",
        shown=items[decision.item].shown,
    )
