"""What an annotator can take back."""

from __future__ import annotations

import sqlalchemy as sa

from core.answers.log import LIVE_ENTRIES, UNDONE, person
from core.audit.store import Store


def turns(store: Store, plan: str, who: str) -> list[tuple[int, str, str | None]]:
    """(item, kind, label) of each answer, blind choice and skip that counts, in the order in which `Store.undo` would take them
    back, the latest last.

    Raises:
        AnswersError: the database does not answer.
    """
    entry = LIVE_ENTRIES.c
    chosen = sa.select(entry.item, entry.kind, entry.label).where(
        entry.task == plan, entry.who == person(who), entry.kind.in_(UNDONE)
    )
    with store.database.read() as connection:
        return [(row.item, row.kind, row.label) for row in connection.execute(chosen.order_by(entry.seq))]
