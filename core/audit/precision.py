"""What the answers say of a queue that claims to find errors, and of a pilot's strata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.audit.estimates import reviewed, verdict
from core.audit.records import Audit
from core.measures.intervals import wilson

AT = (50, 100, 200)


def pilot_rates(audit: Audit) -> dict[str, float]:
    """The accuracy of each stratum that was measured, a little towards one half, since few answers say little."""
    hits: dict[str, list[bool]] = {}
    for one in reviewed(audit):
        if one.verdict != "unsure" and one.item.stratum is not None:
            name = audit.plan.strata[one.item.stratum].name
            hits.setdefault(name, []).append(one.verdict != "wrong")
    return {name: (sum(some) + 1) / (len(some) + 2) for name, some in hits.items()}


def judged_wrong(audits: Sequence[Audit]) -> dict[int, bool]:
    """row_id -> is the label wrong, of all products that anybody judged right or wrong in any plan of one dataset."""
    found: dict[int, bool] = {}
    for audit in audits:
        answers: dict[int, list[Any]] = {}
        for one in audit.answers:
            answers.setdefault(one.item, []).append(one)
        for item, said in answers.items():
            made = verdict(audit.items[item], said)
            if made.verdict in ("right", "wrong"):
                found[made.item.row_id] = made.verdict == "wrong"
    return found


def precision(
    rows: Sequence[int], judged: Mapping[int, bool], at: Sequence[int] = AT
) -> list[dict[str, Any]]:
    """The share of real errors among a queue's first products, from those that somebody judged.

    The interval is right if what was judged is a random part of the queue's top: a queue's own plan is reviewed in random
    order, and a random sample meets a queue at random.

    Args:
        rows: the queue's row_ids, the most suspicious first.
        judged: see `judged_wrong`.

    Returns:
        For each depth: at, judged, wrong, precision (None if nobody has judged any), low, high, says (in words).
    """
    found: list[dict[str, Any]] = []
    for depth in at:
        if depth > len(rows) and found:
            break
        said = [judged[row] for row in rows[:depth] if row in judged]
        wrong = sum(said)
        low, high = wilson(wrong, len(said))
        share = wrong / len(said) if said else None
        words = (
            f"{wrong} of {len(said)} judged among the first {depth} are errors: {100 * wrong / len(said):.0f}% "
            f"({100 * low:.0f} to {100 * high:.0f})"
            if said
            else "nobody has measured it"
        )
        found.append(
            {
                "at": depth,
                "judged": len(said),
                "wrong": wrong,
                "precision": share,
                "low": low,
                "high": high,
                "says": words,
            }
        )
    return found
