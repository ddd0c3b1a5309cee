"""How far people agree, and how good each of them is.

Sources: Cohen 1960; Fleiss 1971; Krippendorff 2004, Content Analysis, chapter 11 (alpha for names); Gwet 2008 (AC1);
Dawid and Skene 1979. Intervals are bootstrap percentiles over items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

REPEATS = 400  # of the bootstrap
BLOCK = 50  # of them at a time
PAIRS = 200  # of annotators, for Cohen's kappa
ROUNDS = 100  # of Dawid and Skene's algorithm


@dataclass(frozen=True)
class Ratings:
    """Who gave which class to which item: `codes[i, k]` is what annotator k said of item i, -1 for nothing."""

    codes: NDArray[np.int64]  # (items, annotators)
    people: tuple[str, ...]
    classes: tuple[str, ...]

    @classmethod
    def of(cls, said: Mapping[tuple[int, str], str]) -> Ratings:
        """From (item, who) -> class."""
        items = {item: at for at, item in enumerate(sorted({item for item, _ in said}))}
        people = {who: at for at, who in enumerate(sorted({who for _, who in said}))}
        classes = {name: at for at, name in enumerate(sorted(set(said.values())))}
        codes = np.full((len(items), len(people)), -1, np.int64)
        for (item, who), name in said.items():
            codes[items[item], people[who]] = classes[name]
        return cls(codes, tuple(people), tuple(classes))

    def counts(self) -> NDArray[np.float64]:
        """(items, classes) how many said so."""
        found = np.zeros((len(self.codes), len(self.classes)))
        for column in self.codes.T:
            rows = np.flatnonzero(column >= 0)
            found[rows, column[rows]] += 1
        return found


def agreement(ratings: Ratings, repeats: int = REPEATS, seed: int = 0) -> dict[str, Any]:
    """All measures with 95% intervals over items that two or more people saw.

    Returns:
        items, annotators; raw (the share of pairs of answers on one item that are equal), fleiss, alpha, ac1, and cohen
        (the mean over pairs of people, weighted by the items that both saw), each {estimate, low, high}; per_class: of
        each class that anybody chose, the chance that a second person says the same of an item as the first; all None
        where no item was seen twice or, but for raw, where everybody always said the same class.
    """
    counts = ratings.counts()
    twice = counts.sum(axis=1) >= 2
    counts, codes = counts[twice], ratings.codes[twice]
    n = len(counts)
    answer: dict[str, Any] = {"items": n, "annotators": len(ratings.people)}
    if not n:
        return (
            answer | {name: None for name in ("raw", "fleiss", "alpha", "ac1", "cohen")} | {"per_class": {}}
        )
    parts = _parts(counts)
    tables = _pair_tables(codes, len(ratings.classes))
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[NDArray[Any]]] = {}
    for start in range(0, repeats, BLOCK):
        size = min(BLOCK, repeats - start)
        weights = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(size)]).astype(
            float
        )
        for name, value in _measures(weights, parts, tables).items():
            drawn.setdefault(name, []).append(value)
    found = _measures(np.ones((1, n)), parts, tables)
    for name in ("raw", "fleiss", "alpha", "ac1", "cohen"):
        answer[name] = _interval(found[name][0], np.concatenate(drawn[name]))
    classes = np.concatenate(drawn["per_class"])
    answer["per_class"] = {
        name: made
        for at, name in enumerate(ratings.classes)
        if (made := _interval(found["per_class"][0, at], classes[:, at])) is not None
    }
    return answer


def _interval(value: float, drawn: NDArray[Any]) -> dict[str, float] | None:
    if not np.isfinite(value):
        return None
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (value, value)
    return {
        "estimate": float(value),
        "low": min(float(low), float(value)),
        "high": max(float(high), float(value)),
    }


def _parts(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """What each item adds to the measures, so that a bootstrap is a product of matrices."""
    n = counts.sum(axis=1)
    equal = counts * (counts - 1)  # (items, classes) ordered pairs of equal answers
    return {
        "n": n,
        "counts": counts,
        "shares": counts / n[:, None],
        "agree": equal.sum(axis=1) / (n * (n - 1)),
        "units": equal.sum(axis=1) / (n - 1),
        "equal": equal / (n - 1)[:, None],
    }


def _measures(
    weights: NDArray[np.float64],
    parts: Mapping[str, NDArray[np.float64]],
    tables: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], int]],
) -> dict[str, NDArray[Any]]:
    """Each measure for every row of weights, (b, items)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        items = weights.sum(axis=1)
        answers = weights @ parts["n"]
        of_class = weights @ parts["counts"]  # (b, classes)
        agree = (weights @ parts["agree"]) / items
        by_chance = ((of_class / answers[:, None]) ** 2).sum(axis=1)
        observed = (weights @ parts["units"]) / answers
        expected = (of_class * (of_class - 1)).sum(axis=1) / (answers * (answers - 1))
        shares = (weights @ parts["shares"]) / items[:, None]
        classes = max(2, int((parts["counts"].sum(axis=0) > 0).sum()))
        gwet = (shares * (1 - shares)).sum(axis=1) / (classes - 1)
        return {
            "raw": agree,
            "fleiss": (agree - by_chance) / (1 - by_chance),
            "alpha": (observed - expected) / (1 - expected),
            "ac1": (agree - gwet) / (1 - gwet),
            "cohen": _cohen(weights, tables),
            "per_class": (weights @ parts["equal"]) / of_class,
        }


