"""How machine labels err beside people's, country by country, estimated without a product that has both.

A classifier that learned from human labels alone gives each product the likelihood of every class. What the products are that
machines call j is then a question of priors, as in core.measures.label_shift: p(class | machine says j) is the mixture
that explains them. A country's share of wrong labels is one more mixture: each of its products is either what it is called, or
drawn from what such products are when they are not.

Assumes that machines err by class and country, not by how a product looks; and that people are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.labels.heads import fit_head
from core.labels.noise import check, out_of_fold
from core.measures import bias_temperature
from core.measures.label_shift import mixture

Array = NDArray[np.float64]

STRENGTHS = (1.0, 10.0)  # of the regularisation, of which human labels choose, out of fold
REPEATS = 200  # of the bootstrap
FEWEST = 20  # machine labels of a country, or of a class
PSEUDO = 0.5  # products that the prior of a class's errors is worth, in all
LEAST = 1e-6


@dataclass(frozen=True)
class CountryErrors:
    country: str
    n: int  # machine labels
    wrong: float  # estimated share of them
    low: float  # of the 95% interval
    high: float


@dataclass(frozen=True)
class MachineErrors:
    truth: Array  # (classes, classes) [j, i] = p(class i | machine says j); NaN in rows of fewer than FEWEST machine labels
    counts: NDArray[np.int64]  # (classes,) machine labels of each class
    countries: tuple[CountryErrors, ...]  # with FEWEST machine labels or more, by code
    whole: CountryErrors  # all countries together
    human: int  # human labels that the classifier learned from
    strength: float

    def confused(self, k: int = 12) -> list[tuple[int, int, float]]:
        """(machine's class, class, expected products) of the k most frequent errors."""
        expected = np.nan_to_num(self.truth) * self.counts[:, None]
        np.fill_diagonal(expected, 0)
        best = np.argsort(-expected, axis=None, kind="stable")[:k]
        places = [divmod(int(at), len(self.counts)) for at in best]
        return [(j, i, float(expected[j, i])) for j, i in places if expected[j, i] > 0.5]


def machine_errors(
    features: Any,
    labels: NDArray[np.int64],
    trusted: NDArray[np.bool_],
    geos: Sequence[str],
    classes: int,
    groups: Sequence[object] | None = None,
    repeats: int = REPEATS,
    seed: int = 0,
) -> MachineErrors:
    """
    Args:
        features: (n, d) vectors of products.
        labels: (n,) class numbers, none negative.
        trusted: (n,) which labels a person gave.
        geos: (n,) country codes; empty where unknown.
        groups: (n,) listings of one picture have equal values.

    Raises:
        UsageError: there are no human or no machine labels, or fewer human ones than folds.
    """
    check(trusted, "confusion")
    if len(np.unique(labels[trusted])) < 2:
        raise UsageError("Human labels of one class alone say nothing about how machines confuse classes.")
    likelihoods, strength = _likelihoods(features, labels, trusted, classes, groups, seed)
    own, places = labels[~trusted], np.asarray(geos, object)[~trusted]
    counts = np.bincount(own, minlength=classes)
    taught = np.bincount(labels[trusted], minlength=classes) > 0
    truth = np.full((classes, classes), np.nan)
    errors = np.zeros((classes, classes))
    overall = np.bincount(labels[trusted], minlength=classes) / trusted.sum()
    for j in range(classes):
        mine = own == j
        if not mine.any():
            continue
        found = mixture(likelihoods[mine] * taught, pseudo=0.0).weights
        if mine.sum() >= FEWEST:
            truth[j] = found
        other = found * mine.sum() + PSEUDO * overall
        other[j] = 0
        errors[j] = other / max(other.sum(), LEAST)
    rows = np.arange(len(own))
    as_called = np.maximum(likelihoods[rows, own], LEAST)
    otherwise = np.maximum((likelihoods * errors[own]).sum(axis=1), LEAST)
    usable = taught[own]
    rng = np.random.default_rng((seed, 5))
    pairs = np.stack([as_called, otherwise], axis=1)[usable]
    places = places[usable]
    countries = [
        _errors(str(country), pairs[places == country], repeats, rng)
        for country in sorted(set(places) - {""})
        if (places == country).sum() >= FEWEST
    ]
    whole = _errors("", pairs, repeats, rng)
    return MachineErrors(truth, counts, tuple(countries), whole, int(trusted.sum()), strength)


def _likelihoods(
    features: Any,
    labels: NDArray[np.int64],
    trusted: NDArray[np.bool_],
    classes: int,
    groups: Sequence[object] | None,
    seed: int,
) -> tuple[Array, float]:
    """(machine labels, classes) p(x | class) up to a factor of each x, and the strength that was chosen."""
    human, own = features[trusted], labels[trusted]
    kept = None if groups is None else np.asarray(groups)[trusted].tolist()
    answers = {strength: out_of_fold(human, own, classes, kept, strength, seed) for strength in STRENGTHS}
    rows = np.arange(len(own))
    calibrations = {strength: bias_temperature.fit(given, own) for strength, given in answers.items()}

    def likely(strength: float) -> float:
        given = calibrations[strength](answers[strength])
        return float(np.log(np.maximum(given[rows, own], LEAST)).mean())

    strength = max(STRENGTHS, key=likely)
    machine = fit_head(human, own, classes, strength).probabilities(features[~trusted])
    calibrated = calibrations[strength](machine)
    shares = np.bincount(own, minlength=classes) / len(own)
    return np.divide(calibrated, shares, out=np.zeros_like(calibrated), where=shares > 0), strength


def _errors(country: str, pairs: Array, repeats: int, rng: np.random.Generator) -> CountryErrors:
    """The share of the second component, with a percentile interval of the bootstrap over products.

    Args:
        pairs: (n, 2) likelihoods of a product being what it is called, and of being what such products are otherwise.
    """
    n = len(pairs)
    if not n:
        return CountryErrors(country, 0, float("nan"), 0.0, 1.0)
    found = float(mixture(pairs).weights[1])
    drawn = [
        mixture(pairs, rng.multinomial(n, np.full(n, 1 / n)) / n, tolerance=1e-5).weights[1]
        for _ in range(repeats)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (found, found)
    return CountryErrors(country, n, found, min(float(low), found), max(float(high), found))
