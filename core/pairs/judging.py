"""A person's answers on a random sample of pairs: is the exchanged text in fact true of the picture?

Such a pair is a false negative: training pushes a matching text away. All pairs of a set stand in one random order that
never changes, and are asked in that order, so that the answers are a simple random sample.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.duplicates.judging import WHO_CHARACTERS, stratified
from core.errors import UsageError
from core.pairs.table import Described, PairTable
from core.storage import append_line, storage_errors

Answer = Literal["match", "mismatch", "unsure"]


@dataclass(frozen=True)
class Judgement:
    """One line of judgements.jsonl."""

    pairs: str  # name of the set
    vectors: str  # digests of the vectors that it was made from
    row_id: int  # whose picture
    partner: int  # whose text
    answer: Answer
    who: str
    when: str
    fingerprint: str  # of the dataset


@dataclass(frozen=True)
class Rate:
    """The generator's false negatives, estimated from the answers."""

    judged: int  # match or mismatch
    matches: int
    unsure: int
    rate: float | None  # None while nothing is judged
    low: float
    high: float  # 95% interval


def _vectors(described: Described) -> str:
    return f"{described.image_digest}-{described.text_digest}"


def judge(
    info: DatasetInfo, described: Described, row_id: int, partner: int, answer: Answer, who: str
) -> Judgement:
    """Store one answer; it is on disk when this returns.

    Raises:
        UsageError: the answer is none of the three, or the rows are not of the dataset.
        StorageError: it cannot be written.
    """
    rows = (row_id, partner)
    if answer not in get_args(Answer) or not all(0 <= row < info.rows for row in rows):
        raise UsageError(f"An answer is {', '.join(get_args(Answer))} on a pair of {info.name}.")
    made = Judgement(
        described.name, _vectors(described), int(row_id), int(partner), answer, who[:WHO_CHARACTERS],
        datetime.now(UTC).isoformat(timespec="seconds"), info.fingerprint,
    )  # fmt: skip
    with storage_errors(info.folder):
        append_line(info.folder / "pairs" / "judgements.jsonl", json.dumps(asdict(made), ensure_ascii=False))
    return made


def judgements(info: DatasetInfo, described: Described) -> dict[tuple[int, int], Judgement]:
    """The latest answer on each pair (row_id, partner) of the set; broken lines and those on other pairs are skipped."""
    found: dict[tuple[int, int], Judgement] = {}
    path = info.folder / "pairs" / "judgements.jsonl"
    wanted = (described.name, _vectors(described), info.fingerprint)
    with suppress(FileNotFoundError), path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError, TypeError):
                made = Judgement(**json.loads(line))
                if (made.pairs, made.vectors, made.fingerprint) == wanted:
                    found[int(made.row_id), int(made.partner)] = made
    return found


def order(table: PairTable) -> NDArray[np.int64]:
    """The positions of all pairs in the random order in which they are asked."""
    places = np.flatnonzero(table.paired)
    return np.random.default_rng([table.described.settings.seed, 5]).permutation(places)


def next_pair(table: PairTable, judged: Mapping[tuple[int, int], Judgement]) -> int | None:
    """The position of the pair to ask next; None where all are answered."""
    return next(_open(table, judged), None)


def _open(table: PairTable, judged: Mapping[tuple[int, int], Judgement]) -> Iterator[int]:
    for place in order(table).tolist():
        if (int(table.row_id[place]), int(table.partner[place])) not in judged:
            yield place


def rate(table: PairTable, judged: Mapping[tuple[int, int], Judgement]) -> Rate:
    """The share of pairs that are in fact matches, with Wilson's 95% interval; unsure answers are left out."""
    answers = [one.answer for one in judged.values()]
    matches, unsure = answers.count("match"), answers.count("unsure")
    n = matches + answers.count("mismatch")
    if not n:
        return Rate(0, 0, unsure, None, 0.0, 1.0)
    share, low, high = stratified([table.described.counts.pairs], [n], [matches])
    return Rate(n, matches, unsure, share, low, high)
