"""What an audit found: accuracy with intervals, confusion, agreement, annotators, the effect of showing the label.

Every product of the sample has one verdict: what most of its reviewers say, ambiguous where as many say right as wrong.
An ambiguous label counts as right in the headline, since it is no error, and as wrong beside it. "Cannot tell" is no
answer. Items of a queue and gold items that were not drawn enter no estimate.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.answers.log import Decision
from core.audit.agreement import Ratings, agreement, dawid_skene
from core.audit.plan import sample_size
from core.audit.records import Audit, Item, final_label
from core.audit.shares import Share, difference, share
from core.audit.words import caveats, in_words
from core.errors import UsageError
from core.measures.intervals import wilson

Verdict = Literal["right", "wrong", "ambiguous", "unsure"]
BY = ("label_kind", "label_source", "geo", "split")  # columns of an item that accuracies are given for
PAIRS = 20  # most confused
EXAMPLES = 6  # items of each
SEEN_TWICE = 20  # items that Dawid and Skene's algorithm needs
AMBIGUOUS, OTHER = "(ambiguous)", "(another class)"


@dataclass(frozen=True)
class Reviewed:
    """A product of the sample with its verdict."""

    item: Item
    verdict: Verdict
    label: str | None  # the right class, where the reviewers say one


def reviewed(audit: Audit) -> list[Reviewed]:
    """The products of the sample that have an answer, one verdict each."""
    answers: dict[int, list[Decision]] = defaultdict(list)
    for one in audit.answers:
        answers[one.item].append(one)
    return [
        verdict(audit.items[item], said)
        for item, said in sorted(answers.items())
        if audit.items[item].stratum is not None
    ]


def verdict(item: Item, said: Sequence[Decision]) -> Reviewed:
    """What the reviewers of one product say together."""
    counts = Counter(one.answer for one in said)
    labels = Counter(label for one in said if (label := final_label(one, item)) is not None)
    label = labels.most_common(1)[0][0] if labels else None
    right, wrong, ambiguous = counts["right"], counts["wrong"], counts["ambiguous"]
    if not right + wrong + ambiguous:
        return Reviewed(item, "unsure", None)
    if right > max(wrong, ambiguous):
        return Reviewed(item, "right", item.label)
    if wrong > max(right, ambiguous):
        instead = Counter(one.label for one in said if one.answer == "wrong" and one.label is not None)
        return Reviewed(item, "wrong", instead.most_common(1)[0][0] if instead else None)
    return Reviewed(item, "ambiguous", label)


class _Sample:
    """Counts by stratum of the products with a verdict."""

    def __init__(self, audit: Audit) -> None:
        self.strata = audit.plan.strata
        self.sizes = np.array([one.size for one in self.strata])
        self.all = reviewed(audit)
        self.usable = [one for one in self.all if one.verdict != "unsure"]
        self.where = np.array([one.item.stratum for one in self.usable], np.int64)
        self.answered = self._count(np.ones(len(self.usable), bool))

    def _count(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(self.where[chosen], minlength=len(self.strata))

    def whole(self, column: str, value: str, audit: Audit) -> NDArray[np.int64] | None:
        """The strata that make up a part, where the strata are by this column."""
        if column not in audit.plan.by:
            return None
        found = {
            one.stratum for one in audit.items if one.stratum is not None and _value(one, column) == value
        }
        return np.array(sorted(found), np.int64)

    def share(
        self,
        hit: Callable[[Reviewed], bool],
        part: Callable[[Reviewed], bool] | None = None,
        strata: NDArray[np.int64] | None = None,
    ) -> Share:
        hits = np.array([hit(one) for one in self.usable], bool)
        if strata is not None:
            return share(self.sizes[strata], self.answered[strata], None, self._count(hits)[strata])
        if part is None:
            return share(self.sizes, self.answered, None, self._count(hits))
        inside = np.array([part(one) for one in self.usable], bool)
        return share(self.sizes, self.answered, self._count(inside), self._count(hits & inside))


def estimate(audit: Audit, repeats: int = 400) -> dict[str, Any]:
    """Everything that an audit says, as JSON can hold it; shares are fractions, intervals 95%.

    Args:
        repeats: of the bootstrap of the agreement.

    Raises:
        UsageError: the plan is a queue, which is no sample.
    """
    plan = audit.plan
    if plan.queue:
        raise UsageError(
            f"{plan.plan} is the top of the queue {plan.queue}, not a random sample: it estimates no accuracy. "
            "See its precision: vitrine audit queues " + plan.dataset
        )
    sample = _Sample(audit)
    counts = Counter(one.verdict for one in sample.all)
    overall = sample.share(_right)
    answer: dict[str, Any] = {
        "plan": plan.plan,
        "name": plan.name,
        "dataset": plan.dataset,
        "fingerprint": plan.fingerprint,
        "closed": plan.closed,
        "frame": plan.frame,
        "drawn": plan.size,
        "reviewed": len(sample.all),
        "verdicts": {name: counts.get(name, 0) for name in ("right", "wrong", "ambiguous", "unsure")},
        "accuracy": overall.as_dict(),
        "accuracy_strict": sample.share(lambda one: one.verdict == "right").as_dict(),
        "by": _by(sample, audit),
        "human_minus_machine": _kinds(sample, audit),
        "confusion": _confusion(sample),
        "agreement": _agreement(audit, repeats),
        "annotators": _annotators(audit),
        "anchoring": _anchoring(sample),
        "more": _more(audit, overall),
    }
    answer["words"] = in_words(answer)
    answer["caveats"] = caveats(answer, plan)
    return answer


def _right(one: Reviewed) -> bool:
    return one.verdict in ("right", "ambiguous")


def _value(item: Item, column: str) -> str:
    return getattr(item, column) or "(none)"


def _by(sample: _Sample, audit: Audit) -> dict[str, dict[str, Any]]:
    """The accuracy of every part; `noise` is 1 - accuracy."""
    found: dict[str, dict[str, Any]] = {
        "stratum": {
            one.name: sample.share(_right, strata=np.array([at])).as_dict()
            for at, one in enumerate(sample.strata)
        }
    }
    for column in BY:
        values = sorted({_value(one, column) for one in audit.items if one.stratum is not None})
        found[column] = {
            value: sample.share(
                _right,
                lambda one, column=column, value=value: _value(one.item, column) == value,  # type: ignore[misc]
                sample.whole(column, value, audit),
            ).as_dict()
            for value in values
        }
    return found


def _kinds(sample: _Sample, audit: Audit) -> dict[str, float] | None:
    human, machine = (
        sample.share(
            _right,
            lambda one, kind=kind: one.item.label_kind == kind,  # type: ignore[misc]
            sample.whole("label_kind", kind, audit),
        )
        for kind in ("human", "machine")
    )
    return difference(human, machine)


def _confusion(sample: _Sample) -> dict[str, Any]:
    """Given label -> right label -> products, and the pairs that are most frequent in the frame."""
    table: dict[str, dict[str, int]] = defaultdict(dict)
    pairs: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in sample.usable:
        true = one.label if one.label is not None else OTHER
        if one.verdict == "ambiguous":
            true = AMBIGUOUS
        table[one.item.label][true] = table[one.item.label].get(true, 0) + 1
        if one.verdict == "wrong":
            pairs[one.item.label, true].append(one.item.item)
    weight = np.divide(
        sample.sizes, sample.answered, out=np.zeros(len(sample.sizes)), where=sample.answered > 0
    )
    of = {one.item.item: float(weight[at]) for one, at in zip(sample.usable, sample.where, strict=True)}
    most = sorted(pairs, key=lambda pair: (-sum(of[item] for item in pairs[pair]), pair))[:PAIRS]
    found = []
    for given, true in most:
        mine = set(pairs[given, true])
        of_all = sample.share(lambda one, mine=mine: one.item.item in mine)  # type: ignore[misc]
        found.append(
            {
                "given": given,
                "true": true,
                "n": len(mine),
                "share": of_all.estimate,
                "low": of_all.low,
                "high": of_all.high,
                "items": sorted(mine)[:EXAMPLES],
            }
        )
    return {"table": dict(table), "pairs": found}


def _ratings(audit: Audit, of: Callable[[Decision, Item], str | None]) -> Ratings:
    said = {}
    for one in audit.answers:
        value = of(one, audit.items[one.item])
        if value is not None:
            said[one.item, one.who] = value
    return Ratings.of(said)


def _answer(one: Decision, _: Item) -> str | None:
    return None if one.answer == "unsure" else one.answer


def _class(one: Decision, item: Item) -> str | None:
    if one.answer == "unsure":
        return None
    return AMBIGUOUS if one.answer == "ambiguous" else final_label(one, item) or OTHER


def _agreement(audit: Audit, repeats: int) -> dict[str, Any]:
    """Between people, on products of the sample: on right or wrong, and on the class."""
    said = tuple(one for one in audit.answers if audit.items[one.item].stratum is not None)
    audit = replace(audit, answers=said)
    return {
        "answers": agreement(_ratings(audit, _answer), repeats),
        "classes": agreement(_ratings(audit, _class), repeats),
    }


def _annotators(audit: Audit) -> list[dict[str, Any]]:
    """How good each annotator is: by gold items, and by Dawid and Skene's algorithm on right and wrong."""
    by: dict[str, list[Decision]] = defaultdict(list)
    for one in audit.answers:
        by[one.who].append(one)
    ratings = _ratings(audit, _answer)
    likely: dict[str, float] = {}
    if len(ratings.people) > 1 and ((ratings.codes >= 0).sum(axis=1) >= 2).sum() >= SEEN_TWICE:
        likely = dict(zip(ratings.people, dawid_skene(ratings)["accuracy"].tolist(), strict=True))
    found = []
    for who, said in sorted(by.items()):
        gold = [one for one in said if audit.items[one.item].gold is not None and one.answer != "unsure"]
        right = sum(final_label(one, audit.items[one.item]) == audit.items[one.item].gold for one in gold)
        low, high = wilson(right, len(gold))
        times = [one.ms for one in said if one.ms is not None]
        found.append(
            {
                "who": who,
                "answered": len(said),
                "gold": {"right": right, "n": len(gold), "low": low, "high": high},
                "dawid_skene": likely.get(who),
                "median_ms": float(np.median(times)) if times else None,
            }
        )
    return found


