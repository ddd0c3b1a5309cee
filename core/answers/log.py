"""The log of answers: entries are only ever added. An undo is an entry, too; what counts now is a view.

An entry has a key that whoever answers chose, one for each thing shown: the same key twice is one entry, so that a double
press and a repeated request change nothing. Entries are ordered by their number, never by a clock, which may jump.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from core.answers.database import Database
from core.errors import UsageError

Kind = Literal["answer", "choice", "skip", "note", "undo"]
UNDONE: tuple[Kind, ...] = ("answer", "choice", "skip")  # what an undo takes back, the latest first
WHO_CHARACTERS = 80
KEY_CHARACTERS = 120
TEXT_CHARACTERS = 2_000  # of a note or a label
SUGGESTIONS = 20
DAY_MS = 86_400_000  # a longer wait is a clock that jumped

METADATA = sa.MetaData()
ENTRIES = sa.Table(
    "entries", METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("task", sa.Text, nullable=False),  # a plan's id, or pairs/<detector>/<fingerprint>
    sa.Column("item", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("label", sa.Text),
    sa.Column("choice", sa.Text),
    sa.Column("shown", sa.Boolean),
    sa.Column("ms", sa.Integer),
    sa.Column("suggestions", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("undoes", sa.BigInteger, unique=True),
    sa.Index("entries_of", "task", "who", "item", "seq"),
    sqlite_autoincrement=True,
)  # fmt: skip
LIVE = "SELECT e.* FROM entries e WHERE e.kind <> 'undo' AND NOT EXISTS (SELECT 1 FROM entries u WHERE u.undoes = e.seq)"
CURRENT = (
    "SELECT l.* FROM live_entries l WHERE l.kind = 'answer' AND NOT EXISTS (SELECT 1 FROM live_entries n "
    "WHERE n.task = l.task AND n.who = l.who AND n.item = l.item AND n.kind = 'answer' AND n.seq > l.seq)"
)
COLUMNS = [column.name for column in ENTRIES.columns]
LIVE_ENTRIES = sa.table("live_entries", *(sa.column(column.name, column.type) for column in ENTRIES.columns))
CURRENT_ANSWERS = sa.table(
    "current_answers", *(sa.column(column.name, column.type) for column in ENTRIES.columns)
)

# Made once: to build a statement takes longer than to run it.
INSERT_SQLITE = sqlite.insert(ENTRIES).on_conflict_do_nothing().returning(ENTRIES.c.seq)
INSERT_POSTGRESQL = postgresql.insert(ENTRIES).on_conflict_do_nothing().returning(ENTRIES.c.seq)


@dataclass(frozen=True)
class Decision:
    """One entry of the log.

    An audit's blind item takes two: kind "choice" with the class chosen before the given label was shown, then "answer".
    """

    task: str  # a plan's id
    item: int  # its number in the plan
    who: str
    key: str  # unique; chosen by whoever answers, one for each thing shown
    kind: Kind = "answer"
    answer: str = ""  # of an audit: right, wrong, ambiguous, unsure
    label: str | None = None  # the class that is right instead; of a choice: the class that was chosen
    choice: str | None = None  # what was chosen blind, repeated with the answer
    shown: bool | None = None  # was the given label shown from the beginning
    ms: int | None = None  # milliseconds from the picture to the key
    suggestions: tuple[str, ...] = ()  # classes that a model suggested, in the order shown
    note: str = ""
    at: str = ""  # when it was stored, UTC, by the server's clock
    seq: int = 0  # its number in the log; set when it is stored
    undoes: int | None = None  # of an undo: the number of the entry that it takes back


class Log:
    """The log in a database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        database.prepare(METADATA, {"live_entries": LIVE, "current_answers": CURRENT})

    def append(self, decision: Decision) -> Decision:
        """Store an entry; it is on disk when this returns. The same key again returns what was stored first.

        Raises:
            UsageError: it is not well formed, or the key belongs to another item.
            AnswersError: the database does not answer; send it again with the same key.
        """
        with self.database.write() as connection:
            return self.append_in(connection, decision)

    def append_in(self, connection: Connection, decision: Decision) -> Decision:
        """`append` within a transaction."""
        wanted = replace(cleaned(decision), at=now())
        added = connection.execute(
            INSERT_SQLITE if self.database.is_sqlite else INSERT_POSTGRESQL, _row(wanted)
        ).scalar()
        if added is not None:
            return replace(wanted, seq=int(added))
        stored = self._by_key(connection, wanted.key)
        if stored is None:  # the conflict was on `undoes`: another press took the same entry back
            raise UsageError("This was undone already.")
        if (stored.task, stored.item, stored.who) != (wanted.task, wanted.item, wanted.who):
            raise UsageError("The key of this answer was used for another item; reload the page.")
        return stored

    def undo(self, task: str, who: str, key: str) -> Decision | None:
        """Take back the latest entry of a person that still counts; again, the one before.

        Returns:
            The entry that was taken back; None if there is none left.
        """
        with self.database.write() as connection:
            return self.undo_in(connection, task, who, key)

    def undo_in(self, connection: Connection, task: str, who: str, key: str) -> Decision | None:
        """`undo` within a transaction."""
        if not self.database.is_sqlite:  # two presses take turns
            name = sa.func.hashtextextended(f"{task}\n{who}", 0)
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(name)))
        earlier = self._by_key(connection, key)
        if earlier is not None:
            if (earlier.task, earlier.who, earlier.kind) != (task, who, "undo"):
                raise UsageError("The key of this undo was used for something else; reload the page.")
            return self._first(connection, sa.select(ENTRIES).where(ENTRIES.c.seq == earlier.undoes))
        view = LIVE_ENTRIES.c
        latest = self._first(
            connection,
            sa.select(LIVE_ENTRIES)
            .where(view.task == task, view.who == who, view.kind.in_(UNDONE))
            .order_by(view.seq.desc())
            .limit(1),
        )
        if latest is not None:
            self.append_in(connection, Decision(task, latest.item, who, key, "undo", undoes=latest.seq))
        return latest

    def entries(self, task: str, after: int = 0) -> list[Decision]:
        """The whole log of a task in order, from the entry after `after`."""
        chosen = (
            sa.select(ENTRIES).where(ENTRIES.c.task == task, ENTRIES.c.seq > after).order_by(ENTRIES.c.seq)
        )
        with self.database.read() as connection:
            return [_entry(row) for row in connection.execute(chosen)]

    def current(self, task: str, who: str | None = None) -> list[Decision]:
        """The answers that count now, one a person and item, in the log's order."""
        view = CURRENT_ANSWERS.c
        chosen = sa.select(CURRENT_ANSWERS).where(view.task == task).order_by(view.seq)
        if who is not None:
            chosen = chosen.where(view.who == who)
        with self.database.read() as connection:
            return [_entry(row) for row in connection.execute(chosen)]

    def restore(self, connection: Connection, entries: Iterable[Decision]) -> None:
        """Store entries of an export under new numbers, in their order, with their own times.

        Raises:
            UsageError: a key is there already, or an undo takes back what is not in the export.
        """
        numbers: dict[int, int] = {}
        for entry in entries:
            if entry.undoes is not None and entry.undoes not in numbers:
                raise UsageError(f"Entry {entry.seq} undoes entry {entry.undoes}, which is not before it.")
            undoes = numbers[entry.undoes] if entry.undoes is not None else None
            try:
                added = connection.execute(
                    sa.insert(ENTRIES)
                    .values(_row(replace(cleaned(entry), undoes=undoes)))
                    .returning(ENTRIES.c.seq)
                )
            except sa.exc.IntegrityError as error:
                raise UsageError(
                    f"The answer with the key {entry.key!r} is in the database already."
                ) from error
            numbers[entry.seq] = int(added.scalar_one())

    def _by_key(self, connection: Connection, key: str) -> Decision | None:
        return self._first(connection, sa.select(ENTRIES).where(ENTRIES.c.key == key))

    @staticmethod
    def _first(connection: Connection, chosen: sa.Select[Any]) -> Decision | None:
        row = connection.execute(chosen).first()
        return None if row is None else _entry(row)


