"""What people decide on pairs of sub-classes, in the log of answers; as a file to pass on.

An entry carries both names, so that the log says by itself what was decided. Of several people, the last answer counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args
from uuid import uuid4

from core.answers.database import database
from core.answers.log import TEXT_CHARACTERS, Decision, Log, clean
from core.errors import SourceError, UsageError
from core.labels.alignment import Alignment, Pair
from core.storage import storage_errors

Answer = Literal["same", "not", "parent", "child", "name"]
WORDS: dict[str, str] = {
    "same": "the same",
    "not": "not the same",
    "parent": "the first is the parent of the second",
    "child": "the second is the parent of the first",
    "name": "the same, under a new name",
}
TURNED: dict[Answer, Answer] = {"parent": "child", "child": "parent"}
NAME_CHARACTERS = 200
FORMAT, VERSION = "vitrine-alignment", 1
BYTES = 64 * 2**20
SIDES = ("a", "b")
PARTS = ("source", "first", "name")


@dataclass(frozen=True)
class Decided:
    """The answer that counts for a pair."""

    a: tuple[str, str, str]  # `SubClass.key`
    b: tuple[str, str, str]
    answer: Answer
    name: str  # the new name; empty for all other answers
    who: str
    at: str  # UTC


def decide(found: Alignment, pair: Pair, answer: str, who: str, name: str = "") -> Decided:
    """Store an answer; it is on disk when this returns.

    Raises:
        UsageError: no such answer, or a new name is missing, too long, or holds a control character.
        AnswersError: the database does not answer.
    """
    said = _entry(found.task, pair.item, pair.a.key, pair.b.key, answer, name, who, f"align/{uuid4().hex}")
    return _decided(Log(database()).append(said))


def undo(found: Alignment, who: str) -> Decided | None:
    """Take back a person's latest answer on these sources; again, the one before. None if there is none left."""
    if not database().is_there():
        return None
    taken = Log(database()).undo(found.task, who, f"align/{uuid4().hex}")
    return None if taken is None else _decided(taken)


def decisions(found: Alignment) -> dict[int, Decided]:
    """The answers that count, by `Pair.item`, in the order given; those on pairs that are no longer there are left out."""
    if not database().is_there():  # looking makes no database
        return {}
    there = {pair.item: pair for pair in found.pairs}
    made: dict[int, Decided] = {}
    for one in Log(database()).current(found.task):
        if one.item in there and len(one.suggestions) == 6:
            made.pop(one.item, None)
            made[one.item] = _as_asked(_decided(one), there[one.item])
    return made


def _as_asked(said: Decided, pair: Pair) -> Decided:
    """A decision on a pair as it stands now; it may have been made when the other source came first."""
    turned = said.a != pair.a.key and said.a == pair.b.key
    return replace(
        said,
        a=pair.a.key,
        b=pair.b.key,
        answer=TURNED.get(said.answer, said.answer) if turned else said.answer,
    )


def exported(found: Alignment) -> dict[str, Any]:
    """The decisions as a file holds them."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "datasets": list(found.datasets),
        "fingerprints": list(found.fingerprints),
        "by": found.by,
        "decisions": [
            {
                **{side: dict(zip(PARTS, getattr(one, side), strict=True)) for side in SIDES},
                "answer": one.answer, "name": one.name, "who": one.who, "at": one.at,
            }
            for one in decisions(found).values()
        ],
    }  # fmt: skip


def write(found: Alignment, path: Path) -> int:
    """Write the decisions as JSON; gives how many.

    Raises:
        StorageError: it cannot be written.
    """
    made = exported(found)
    with storage_errors(path.parent):
        path.write_text(json.dumps(made, ensure_ascii=False, indent=1), encoding="utf-8")
    return len(made["decisions"])


def read(found: Alignment, path: Path) -> tuple[int, int]:
    """Take the decisions of a file over; the same file again adds nothing.

    Returns:
        How many were taken, and how many are on sub-classes that these sources do not have.

    Raises:
        SourceError: the file cannot be read.
        UsageError: it holds no decisions; nothing was stored.
    """
    try:
        if path.stat().st_size > BYTES:
            raise SourceError(f"{path} has more than {BYTES // 2**20} MB.")
        return take(found, json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{path} cannot be read ({error}).") from error


def take(found: Alignment, said: Any, place: str) -> tuple[int, int]:
    """`read` of a file's content."""
    if not isinstance(said, dict) or said.get("format") != FORMAT or said.get("version") != VERSION:
        raise UsageError(f"{place} holds no decisions of an alignment.")
    pairs = {(pair.a.key, pair.b.key): pair for pair in found.pairs}
    entries, missing = [], 0
    try:
        for one in said["decisions"]:
            a, b = (_key(one[side]) for side in SIDES)
            answer, name, who = (str(one.get(part, "")) for part in ("answer", "name", "who"))
            pair = pairs.get((a, b))
            if (
                pair is None and (pair := pairs.get((b, a))) is not None
            ):  # the file names the datasets the other way round
                answer = {"parent": "child", "child": "parent"}.get(answer, answer)
            if pair is None:
                missing += 1
                continue
            told = json.dumps([found.task, a, b, answer, name, who, one.get("at")], ensure_ascii=False)
            key = f"align/file/{hashlib.blake2b(told.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"
            entries.append(_entry(found.task, pair.item, pair.a.key, pair.b.key, answer, name, who, key))
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{place} holds a decision that cannot be read ({error}).") from error
    if entries:
        _store(entries)
    return len(entries), missing


def _store(entries: Iterable[Decision]) -> None:
    """All of a file, or nothing."""
    log = Log(database())
    with log.database.write() as connection:
        for entry in entries:
            log.append_in(connection, entry)


def _key(side: Mapping[str, Any]) -> tuple[str, str, str]:
    source, first, name = (side[part] for part in PARTS)
    if not all(isinstance(part, str) for part in (source, first, name)):
        raise TypeError("a name is no text")
    return source, first, name


def _entry(
    task: str,
    item: int,
    a: tuple[str, str, str],
    b: tuple[str, str, str],
    answer: str,
    name: str,
    who: str,
    key: str,
) -> Decision:
    if answer not in get_args(Answer):
        raise UsageError(f"{answer!r} is no decision: {', '.join(get_args(Answer))}.")
    if max(map(len, (*a, *b))) > TEXT_CHARACTERS:
        raise UsageError("A name is too long to decide on.")
    name = new_name(name) if answer == "name" else ""
    return Decision(task, item, who, key, answer=answer, label=name or None, suggestions=(*a, *b))


def new_name(name: str) -> str:
    """A name for a merged sub-class.

    Raises:
        UsageError: it is empty, too long, or not printable.
    """
    name = " ".join(clean(name, TEXT_CHARACTERS).split())
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise UsageError(f"A new name has 1 to {NAME_CHARACTERS} printable characters.")
    return name


def _decided(said: Decision) -> Decided:
    a, b = tuple(said.suggestions[:3]), tuple(said.suggestions[3:6])
    return Decided(
        cast(tuple[str, str, str], a), cast(tuple[str, str, str], b), cast(Answer, said.answer),
        said.label or "", said.who, said.at,
    )  # fmt: skip
