"""Answers adjusted to a country: no classifier here reads the country, but shops differ in what they sell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.catalog.cohort import Cohort, path_text
from core.catalog.info import DatasetInfo, info
from core.catalog.products import Products
from core.errors import UnknownDatasetError

BELIEF = 100.0  # products that the whole training set counts as, beside a country's own


def adjusted(
    probabilities: NDArray[np.float32], prior: NDArray[np.float64], training: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(n, classes) p(c | x) prior(c) / training(c), each row summing to 1.

    A class that training never saw keeps its probability.

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
    """How often each class is sold, over all training products and in each country."""

    training: NDArray[np.float64]  # (classes,) sums to 1
    countries: Mapping[str, NDArray[np.float64]]  # (classes,) each, sums to 1
    counted: Mapping[str, int]  # products of each country

    def adjust(self, probabilities: NDArray[np.float32], country: str) -> NDArray[np.float32]:
        return adjusted(probabilities, self.countries[country], self.training)


def priors_from_counts(counts: Mapping[str, NDArray[np.int64]]) -> CountryPriors:
    """Shares of classes from counts by country.

    A country's are drawn towards the whole as if BELIEF products more had been seen there: with few products
    no class becomes impossible, and none certain.

    Args:
        counts: (classes,) training products of each country.
    """
    total = np.sum(list(counts.values()), axis=0).astype(np.float64)
    training = total / total.sum()
    countries = {
        country: (count + BELIEF * training) / (count.sum() + BELIEF) for country, count in counts.items()
    }
    return CountryPriors(
        training, countries, {country: int(count.sum()) for country, count in counts.items()}
    )


def country_priors(dataset: str, classes: Sequence[str]) -> CountryPriors | None:
    """Counted in the training products of the dataset that a model was trained on.

    None where the dataset is not here, has fewer than two countries, or none of the classes.
    """
    try:
        found = info(dataset)
        return _counted(found.name, found.fingerprint, tuple(classes))
    except UnknownDatasetError:
        return None


@lru_cache(maxsize=16)
def _counted(dataset: str, fingerprint: str, classes: tuple[str, ...]) -> CountryPriors | None:
    products: DatasetInfo = info(dataset)
    cohort = Cohort(dataset, split=("train",) if "train" in products.splits else ())
    frame = Products(products).frame(
        "SELECT geo, category_path, count(*) AS n FROM cohort WHERE geo IS NOT NULL AND category_path IS NOT NULL "
        "GROUP BY ALL ORDER BY geo",
        cohort,
    )
    number_of = {label: number for number, label in enumerate(classes)}
    counts: dict[str, NDArray[np.int64]] = {}
    for geo, path, n in zip(frame.geo, frame.category_path, frame.n, strict=True):
        number = number_of.get(path_text(tuple(path)))
        if number is not None:
            counts.setdefault(geo, np.zeros(len(classes), np.int64))[number] += int(n)
    return priors_from_counts(counts) if len(counts) > 1 else None
