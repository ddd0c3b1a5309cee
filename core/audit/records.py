"""What an audit is made of: a plan, its items, and who reviews them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from core.answers.log import Decision

Allocation = Literal["proportional", "equal", "neyman", "fixed"]
StratifyBy = Literal["label_source", "label_kind", "geo", "category", "split"]
STRATIFY_BY: tuple[StratifyBy, ...] = ("label_source", "label_kind", "geo", "category", "split")
Answer = Literal["right", "wrong", "ambiguous", "unsure"]
ANSWERS: tuple[Answer, ...] = ("right", "wrong", "ambiguous", "unsure")


@dataclass(frozen=True)
class Stratum:
    """A part of the frame that is sampled by itself."""

    name: str  # such as "custom-tag · cz"; "all" without strata
    size: int  # products of the frame in it
    drawn: int  # of them in the sample


@dataclass(frozen=True)
class Plan:
    """An audit of a dataset's labels. Nothing of it changes after it was made, but `closed`."""

    plan: str  # its id, also the task of its answers
    name: str
    dataset: str
    fingerprint: str  # of the dataset
    cohort: dict[str, list[str]]  # the frame, as `Cohort.to_query` gives it
    frame: int  # products in it
    by: tuple[StratifyBy, ...]  # what the strata are
    strata: tuple[Stratum, ...]
    allocation: Allocation
    size: int  # products drawn, without gold items
    seed: int
    labels: tuple[str, ...]  # all classes that an annotator may choose, as `path_text` gives them
    half_width: float | None = None  # wanted, a fraction
    guess: float = 0.9  # the accuracy that was assumed for it
    level: int = 1  # of the category path, for strata by category group
    overlap: float = 0.0  # share of the items that `reviewers` see
    reviewers: int = 2
    anchoring: float = 0.0  # share of the items that are shown with their label; the others are blind
    gold: int = 0  # items with a known answer, beside the sample
    notes: tuple[str, ...] = ()  # what was not as asked
    queue: str = ""  # the queue that its items are the top of, for fixing: such a plan is no sample and estimates nothing
    created: str = ""
    created_by: str = ""
    closed: str | None = None  # when; no answer is taken afterwards

    def document(self) -> str:
        """As JSON, without what the database keeps in columns of its own."""
        return json.dumps(
            {k: v for k, v in asdict(self).items() if k not in ("plan", "closed")}, ensure_ascii=False
        )

    @classmethod
    def from_document(cls, plan: str, closed: str | None, said: Mapping[str, Any]) -> Plan:
        """The inverse of `document`.

        Raises:
            TypeError, ValueError, KeyError: it is no document of a plan.
        """
        known = {entry.name for entry in fields(cls)} - {"plan", "closed"}
        found = {key: value for key, value in said.items() if key in known}
        found["strata"] = tuple(Stratum(**one) for one in found["strata"])
        for key in ("by", "labels", "notes"):
            found[key] = tuple(found.get(key, ()))
        return cls(plan=plan, closed=closed, **found)


@dataclass(frozen=True)
class Item:
    """A product of a plan, as the catalog described it when the plan was made."""

    item: int  # 0, 1, ... within the plan
    row_id: int
    item_id: str | None
    image_id: str | None
    label: str  # the given one, as `path_text` gives it; "" where there is none
    label_source: str | None
    label_kind: str | None
    geo: str | None
    split: str | None
    stratum: int | None  # position in `Plan.strata`; None for a gold item that was not drawn
    inclusion: float | None  # the probability with which it was drawn; None likewise
    shown: bool  # is the given label shown from the beginning (the anchoring arm)
    reviewers: int = 1  # how many people are to see it
    gold: str | None = None  # the known right label


@dataclass(frozen=True)
class Assigned:
    """An item that waits for an annotator."""

    item: Item
    choice: str | None = None  # what they chose blind, if only the second step is missing
    skipped: bool = False


@dataclass(frozen=True)
class Work:
    """How far an annotator is."""

    who: str
    assigned: int
    answered: int
    skipped: int  # of those that wait
    median_ms: float | None  # a decision's
    last: str | None  # when they answered last, UTC
    gold: tuple[int, int] | None = (
        None  # right answers on gold items and answers; None before all are answered
    )


@dataclass(frozen=True)
class Audit:
    """All that estimates are computed from."""

    plan: Plan
    items: tuple[Item, ...]
    answers: tuple[Decision, ...] = ()  # those that count


def final_label(answer: Decision, item: Item) -> str | None:
    """The class that an answer says is right; None where it says none."""
    if answer.answer == "right":
        return item.label
    return answer.label if answer.answer == "wrong" else None