def _pair_tables(
    codes: NDArray[np.int64], classes: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], int]]:
    """Of each pair of people: the items that both saw, and both answers as one number."""
    found = []
    for first, second in list(combinations(range(codes.shape[1]), 2)):
        both = np.flatnonzero((codes[:, first] >= 0) & (codes[:, second] >= 0))
        if len(both) >= 2:
            found.append((both, codes[both, first] * classes + codes[both, second], classes))
    found.sort(key=lambda one: -len(one[0]))
    return found[:PAIRS]


def _cohen(
    weights: NDArray[np.float64], tables: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], int]]
) -> NDArray[np.float64]:
    total, kappas = np.zeros(len(weights)), np.zeros(len(weights))
    for at, row in enumerate(weights):
        for both, cells, classes in tables:
            table = np.bincount(cells, weights=row[both], minlength=classes * classes).reshape(
                classes, classes
            )
            n = table.sum()
            chance = float((table.sum(axis=0) * table.sum(axis=1)).sum()) / n**2 if n else 1.0
            if chance < 1:
                kappas[at] += n * (np.trace(table) / n - chance) / (1 - chance)
                total[at] += n
    return np.divide(kappas, total, out=np.full(len(weights), np.nan), where=total > 0)


def dawid_skene(ratings: Ratings, rounds: int = ROUNDS, tolerance: float = 1e-6) -> dict[str, Any]:
    """What is likely right, and how often each person says it, without anybody knowing the truth.

    Expectation and maximisation from majority votes, without a prior (Dawid and Skene 1979); equal to crowd-kit's. It
    needs items that several people saw, and people who are mostly right.

    Returns:
        probabilities (items, classes), confusion (annotators, true class, said class), prior (classes,), and accuracy
        (annotators,): the chance that a person says the right class.
    """
    codes, classes = ratings.codes, len(ratings.classes)
    counts = ratings.counts()
    probabilities = counts / counts.sum(axis=1, keepdims=True)
    said = [np.flatnonzero(column >= 0) for column in codes.T]
    before = -np.inf
    for _ in range(rounds):
        prior = probabilities.mean(axis=0)
        confusion = np.zeros((codes.shape[1], classes, classes))
        for who, rows in enumerate(said):
            np.add.at(confusion[who].T, codes[rows, who], probabilities[rows])
        sums = confusion.sum(axis=2, keepdims=True)
        confusion = np.divide(confusion, sums, out=np.full_like(confusion, 1 / classes), where=sums > 0)
        with np.errstate(divide="ignore"):
            log = np.log(np.maximum(confusion, 1e-10))
            joint = np.tile(np.log(np.maximum(prior, 1e-10)), (len(codes), 1))
        for who, rows in enumerate(said):
            joint[rows] += log[who][:, codes[rows, who]].T
        top = joint.max(axis=1, keepdims=True)
        probabilities = np.exp(joint - top)
        evidence = float((top[:, 0] + np.log(probabilities.sum(axis=1))).sum())
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        if evidence - before < tolerance * max(1.0, abs(evidence)):
            break
        before = evidence
    return {
        "probabilities": probabilities,
        "confusion": confusion,
        "prior": prior,
        "accuracy": np.einsum("c,kcc->k", prior, confusion),
    }
