"""Human judgements of a random sample of pairs, and the precision at each threshold estimated from them.

Pairs are stratified by likeness. Each stratum has a fixed random order, and strata take turns, so that the judged pairs of
a stratum are a simple random sample of it. Strata are weighted by their number of pairs, whatever the number of judged
ones (Horvitz and Thompson 1952; Cochran 1977, chapter 5).
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from core.answers.database import database
from core.answers.log import Decision, Log
from core.catalog.info import DatasetInfo
from core.duplicates import hashing
from core.duplicates.detectors import detector
from core.duplicates.finding import Found
from core.errors import UsageError
from core.measures.intervals import wilson
from core.storage import storage_errors

Answer = Literal["yes", "no", "unsure"]
STRATA: dict[str, tuple[float, ...]] = {  # upper bounds of the strata: thresholds from exact to loosest
    "bytes": (1,),
    "pixels": (0, 2, 4, 6, 8, 10, 14, 20),
    "cropped": (0, 2, 3, 4, 5, 6, 8),
    "recoloured": (0, 1, 1.5, 2, 2.5, 3, 5),
    "hash": (0, 1, 2, 4, 6, 8, 12, 16),
    "vectors": (1, 0.998, 0.995, 0.99, 0.98, 0.97, 0.95, 0.9),
    "text": (1, 0.95, 0.9, 0.85, 0.8, 0.7),
    "glami": (1, 0.995, 0.99, 0.98, 0.95, 0.9),
}
WHO_CHARACTERS = 80
NOBODY = "(no name)"


@dataclass(frozen=True)
class Judgement:
    """One answer of the log, or a line of judgements.jsonl, where earlier versions kept them."""

    detector: str
    a: int  # row_ids, a < b
    b: int
    answer: Answer
    who: str
    when: str
    fingerprint: str  # of the dataset whose rows these are


@dataclass(frozen=True)
class Precision:
    """The estimated precision at a threshold: the share of its true duplicates."""

    threshold: float
    pairs: int
    judged: int  # pairs within the threshold judged yes or no
    yes: int
    precision: float | None  # None while no pair was judged
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """For a report; empty without judgements."""
        if self.precision is None:
            return {}
        return {"precision": self.precision, "low": self.low, "high": self.high, "judged": float(self.judged)}


def _path(info: DatasetInfo) -> Path:
    return hashing.folder_of(info) / "judgements.jsonl"


def judge(info: DatasetInfo, key: str, a: int, b: int, answer: Answer, who: str) -> Judgement:
    """Store one judgement; it is on disk when this returns.

    Raises:
        UsageError: the answer is none of the three, or the rows are not of the dataset.
        StorageError: it cannot be written.
    """
    if answer not in get_args(Answer) or not 0 <= a < b < info.rows:
        raise UsageError(f"A judgement is yes, no or unsure on two products of {info.name}.")
    who = who.strip()[:WHO_CHARACTERS] or NOBODY
    with storage_errors(info.folder):
        log = Log(database())
    said = Decision(_task(info, key), int(a) << 32 | int(b), who, f"pair/{uuid4().hex}", answer=answer)
    return _judgement(info, detector(key).key, log.append(said))


def judgements(info: DatasetInfo, key: str) -> dict[tuple[int, int], Judgement]:
    """The latest judgement of each pair. Those that an earlier version wrote to judgements.jsonl count, too; truncated lines
    there and those of an earlier import are skipped."""
    found: dict[tuple[int, int], Judgement] = {}
    with suppress(FileNotFoundError), _path(info).open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError, TypeError):
                made = Judgement(**json.loads(line))
                if made.detector == key and made.fingerprint == info.fingerprint:
                    found[made.a, made.b] = made
    if database().is_there():  # looking at a page makes no database
        for one in Log(database()).current(_task(info, key)):
            made = _judgement(info, key, one)
            found[made.a, made.b] = made
    return found


def _task(info: DatasetInfo, key: str) -> str:
    """The task of a detector's pairs in the log of answers."""
    return f"pairs/{detector(key).key}/{info.fingerprint}"


def _judgement(info: DatasetInfo, key: str, said: Decision) -> Judgement:
    a, b = said.item >> 32, said.item & 0xFFFFFFFF
    return Judgement(key, a, b, cast(Answer, said.answer), said.who, said.at, info.fingerprint)


def strata(found: Found) -> list[tuple[float, slice]]:
    """The loosest threshold of each stratum and its pairs, nearest first."""
    ends = []
    start = 0
    kind = detector(found.described.detector)
    for threshold in STRATA[kind.key]:
        if kind.likeness(threshold) < kind.likeness(found.described.loosest):
            break
        stop = found.within(threshold).stop
        ends.append((threshold, slice(start, stop)))
        start = stop
    return ends


