"""A person's answers: kept durably, sampled fairly, and turned into a precision with an honest interval."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.catalog.products import Products
from core.duplicates import judging
from core.duplicates.detectors import BY_KEY
from core.duplicates.finding import Described, Found
from core.duplicates.judging import Judgement, judge, judgements, next_pairs, precision, strata, stratified
from core.errors import UsageError


def made(likeness: np.ndarray, loosest: float = 16) -> Found:
    n = len(likeness)
    rows = np.arange(n)
    return Found(
        Described("hash", "x", loosest), np.arange(2 * n, dtype=np.int32), np.arange(2 * n, dtype=np.int32),
        2 * rows, 2 * rows + 1, np.sort(likeness.astype(np.float32))[::-1],
    )  # fmt: skip


def said(found: Found, row: int, answer: str) -> tuple[tuple[int, int], Judgement]:
    a, b = int(found.a[row]), int(found.b[row])
    return (a, b), Judgement("hash", a, b, answer, "me", "now", "x")  # type: ignore[arg-type]


def test_answers_of_earlier_versions_count_and_the_last_one_wins(planted: Products) -> None:
    path = planted.info.folder / "duplicates" / "judgements.jsonl"
    path.parent.mkdir(exist_ok=True)
    known = {"detector": "hash", "who": "Ana", "when": "2026-01-01", "fingerprint": planted.info.fingerprint}
    lines = [known | {"a": 0, "b": 4, "answer": "no"}, known | {"a": 2, "b": 3, "answer": "yes"}]
    path.write_text(
        "".join(json.dumps(line) + "\n" for line in lines) + '{"detector": "hash", "a": 1, "b"'
    )  # cut
    assert len(judgements(planted.info, "hash")) == 2
    judge(planted.info, "hash", 0, 4, "yes", "Ana")
    judge(planted.info, "hash", 1, 5, "no", " ")
    found = judgements(planted.info, "hash")
    assert {pair: (one.answer, one.who) for pair, one in found.items()} == {
        (0, 4): ("yes", "Ana"),
        (2, 3): ("yes", "Ana"),
        (1, 5): ("no", "(no name)"),
    }
    assert judgements(planted.info, "text") == {}
    with pytest.raises(UsageError):
        judge(planted.info, "hash", 4, 0, "yes", "Ana")


def test_many_people_answer_at_once_and_no_line_is_lost(planted: Products) -> None:
    pairs = [(a, b) for a in range(8) for b in range(a + 1, 8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: judge(planted.info, "hash", *pair, "yes", "x"), pairs))
    assert set(judgements(planted.info, "hash")) == set(pairs)


def test_every_pair_comes_once_and_strata_take_turns() -> None:
    found = made(np.repeat([128, 126, 124, 120], [5, 40, 40, 40]))
    order: list[int] = []
    answers: dict[tuple[int, int], Judgement] = {}
    for _ in range(125):
        (row,) = next_pairs(found, answers, 4)
        order.append(row)
        answers.update([said(found, row, "yes")])
    assert sorted(order) == list(range(125)) and next_pairs(found, answers, 4) == []
    inside = {end: part for end, part in strata(found)}
    first = order[:20]
    near = sum(row in range(inside[4].start, inside[4].stop) for row in first)
    beyond = sum(row in range(inside[8].start, inside[8].stop) for row in first)
    assert near > beyond > 0


def test_the_estimate_weighs_strata_by_their_size() -> None:
    assert stratified([100, 900], [10, 10], [10, 0])[0] == pytest.approx(0.1)
    share, low, high = stratified([100, 100], [10, 0], [10, 0])
    assert share == 1 and low < 0.5 and high == 1  # half of the pairs are unknown
    assert stratified([10], [10], [4]) == pytest.approx((0.4, *stratified([10], [10], [4])[1:]))


def test_pairs_that_nobody_could_tell_are_left_out() -> None:
    found = made(np.full(10, 127))
    answers = dict([said(found, 0, "yes"), said(found, 1, "no"), said(found, 2, "unsure")])
    (point,) = precision(found, answers, [2])
    assert (point.judged, point.yes, point.precision, point.pairs) == (2, 1, 0.5, 10)
    (none,) = precision(found, {}, [2])
    assert none.precision is None and none.as_dict() == {}


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """400 imagined audits of 60 answers each: the 95% interval must hold the true precision in nine of ten."""
    rng = np.random.default_rng(0)
    found = made(np.repeat([128, 127, 126, 124, 122], [60, 200, 400, 900, 2000]))
    truth = np.concatenate(
        [
            rng.random(size) < share
            for size, share in ((60, 1), (200, 0.95), (400, 0.8), (900, 0.4), (2000, 0.1))
        ]
    )
    true = truth[found.within(4)].mean()
    held = 0
    for seed in range(400):
        rows = next_pairs(found, {}, 4, 60, seed)
        answers = dict(said(found, row, "yes" if truth[row] else "no") for row in rows)
        (point,) = precision(found, answers, [4])
        held += point.low <= true <= point.high
    assert held / 400 > 0.92


def test_the_strata_end_where_the_search_did() -> None:
    found = made(np.array([128, 125, 121]), loosest=8)
    assert [end for end, _ in strata(found)] == [0, 1, 2, 4, 6, 8]
    assert [part.stop - part.start for _, part in strata(found)] == [1, 0, 0, 1, 0, 1]
    assert set(judging.STRATA) == set(BY_KEY)