def _anchoring(sample: _Sample) -> dict[str, Any] | None:
    """How much more often a label is called right if it is shown from the beginning: both arms are random."""
    shown = sample.share(_right, lambda one: one.item.shown)
    blind = sample.share(_right, lambda one: not one.item.shown)
    if not shown.n or not blind.n:
        return None
    p = float(np.clip((shown.estimate or 0) * 0.5 + (blind.estimate or 0) * 0.5, 0.05, 0.95))
    return {
        "shown": shown.as_dict(),
        "blind": blind.as_dict(),
        "effect": difference(shown, blind),
        "detectable": min(1.0, 2.8 * float(np.sqrt(p * (1 - p) * (1 / shown.n + 1 / blind.n)))),  # power 80%
    }


def _more(audit: Audit, overall: Share) -> dict[str, Any] | None:
    """About how many more products give the wanted half-width; None where none is wanted."""
    wanted = audit.plan.half_width
    if wanted is None:
        return None
    now = (overall.high - overall.low) / 2
    left = audit.plan.size - overall.n
    if overall.estimate is None or not np.isfinite(overall.effective):
        return {"wanted": wanted, "now": now, "more": 0 if overall.n else audit.plan.size, "left": left}
    design = overall.n / overall.effective  # products that are as sure as one of a simple random sample
    p = float(np.clip(overall.estimate, 0.02, 0.98))
    needed = int(np.ceil(design * sample_size(wanted, p)))
    return {
        "wanted": wanted,
        "now": now,
        "more": 0 if now <= wanted else max(1, min(needed, audit.plan.frame) - overall.n),
        "left": left,
    }