def next_pairs(
    found: Found,
    judged: Mapping[tuple[int, int], Judgement],
    threshold: float,
    count: int = 1,
    seed: int = 0,
) -> list[int]:
    """Positions of the pairs to judge next: strata around the threshold first, in turn.

    Args:
        judged: see `judgements`.
        threshold: the precision that is asked for.
    """
    kind = detector(found.described.detector)
    cut = kind.likeness(threshold)
    done = Counter(_stratum_of(found, judged))
    queues: dict[int, Iterator[int]] = {}
    for place, (_, inside) in enumerate(strata(found)):
        order = _order(found, inside, seed)
        queues[place] = (int(row) for row in order if (int(found.a[row]), int(found.b[row])) not in judged)
    outside = {place for place, (end, _) in enumerate(strata(found)) if kind.likeness(end) < cut}
    chosen: list[int] = []
    while queues and len(chosen) < count:
        place = min(queues, key=lambda one: (done[one] * (2 if one in outside else 1), one))
        row = next(queues[place], None)
        if row is None:
            del queues[place]
            continue
        chosen.append(row)
        done[place] += 1
    return chosen


def _places(found: Found, judged: Mapping[tuple[int, int], Judgement]) -> dict[tuple[int, int], int]:
    """The positions of judged pairs in the table of pairs, without those that are not in it."""
    keys = np.array([a << 32 | b for a, b in judged], np.int64)
    rows = np.flatnonzero(np.isin(found.a << 32 | found.b, keys))
    return {(int(found.a[row]), int(found.b[row])): int(row) for row in rows}


def _stratum_of(found: Found, judged: Mapping[tuple[int, int], Judgement]) -> list[int]:
    """The stratum of each judged pair."""
    ends = [inside.stop for _, inside in strata(found)]
    return [bisect_right(ends, row) for row in _places(found, judged).values()]


def _order(found: Found, inside: slice, seed: int) -> NDArray[np.int64]:
    """A stratum's pairs in a random order determined by the pairs."""
    with np.errstate(over="ignore"):
        key = found.a[inside].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        key ^= found.b[inside].astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F) + np.uint64(seed)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            key = (key ^ (key >> np.uint64(shift))) * np.uint64(factor)
        key ^= key >> np.uint64(31)
    return inside.start + np.argsort(key, kind="stable")


def precision(
    found: Found, judged: Mapping[tuple[int, int], Judgement], thresholds: Sequence[float]
) -> list[Precision]:
    """The precision at each threshold with a 95% interval; without pairs judged "unsure"."""
    answers = {
        row: judged[pair].answer == "yes"
        for pair, row in _places(found, judged).items()
        if judged[pair].answer != "unsure"
    }
    return [_at(found, answers, threshold) for threshold in thresholds]


def precisions(
    info: DatasetInfo, founds: Mapping[str, Found], thresholds: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """By detector, the estimated precision at its threshold: see `Precision.as_dict`."""
    return {
        key: precision(found, judgements(info, key), [thresholds[key]])[0].as_dict()
        for key, found in founds.items()
    }


def _at(found: Found, answers: Mapping[int, bool], threshold: float) -> Precision:
    stop = found.within(threshold).stop
    sizes, counts, hits = [], [], []
    for _, inside in strata(found):
        end = min(inside.stop, stop)
        if end <= inside.start:
            continue
        of = [hit for row, hit in answers.items() if inside.start <= row < end]
        sizes.append(end - inside.start)
        counts.append(len(of))
        hits.append(sum(of))
    n, yes = sum(counts), sum(hits)
    if not n:
        return Precision(threshold, stop, 0, 0, None, 0.0, 1.0)
    share, low, high = stratified(sizes, counts, hits)
    return Precision(threshold, stop, n, yes, share, low, high)


def stratified(
    sizes: Sequence[int], counts: Sequence[int], hits: Sequence[int]
) -> tuple[float, float, float]:
    """A proportion from a stratified random sample, with a 95% interval.

    Strata are weighted by size. The interval is Wilson's with the effective sample size (Korn and Graubard 1998); a
    stratum without a sample could have any proportion, and widens the interval accordingly.

    Args:
        sizes, counts, hits: of each stratum its pairs, how many were judged, how many of those were a yes.

    Returns:
        share, low, high; the share is of the strata that were judged.

    >>> [round(end, 2) for end in stratified([100], [10], [9])]
    [0.9, 0.6, 0.98]
    """
    size, count, hit = (np.asarray(part, float) for part in (sizes, counts, hits))
    known = count > 0
    weight = size[known] / size[known].sum()
    share = float((weight * hit[known] / count[known]).sum())
    careful = (hit[known] + 0.5) / (count[known] + 1)  # a few equal answers do not give zero variance
    left = 1 - count[known] / size[known]
    variance = float((weight**2 * careful * (1 - careful) / count[known] * left).sum())
    middle = float((weight * careful).sum())
    alike = float(count.sum()) if known.sum() == 1 else min(
        middle * (1 - middle) / variance if variance > 0 else 1e9, 1e9
    )  # fmt: skip
    low, high = wilson(share * alike, alike)
    covered = float(size[known].sum() / size.sum())
    return share, low * covered, high * covered + (1 - covered)
