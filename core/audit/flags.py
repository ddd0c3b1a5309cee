"""Products that somebody wants looked at: flagged from anywhere, for fixing, never for an estimate."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from core.answers.log import Decision, Log
from core.catalog.info import DatasetInfo
from core.errors import UsageError

QUEUE = "flagged"


@dataclass(frozen=True)
class Flag:
    """A product and who flagged it."""

    row_id: int
    who: str
    note: str
    at: str  # UTC


def task_of(info: DatasetInfo) -> str:
    """The task in the log of answers: flags of another import name other products."""
    return f"flags/{info.name}/{info.fingerprint}"


def flag(log: Log, info: DatasetInfo, row_id: int, who: str, note: str = "") -> None:
    """Flag a product. The same person twice is one flag.

    Raises:
        UsageError: there is no such row, or no name.
        AnswersError: the database does not answer.
    """
    if not 0 <= row_id < info.rows:
        raise UsageError(f"{info.name} has no row {row_id}.")
    if any(one.row_id == row_id and one.who == " ".join(who.split()) for one in flags(log, info)):
        return
    log.append(
        Decision(task_of(info), row_id, who, f"flag/{secrets.token_hex(16)}", answer="flag", note=note)
    )


def unflag(log: Log, info: DatasetInfo, row_id: int) -> None:
    """Take a flag off, whoever set it; the log keeps both."""
    for one in log.current(task_of(info)):
        if one.item == row_id and one.answer == "flag":
            log.append(
                Decision(task_of(info), row_id, one.who, f"unflag/{secrets.token_hex(16)}", answer="unflag")
            )


def flags(log: Log, info: DatasetInfo) -> list[Flag]:
    """What is flagged, the newest first."""
    found = [one for one in log.current(task_of(info)) if one.answer == "flag"]
    return [Flag(one.item, one.who, one.note, one.at) for one in reversed(found)]
