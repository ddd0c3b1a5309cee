"""Who reviews which items, and how far everybody is."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence

from core.answers.log import Decision
from core.audit.records import Item, Work, final_label


def deal(
    items: Sequence[Item],
    people: Sequence[str],
    touched: set[tuple[str, int]],
    had: set[tuple[str, int]],
    seed: int,
) -> dict[str, set[int]]:
    """Which items each person reviews: an item goes to as many as it needs, evenly and at random.

    Args:
        touched: (who, item) that somebody answered already, whether they are still there or not; theirs for good.
        had: (who, item) of the deal before; as much of it stays as is even, so that nobody's next items change at once.

    Returns:
        The items of each, also of people who left: those that they answered.
    """
    rng = random.Random(f"{seed} {' '.join(people)}")
    has: dict[str, set[int]] = {who: set() for who in people}
    on: dict[int, set[str]] = defaultdict(set)

    def give(who: str, item: int) -> None:
        has.setdefault(who, set()).add(item)
        on[item].add(who)

    for who, item in sorted(touched):
        give(who, item)
    order = [one for one in items if not for_everybody(one)]
    needed = {one.item: min(one.reviewers, len(people)) for one in order}
    fair = -(-sum(needed.values()) // len(people))
    before = sorted(pair for pair in had - touched if pair[0] in people and pair[1] in needed)
    rng.shuffle(before)
    for who, item in before:
        if len(has[who]) < fair and len(on[item]) < needed[item]:
            give(who, item)
    rng.shuffle(order)
    for one in order:
        for _ in range(needed[one.item] - len(on[one.item])):
            free = [who for who in people if who not in on[one.item]]
            if not free:
                break
            least = min(len(has[who]) for who in free)
            give(rng.choice([who for who in free if len(has[who]) == least]), one.item)
    for one in items:
        if for_everybody(one):
            for who in people:
                has[who].add(one.item)
    return has


def for_everybody(item: Item) -> bool:
    """Gold items that are not of the sample are answered by all."""
    return item.stratum is None and item.gold is not None


def place(seed: int, who: str, item: int) -> int:
    """An item's place in somebody's random order, always the same."""
    digest = hashlib.blake2b(f"{seed}\n{who}\n{item}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big")


def work_of(
    who: str, mine: set[int], answers: list[Decision], skipped: set[int], items: Sequence[Item]
) -> Work:
    done = {one.item for one in answers}
    times = sorted(one.ms for one in answers if one.ms is not None)
    gold = [one for one in answers if items[one.item].gold is not None]
    right = sum(final_label(one, items[one.item]) == items[one.item].gold for one in gold)
    return Work(
        who,
        assigned=len(mine),
        answered=len(done),
        skipped=len(skipped - done),
        median_ms=None if not times else float(times[len(times) // 2]),
        last=max((one.at for one in answers), default=None),
        gold=(right, len(gold)) if mine <= done else None,
    )