def now() -> str:
    """The time, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def clean(text: str, characters: int) -> str:
    """A text that every database stores: no zero byte, no half of a surrogate pair, and no longer than allowed."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:characters]


def person(name: str) -> str:
    """
    Raises:
        UsageError: the name is empty.
    """
    found = " ".join(clean(name, 10 * WHO_CHARACTERS).split())[:WHO_CHARACTERS]
    if not found:
        raise UsageError("Say who answers: a name, or initials.")
    return found


def cleaned(decision: Decision) -> Decision:
    """A decision within all bounds.

    Raises:
        UsageError: kind, key or name cannot be.
    """
    if decision.kind not in get_args(Kind):
        raise UsageError(f"{decision.kind!r} is no kind of entry.")
    if not 0 < len(decision.key) <= KEY_CHARACTERS or "\0" in decision.key:
        raise UsageError(f"An answer needs a key of 1 to {KEY_CHARACTERS} characters.")
    if not 0 <= decision.item < 2**63:
        raise UsageError(f"There is no item {decision.item}.")
    ms = decision.ms
    return replace(
        decision,
        who=person(decision.who),
        label=None if decision.label is None else clean(decision.label, TEXT_CHARACTERS),
        choice=None if decision.choice is None else clean(decision.choice, TEXT_CHARACTERS),
        note=clean(decision.note, TEXT_CHARACTERS),
        suggestions=tuple(clean(one, TEXT_CHARACTERS) for one in decision.suggestions[:SUGGESTIONS]),
        ms=int(ms) if ms is not None and 0 <= ms < DAY_MS else None,
    )


def _row(decision: Decision) -> dict[str, Any]:
    row = {name: getattr(decision, name) for name in COLUMNS if name != "seq"}
    return row | {"suggestions": json.dumps(decision.suggestions, ensure_ascii=False)}


def _entry(row: Sequence[Any]) -> Decision:
    found = dict(zip(COLUMNS, row, strict=True))
    return Decision(**found | {"suggestions": tuple(json.loads(found["suggestions"]))})
