"""What the classification panel asks: models, datasets and explanations, without Streamlit's caches."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.catalog.cohort import path_text
from core.catalog.info import datasets
from core.catalog.products import Products
from core.errors import UsageError, VitrineError
from core.evaluation.cache import training_dataset
from core.evaluation.fit import best
from core.evaluation.prior_reports import ShopPriors, shop_priors
from core.models.priors import CountryPriors, adjusted, country_priors
from core.models.registry import ModelSpec, model, models
from core.schema import COUNTRY_OF_GEO
from core.training.runs import RunConfig
from pages.panels import twins
from pages.panels.address import Asked
from pages.panels.examples import Example, product_example, product_examples

if TYPE_CHECKING:
    from core.models.classifier import Classification, Classifier
    from core.models.explain import Adjust, Explanation, OtherText


def choosable() -> list[ModelSpec]:
    """Every model, those first that read pictures and texts: the first is the default, and visitors bring either."""
    return sorted(models(), key=lambda spec: len(spec.inputs) < 2)


def dataset_of(name: str) -> str | None:
    """The open dataset whose categories are a model's classes; None where it is not here."""
    try:
        trained_on = model(name).dataset
    except VitrineError:
        return None
    return trained_on if trained_on in {known.name for known in datasets()} else None


def examples(name: str, asked: Asked | None = None) -> Sequence[Example]:
    """Products to try: the one that the address names first, then some of its cohort; without one, of the dataset
    that the model knows, of the first there is otherwise."""
    if asked is None or asked.cohort is None:
        return product_examples(dataset_of(name))
    first = product_example(asked.cohort.dataset, asked.product) if asked.product else None
    others = [each for each in product_examples(among=asked.cohort) if each != first]
    return [first, *others] if first else others


def fitting(known: Sequence[ModelSpec], asked: Asked) -> str:
    """The model to begin with, by name: the one that fits the dataset of the address best, else the first.

    Args:
        known: one at least.
    """
    if asked.cohort is None:
        return known[0].name
    try:
        counts = Products.open(asked.cohort.dataset).categories()
    except VitrineError:
        return known[0].name
    return best(known, {path_text(path): count for path, count in counts}, asked.cohort.dataset).name


def countries(name: str) -> list[tuple[str, str]]:
    """Names and codes of the countries that an answer of this model can be adjusted to."""
    codes = set(_shops(name))
    with suppress(VitrineError):
        codes |= set(_priors(name).countries)
    return sorted((COUNTRY_OF_GEO.get(code, code), code) for code in codes if code)


def languages(name: str) -> list[tuple[str, str]]:
    """Names and tags of the languages that other texts can be taken from."""
    dataset = dataset_of(name)
    return twins.languages(dataset) if dataset else []


def classify(
    name: str, image: bytes | Path | None, title: str, description: str, country: str = ""
) -> Classification:
    """The five likeliest categories; with a country, adjusted to what its shops sell.

    Raises:
        VitrineError: as `Classifier.classify`.
    """
    classifier = _loaded(name)
    if not country:
        return classifier.classify(image, title, description)
    adjust, note = _adjust(name, country)
    found = classifier.classify(image, title, description, adjust=adjust)
    return replace(found, notes=[*found.notes, note])


def explain(
    name: str,
    image: Path | None,
    title: str,
    description: str,
    country: str = "",
    language: str = "",
    example: Example | None = None,
) -> Explanation:
    """What decided.

    Args:
        language: of the text that is tried instead; none where it is empty.
        example: the product that the text is of, where it is one of the dataset's.

    Raises:
        VitrineError: as `reasons`.
    """
    from core.models.explain import explanation, unchanged  # torch

    classifier = _loaded(name)
    adjust = _adjust(name, country)[0] if country else None
    others: list[OtherText] = []
    dataset = dataset_of(name) if language else None
    if dataset and classifier.input_config.text is not None:
        known = example if example is not None and example.dataset == dataset else None
        label = ""
        if known is None:  # a text of its own: of the class that the model names
            label = classifier.classify(image, title, description, k=1).labels[0][0]
        found = twins.text_in(dataset, language, label, known)
        others = [found] if found else []
    return explanation(classifier, image, title, description, others, adjust or unchanged)


def warm(name: str) -> None:
    """Load a model, and let it answer once: the first answer takes longer."""
    grey = BytesIO()
    Image.new("RGB", (64, 64), "grey").save(grey, "PNG")
    _loaded(name).classify(grey.getvalue(), "-")


def _loaded(name: str) -> Classifier:
    from core.models.loading import loaded  # torch

    return loaded(name)


def _to_shops(shops: ShopPriors, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities adjusted to what a country's shops sell."""
    if probabilities.shape[1] != len(shops.prior):  # of other classes: the file is damaged
        return probabilities
    return adjusted(shops.calibration(probabilities).astype(np.float32), shops.prior, shops.source)


def _shops(name: str) -> dict[str, ShopPriors]:
    """Stored estimates of what each country's shops sell; empty where there are none."""
    try:
        spec = model(name)
        dataset = training_dataset(spec)
        return shop_priors(spec, dataset) if dataset in {known.name for known in datasets()} else {}
    except VitrineError:
        return {}


def _priors(name: str) -> CountryPriors:
    """
    Raises:
        VitrineError: they are not known; the text says why.
    """
    folder = model(name).folder
    return country_priors(RunConfig.read(folder), folder)


def _adjust(name: str, country: str) -> tuple[Adjust | None, str]:
    """What a country does to the answers of a model, and a line that says so.

    What its shops sell is estimated from their unlabelled products where somebody had that estimated (Evaluate, Priors); else
    it is counted among the training products.
    """
    if (shops := _shops(name).get(country)) is not None:
        return partial(_to_shops, shops), (
            f"Adjusted to what shops in {COUNTRY_OF_GEO.get(country, country)} sell, estimated from {shops.n:,} of their "
            f"products without labels ({shops.method.upper()})."
        )
    try:
        found = _priors(name)
    except UsageError as error:
        return None, f"The country was not used: {error}"
    except VitrineError:  # a model without a run, such as a zero-shot one
        return (
            None,
            "The country was not used: nothing says which products of which country this model learned.",
        )
    if country not in found.countries:
        return None, "The country was not used: this model learned no product of it."

    def adjust(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        return found.adjust(probabilities, country)

    sold = f"the class priors of {found.counted[country]:,} training products of {COUNTRY_OF_GEO.get(country, country)}"
    return adjust, f"Adjusted to {sold}."
