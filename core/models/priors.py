"""Adjust predictions to a country's class priors, since the country is not a model input.

A run keeps how many products of each class and country it was trained on (`counts.json`), so that nothing else has to
be here. Of an older run they are counted in its datasets, if all of these are here as they were.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.catalog.cohort import Cohort, path_text
from core.catalog.info import info
from core.catalog.products import Products
from core.catalog.splits import split_of
from core.errors import DamagedRunError, UnknownDatasetError, UsageError
from core.labels.tail import trained_under
from core.storage import storage_errors
from core.training.runs import RunConfig

BELIEF = 100.0  # pseudo-count of the overall prior in a country's prior
COUNTS = "counts.json"
NOWHERE = ""  # products without a country
Counts = Mapping[str, NDArray[np.int64]]  # (classes,) training products of each country


def adjusted(
    probabilities: NDArray[np.float32], prior: NDArray[np.float64], training: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(n, classes) p(c | x) prior(c) / training(c), each row summing to 1.

    The probability of a class without training products is unchanged.

    Args:
        probabilities: (n, classes) of a classifier that was trained under the prior `training`.
        prior: (classes,) of the place where products come from.

    Source: Saerens et al. 2002, "Adjusting the outputs of a classifier to new a priori probabilities", eq. 4.

    >>> adjusted(np.array([[0.5, 0.5]]), np.array([0.75, 0.25]), np.array([0.5, 0.5])).tolist()
    [[0.75, 0.25]]
    """
    ratio = np.divide(prior, training, out=np.ones_like(prior), where=training > 0)
    weighed = probabilities * ratio
    total = weighed.sum(axis=1, keepdims=True)
    return np.where(total > 0, weighed / np.where(total > 0, total, 1), probabilities).astype(np.float32)


@dataclass(frozen=True)
class CountryPriors:
    """The class prior of a classifier's training, and the class priors of each country."""

    training: NDArray[np.float64]  # (classes,) sums to 1
    countries: Mapping[str, NDArray[np.float64]]  # (classes,) each, sums to 1
    counted: Mapping[str, int]  # products of each country

    def adjust(self, probabilities: NDArray[np.float32], country: str) -> NDArray[np.float32]:
        return adjusted(probabilities, self.countries[country], self.training)


def priors_from_counts(counts: Counts, tail: str = "none", tau: float = 1.0) -> CountryPriors:
    """Class priors from counts by country.

    Country priors are smoothed by the overall prior with BELIEF pseudo-counts: with few products, no class is
    impossible or certain.

    Args:
        counts: (classes,) training products of each country, and of NOWHERE.
        tail, tau: how the classifier was trained, of core.labels.tail (or core.training.balance). Most remedies train it
            under equal classes: its answers are adjusted from those, not from the shares of the training products, which
            the remedy took out already.
    """
    total = np.sum(list(counts.values()), axis=0).astype(np.float64)
    shares = total / total.sum()
    training = trained_under(shares, tail, tau)
    own = {country: count for country, count in counts.items() if country != NOWHERE}
    countries = {
        country: (count + BELIEF * shares) / (count.sum() + BELIEF) for country, count in own.items()
    }
    return CountryPriors(training, countries, {country: int(count.sum()) for country, count in own.items()})


def country_priors(config: RunConfig, folder: Path) -> CountryPriors:
    """Those of a run.

    Args:
        folder: the run's.

    Raises:
        UsageError: they are not known; the text says why.
        DamagedRunError: the run's counts cannot be read.
    """
    counts = read_counts(folder, len(config.classes))
    if counts is None:
        counts = _counted_again(config)
    if sum(1 for country, count in counts.items() if country != NOWHERE and count.sum()) < 2:
        raise UsageError("its training products are not of two countries or more.")
    return priors_from_counts(counts, config.tail_of(), config.setting("tau", 1.0))


