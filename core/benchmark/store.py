"""Submissions in the database of answers: cards, scores, and what was predicted for each product."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.answers.database import Database, database
from core.benchmark.records import Card, Closed, Submission, checked_name
from core.benchmark.truth import Task
from core.errors import BenchmarkError

MOST_SUBMISSIONS = 1_000  # of one task
TABLE_BYTES = 64 * 2**20  # of one submission's stored predictions
METADATA = sa.MetaData()
SUBMISSIONS = sa.Table(
    "benchmark_submissions", METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in (
        "dataset", "split", "labels", "name", "kind", "fingerprint", "digest", "card", "report", "notes", "created", "created_by",
    )),
    sa.UniqueConstraint("dataset", "split", "labels", "name", "fingerprint", name="one_submission_of_a_name"),
)  # fmt: skip
PREDICTIONS = sa.Table(
    "benchmark_predictions", METADATA,
    sa.Column("id", sa.Text, sa.ForeignKey("benchmark_submissions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("parquet", sa.LargeBinary, nullable=False),
)  # fmt: skip
CLOSED = sa.Table(
    "benchmark_closed", METADATA,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("split", sa.Text, primary_key=True),
    sa.Column("per_day", sa.BigInteger, nullable=False),
    sa.Column("public", sa.Float, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
)  # fmt: skip
TRIES = sa.Table(
    "benchmark_tries", METADATA,  # who submitted when: withdrawing gives no try back
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("split", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)  # fmt: skip


class Submissions:
    """The submissions of one database. Thread-safe."""

    def __init__(self, where: Database | None = None) -> None:
        """
        Raises:
            AnswersError: the database does not answer.
        """
        self.database = where or database()
        self.database.prepare(METADATA, {})

    def add(self, submission: Submission, table: pd.DataFrame, replace: bool = False) -> Submission:
        """Store a submission with its predictions, all or nothing.

        Args:
            table: core.benchmark.truth.STORED.
            replace: take the place of one of the same name.

        Raises:
            BenchmarkError: there is one of this name, or there are too many.
            AnswersError: the database does not answer.
        """
        packed = _packed(table)
        name = checked_name(submission.name)
        made = {
            "id": secrets.token_hex(8), **asdict(submission.task), "name": name, "kind": submission.kind,
            "fingerprint": submission.fingerprint, "digest": submission.digest,
            "card": _json(asdict(submission.card.checked())), "report": _json(submission.report),
            "notes": _json(submission.notes), "created": _now(), "created_by": submission.created_by,
        }  # fmt: skip
        ours = self._of(submission.task)
        try:
            with self.database.write() as connection:
                if replace:
                    connection.execute(sa.delete(PREDICTIONS).where(PREDICTIONS.c.id.in_(
                        sa.select(SUBMISSIONS.c.id).where(ours, SUBMISSIONS.c.name == name)
                    )))  # fmt: skip
                    connection.execute(sa.delete(SUBMISSIONS).where(ours, SUBMISSIONS.c.name == name))
                count = connection.execute(
                    sa.select(sa.func.count()).select_from(SUBMISSIONS).where(ours)
                ).scalar_one()
                if count >= MOST_SUBMISSIONS:
                    raise BenchmarkError(
                        f"{submission.task.title} has {count:,} submissions, which is as many as are kept."
                    )
                connection.execute(sa.insert(SUBMISSIONS).values(made))
                connection.execute(sa.insert(PREDICTIONS).values(id=made["id"], parquet=packed))
        except IntegrityError as error:
            raise BenchmarkError(
                f"There is a submission named {name!r} for {submission.task.title}. Choose another name, or replace it with "
                "--replace."
            ) from error
        return _submission(made)

    def list(self, task: Task) -> list[Submission]:
        """All submissions of a task, of every import of the dataset, the oldest first."""
        with self.database.read() as connection:
            found = connection.execute(
                sa.select(SUBMISSIONS).where(self._of(task)).order_by(SUBMISSIONS.c.created, SUBMISSIONS.c.id)
            )
            return [_submission(dict(row)) for row in found.mappings()]

    def predictions(self, id: str) -> pd.DataFrame:
        """The table of one submission.

        Raises:
            BenchmarkError: it is gone.
        """
        with self.database.read() as connection:
            packed = connection.execute(
                sa.select(PREDICTIONS.c.parquet).where(PREDICTIONS.c.id == id)
            ).scalar()
        if packed is None:
            raise BenchmarkError("This submission was withdrawn.")
        return pd.read_parquet(io.BytesIO(packed))

    def withdraw(self, task: Task, name: str) -> None:
        """Delete a submission.

        Raises:
            BenchmarkError: there is none of this name.
        """
        mine = sa.select(SUBMISSIONS.c.id).where(self._of(task), SUBMISSIONS.c.name == name)
        with self.database.write() as connection:
            connection.execute(sa.delete(PREDICTIONS).where(PREDICTIONS.c.id.in_(mine)))
            gone = connection.execute(
                sa.delete(SUBMISSIONS).where(self._of(task), SUBMISSIONS.c.name == name)
            )
            if not gone.rowcount:
                raise BenchmarkError(f"There is no submission named {name!r} for {task.title}.")

    def close(self, closed: Closed) -> None:
        """Close the benchmark of a split, or change how it is closed."""
        with self.database.write() as connection:
            connection.execute(
                sa.delete(CLOSED).where(CLOSED.c.dataset == closed.dataset, CLOSED.c.split == closed.split)
            )
            connection.execute(sa.insert(CLOSED).values(asdict(closed)))

    def open(self, dataset: str, split: str) -> None:
        """Open it again: labels are shown, and there is no limit."""
        with self.database.write() as connection:
            connection.execute(sa.delete(CLOSED).where(CLOSED.c.dataset == dataset, CLOSED.c.split == split))

    def closed(self, dataset: str) -> tuple[Closed, ...]:
        """The closed splits of a dataset."""
        with self.database.read() as connection:
            found = connection.execute(
                sa.select(CLOSED).where(CLOSED.c.dataset == dataset).order_by(CLOSED.c.split)
            )
            return tuple(Closed.from_row(dict(row)) for row in found.mappings())

    def take_try(self, closed: Closed, who: str) -> int:
        """Count a submission to a closed benchmark; how many are left today (UTC).

        Raises:
            BenchmarkError: the limit is reached.
        """
        since = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        with self.database.write() as connection:
            if not self.database.is_sqlite:  # two at once must not both take the last
                connection.execute(sa.text("LOCK TABLE benchmark_tries IN EXCLUSIVE MODE"))
            taken = connection.execute(
                sa.select(sa.func.count()).select_from(TRIES).where(
                    TRIES.c.dataset == closed.dataset, TRIES.c.split == closed.split, TRIES.c.who == who, TRIES.c.at > since
                )
            ).scalar_one()  # fmt: skip
            if taken >= closed.per_day:
                raise BenchmarkError(
                    f"{closed.dataset} takes {closed.per_day} submissions of one person in 24 hours, and {taken} were made."
                )
            connection.execute(sa.insert(TRIES).values(
                key=secrets.token_hex(16), dataset=closed.dataset, split=closed.split, who=who, at=_now()
            ))  # fmt: skip
        return int(closed.per_day - taken - 1)

    @staticmethod
    def _of(task: Task) -> sa.ColumnElement[bool]:
        return sa.and_(
            SUBMISSIONS.c.dataset == task.dataset,
            SUBMISSIONS.c.split == task.split,
            SUBMISSIONS.c.labels == task.labels,
        )


def _packed(table: pd.DataFrame) -> bytes:
    """
    Raises:
        BenchmarkError: it is larger than is kept.
    """
    held = io.BytesIO()
    table.assign(prediction=table.prediction.astype("category")).to_parquet(
        held, index=False, compression="zstd"
    )
    if held.tell() > TABLE_BYTES:
        raise BenchmarkError(
            f"These predictions have over {TABLE_BYTES // 2**20} MB, which is as much as is kept."
        )
    return held.getvalue()


def _submission(row: Mapping[str, Any]) -> Submission:
    return Submission(
        row["id"], Task(row["dataset"], row["split"], row["labels"]), row["name"], row["kind"], row["fingerprint"],
        Card(**json.loads(row["card"])), json.loads(row["report"]), row["digest"], tuple(json.loads(row["notes"])),
        row["created"], row["created_by"],
    )  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
