"""Audits as the review page asks for them: what waits for an annotator, products with their questions, answers."""

from __future__ import annotations

import io
import re
import secrets
import tempfile
import threading
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from cachetools import LRUCache, TTLCache

from core.answers.database import default_url
from core.answers.log import Decision
from core.audit.estimates import estimate
from core.audit.exchange import export
from core.audit.patch import write_patch
from core.audit.precision import judged_wrong, pilot_rates, precision
from core.audit.records import Assigned, Plan
from core.audit.report import as_html
from core.audit.store import AHEAD, Store
from core.audit.turns import turns
from core.catalog import info as catalog
from core.catalog.cohort import brief_paths, path_from_text
from core.catalog.info import DatasetInfo
from core.demo.class_names import names
from core.errors import AnswersError, UsageError, VitrineError
from core.schema import COUNTRY_OF_GEO
from pages.resources import products
from pages.resources.suggestions import suggested
from pages.resources.urls import image_url

LARGE_PX, SMALL_PX = 1600, 960
TEXT_CHARACTERS = 4_000  # of a description that is shown
_LOCK = threading.Lock()
_STORES: dict[str, Store] = {}
_JUDGED: TTLCache[tuple[str, str, str], dict[int, bool]] = TTLCache(16, 60)  # seconds
_FINDINGS: LRUCache[tuple[str, str, int, int], dict[str, Any]] = LRUCache(32)


def store() -> Store:
    """The database of answers, opened once.

    Raises:
        AnswersError: it does not answer.
    """
    url = default_url()
    with _LOCK:
        if url not in _STORES:
            _STORES[url] = Store()
        return _STORES[url]


def dataset_of(plan: Plan) -> DatasetInfo:
    """The dataset that a plan was made of.

    Raises:
        UnknownDatasetError: it was removed.
        UsageError: it was imported again from other files, so that the rows are other products.
    """
    info = catalog.info(plan.dataset)
    if info.fingerprint != plan.fingerprint:
        raise UsageError(
            f"{plan.dataset} was imported again from other files since the plan {plan.name} was made. "
            "Make a new plan; the answers of this one stay as they are."
        )
    return info


@dataclass(frozen=True)
class Done:
    """How far a plan is."""

    answered: int
    wanted: int  # answers, by all people together
    people: int

    def says(self) -> str:
        by = f" by {self.people} {'person' if self.people == 1 else 'people'}" if self.people else ""
        return f"{self.answered:,} of {self.wanted:,} answers{by}"


def progress(plan: str) -> Done:
    """How many answers there are, of how many."""
    made = store().items(plan)
    work = store().work(plan)
    planned = sum(one.reviewers for one in made if one.stratum is not None)
    wanted = max(planned, sum(one.assigned for one in work))
    return Done(len(store().current(plan)), wanted, len(work))


def pilot(info: DatasetInfo, by: Sequence[str]) -> dict[str, float]:
    """The accuracy of each stratum as the newest audit with the same strata found it, for Neyman's allocation.

    Raises:
        UsageError: there is none with answers.
    """
    for plan in store().plans(info.name):
        if plan.by == tuple(by) and not plan.queue and (rates := pilot_rates(store().audit(plan.plan))):
            return rates
    raise UsageError("Neyman's allocation needs a pilot: an audit with the same strata that has answers.")


def findings(plan: str) -> dict[str, Any]:
    """All that a plan's answers say; computed once for each state of the log.

    Raises:
        UsageError: it is the top of a queue, which estimates nothing.
    """
    answers = store().current(plan)
    state = (default_url(), plan, len(answers), max((one.seq for one in answers), default=0))
    with _LOCK:
        known = _FINDINGS.get(state)
    if known is None:
        known = estimate(store().audit(plan))
        with _LOCK:
            _FINDINGS[state] = known
    return known


def corrections(plan: str) -> bytes:
    """What reviewers corrected, as `vitrine audit apply` reads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "patch.json"
        write_patch(store().audit(plan), path)
        return path.read_bytes()


def exported(plan: str, kind: Literal["json", "csv", "parquet"]) -> bytes:
    """The whole audit, as `vitrine audit import` reads it: JSON, or a ZIP of tables."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / (plan if kind != "json" else f"{plan}.json")
        export(store(), plan, target, kind)
        if kind == "json":
            return target.read_bytes()
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(target.iterdir()):
                archive.write(file, f"{plan}/{file.name}")
        return out.getvalue()


def report(plan: str) -> bytes:
    """One page to send around."""
    return as_html(findings(plan), store().plan(plan)).encode()


def measured(info: DatasetInfo, rows: Sequence[int]) -> str:
    """What reviewers found of a queue that claims to hold label errors, in a sentence.

    Args:
        rows: row_ids, the most suspicious first.
    """
    try:
        judged = _judged(info)
    except VitrineError:  # the database is away: a page that shows a queue works without
        return ""
    found = [one for one in precision(rows, judged) if one["judged"]]
    if not found:
        return "How many of these are label errors? Nobody has measured it."
    return f"How many of these are label errors? {found[-1]['says']} (95% interval)."


def _judged(info: DatasetInfo) -> dict[int, bool]:
    key = (default_url(), info.name, info.fingerprint)
    with _LOCK:
        known = _JUDGED.get(key)
    if known is None:
        plans = [plan for plan in store().plans(info.name) if plan.fingerprint == info.fingerprint]
        known = judged_wrong([store().audit(plan.plan) for plan in plans])
        with _LOCK:
            _JUDGED[key] = known
    return known


def names_in(text: str) -> list[str]:
    """The names of a list with commas or line ends between them."""
    return [name.strip() for name in re.split(r"[,;\n]", text) if name.strip()]