def counted(
    geos: Sequence[object],
    labels: NDArray[np.int64],
    classes: int,
    weights: NDArray[np.float64] | None = None,
) -> Counts:
    """Products of each class in each country.

    Args:
        geos: (n,) codes; values that are not text are NOWHERE.
        labels: (n,) class numbers; negative ones are ignored.
        weights: (n,) what each product counts for, where training weighed them; sums are rounded.
    """
    found: dict[str, NDArray[np.int64]] = {}
    named = np.array([geo if isinstance(geo, str) else NOWHERE for geo in geos], dtype=object)
    for geo in sorted(set(named[labels >= 0])):
        here = (named == geo) & (labels >= 0)
        weighed = None if weights is None else weights[here]
        found[geo] = np.rint(np.bincount(labels[here], weighed, minlength=classes)).astype(np.int64)
    return found


def write_counts(folder: Path, counts: Counts) -> None:
    """
    Raises:
        StorageError: the folder cannot be written.
    """
    sparse = {
        geo: {str(number): int(count[number]) for number in np.flatnonzero(count)}
        for geo, count in counts.items()
    }
    temporary = folder / f".{COUNTS}.{os.getpid()}"
    with storage_errors(folder):
        temporary.write_text(json.dumps(sparse, ensure_ascii=False), encoding="utf-8")
        temporary.replace(folder / COUNTS)


def read_counts(folder: Path, classes: int) -> Counts | None:
    """The recorded counts of a run; None if there are none.

    Raises:
        DamagedRunError: the file cannot be read.
    """
    try:
        described = json.loads((folder / COUNTS).read_text(encoding="utf-8"))
        counts = {str(geo): np.zeros(classes, np.int64) for geo in described}
        for geo, numbers in described.items():
            for number, n in numbers.items():
                counts[geo][int(number)] = int(n)
        return counts
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise DamagedRunError(folder.name, f"{COUNTS}: {error}") from error


def _counted_again(config: RunConfig) -> Counts:
    """Over every dataset of a run, including validation products, whose effect is small.

    Raises:
        UsageError: one is not here, or is not as it was.
    """
    total: dict[str, NDArray[np.int64]] = {}
    for name, fingerprint in config.trained_on().items():
        try:
            there = info(name)
        except UnknownDatasetError:
            raise UsageError(f"{name}, which it was trained on, is not here.") from None
        if there.fingerprint != fingerprint:
            raise UsageError(f"{name}, which it was trained on, has other products now.")
        for geo, count in _in_dataset(name, fingerprint, tuple(config.classes), config.human_only).items():
            total[geo] = total.get(geo, np.zeros_like(count)) + count
    return total


@lru_cache(maxsize=16)
def _in_dataset(dataset: str, fingerprint: str, classes: tuple[str, ...], human_only: bool) -> Counts:
    """In the training products of one dataset."""
    products = Products.open(dataset)
    parted = "train" in products.info.splits
    cohort = Cohort(dataset, split=("train",) if parted else (), label_kind=("human",) if human_only else ())
    if parted:
        sql = "SELECT geo, category_path, count(*) AS n FROM cohort GROUP BY ALL ORDER BY geo"
        frame = products.frame(sql, cohort)
    else:  # divided by ids: see core.models.data.product_frame
        frame = products.frame("SELECT geo, category_path, item_id, 1 AS n FROM cohort", cohort)
        frame = frame[[split_of(item_id) == "train" for item_id in frame.item_id]]
    number_of = {label: number for number, label in enumerate(classes)}
    counts: dict[str, NDArray[np.int64]] = {}
    for geo, path, n in zip(frame.geo, frame.category_path, frame.n, strict=True):
        number = number_of.get(path_text(tuple(path))) if path is not None else None
        if number is not None:
            place = geo if isinstance(geo, str) else NOWHERE
            counts.setdefault(place, np.zeros(len(classes), np.int64))[number] += int(n)
    return counts