def new_seed() -> int:
    """A random seed."""
    return secrets.randbelow(2**31)


def page_url(plan: str) -> str:
    """Where the Audit page shows a plan."""
    made = store().plan(plan)
    return f"/audit?{urlencode({'dataset': made.dataset, 'plan': plan})}"


def people(plan: str) -> dict[str, Any]:
    """The annotators of a plan, and whether another may join."""
    made = store().plan(plan)
    return {"title": made.name, "annotators": store().annotators(plan), "open": made.closed is None}


def join(plan: str, who: str) -> dict[str, Any]:
    """Add an annotator to the plan; unanswered items are assigned again."""
    store().join(plan, who)
    return people(plan)


def session(plan: str, who: str) -> dict[str, Any]:
    """What waits for an annotator, in their order, and what they can take back."""
    made = store().plan(plan)
    work = store().work(plan, who)[0]
    waiting = [] if made.closed else store().next_items(plan, who, AHEAD)
    return {
        "title": made.name,
        "closed": made.closed is not None,
        "assigned": work.assigned,
        "answered": work.answered,
        "items": _shown(made, waiting),
        "steps": [
            {"item": item, "kind": kind, "label": label} for item, kind, label in turns(store(), plan, who)
        ],
        "classes": [
            {"value": value, "label": label, "words": list(words)}
            for value, label, words in classes(made.labels)
        ],
    }


def items(plan: str, who: str, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Products of a plan by their numbers; unknown ones are left out."""
    made, known = store().plan(plan), store().items(plan)
    return _shown(made, [Assigned(known[number]) for number in numbers if number < len(known)])


@lru_cache(maxsize=16)
def classes(labels: tuple[str, ...]) -> list[tuple[str, str, tuple[str, ...]]]:
    """(value, name, other names) of each class: the shortest name that is unique, and all that one may type."""
    paths = [path_from_text(label) for label in labels]
    return [
        (value, brief, tuple(dict.fromkeys([*reversed(path), *(names(path[-1]) if path else ())])))
        for value, path, brief in zip(labels, paths, brief_paths(paths), strict=True)
    ]


def _shown(plan: Plan, waiting: Sequence[Assigned]) -> list[dict[str, Any]]:
    info = dataset_of(plan)
    rows = {
        row["row_id"]: row for row in products.table(info.name).by_row([one.item.row_id for one in waiting])
    }
    guesses = suggested(info, plan, [one.item for one in waiting])
    return [
        _question(info, one, rows[one.item.row_id], guesses.get(one.item.item, []))
        for one in waiting
        if one.item.row_id in rows
    ]


def _question(
    info: DatasetInfo, waiting: Assigned, row: Mapping[str, Any], guesses: list[str]
) -> dict[str, Any]:
    """What the browser draws. A blind item's label is there, too, and drawn once its class was chosen: the connection may
    be lost between both."""
    item = waiting.item
    picture = bool(row["image"])
    return {
        "item": item.item,
        "name": row["name"] or "",
        "description": (row["description"] or "")[:TEXT_CHARACTERS],
        "language": row["language"] or "",
        "country": COUNTRY_OF_GEO.get(row["geo"], row["geo"]) if row["geo"] else "",
        "picture": image_url(info, row["image_id"], SMALL_PX) if picture else None,
        "large": image_url(info, row["image_id"], LARGE_PX) if picture else None,
        "shown": item.shown,
        "given": item.label or None,
        "choice": waiting.choice,
        "suggestions": guesses,
    }


def store_answers(plan: str, who: str, events: Sequence[Any]) -> dict[str, Any]:
    """Store an annotator's events in their order, each once.

    Returns:
        `results`: of each event its key, and `refused` where it cannot be taken, or the item `undone`; `answered`.

    Raises:
        AnswersError: the database does not answer. What was stored is found again by its key.
        UsageError: an event has no key.
    """
    results = []
    for event in events:
        if not isinstance(event, Mapping) or not isinstance(event.get("key"), str):
            raise UsageError("Every answer needs a key.")
        try:
            results.append({"key": event["key"], **_stored(plan, who, event)})
        except AnswersError:
            raise
        except VitrineError as error:
            results.append({"key": event["key"], "refused": str(error)})
    return {"results": results, "answered": store().work(plan, who)[0].answered}


def _stored(plan: str, who: str, event: Mapping[str, Any]) -> dict[str, Any]:
    if event.get("kind") == "undo":
        undone = store().undo(plan, who, event["key"])
        return {"undone": None if undone is None else undone.item}
    number, ms, suggestions = event.get("item"), event.get("ms"), event.get("suggestions") or []
    texts = [event.get(name) for name in ("kind", "answer", "label", "choice", "note")]
    right_types = (
        isinstance(number, int) and (ms is None or isinstance(ms, int)) and isinstance(suggestions, list)
    )
    if not right_types or not all(text is None or isinstance(text, str) for text in [*texts, *suggestions]):
        raise UsageError("This is no answer.")
    assert isinstance(number, int)
    kind, answer, label, choice, note = texts
    if kind not in ("answer", "choice", "skip"):
        raise UsageError(f"{str(kind)[:40]!r} is no kind of answer.")
    store().record(
        Decision(
            plan,
            number,
            who,
            event["key"],
            kind,
            answer or "",
            label=label,
            choice=choice,
            ms=ms,
            suggestions=tuple(suggestions),
            note=note or "",
        )
    )
    return {}


def end(plan: str, who: str) -> dict[str, Any]:
    """What a review came to: agreement with known answers, once all is answered."""
    work = store().work(plan, who)[0]
    gold = None if work.gold is None else {"right": work.gold[0], "n": work.gold[1]}
    return {"answered": work.answered, "median_ms": work.median_ms, "gold": gold}
