"""What the classification panel asks, and its events; the layout is in classification.py."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.catalog.cohort import path_text
from core.errors import ModelError, VitrineError
from core.models.registry import TRAIN_COMMAND, ModelSpec
from pages.components.shared.markdown import plain
from pages.panels import classification_view as view
from pages.panels.address import Asked
from pages.panels.examples import Example, no_picture

if TYPE_CHECKING:
    from core.evaluation.recorded import Recorded
    from core.models.cards import Card
    from core.models.classifier import Classification
    from core.models.explain import Explanation

SIDE_BY_SIDE = 3  # models
NOT_HERE = "A model in the address does not exist; it may have been deleted. Choose another one."
FAR = "el"  # the language that is tried first: of another script than most
NO_MODEL = f"""### No model is trained yet
Train one on one of your datasets, in a terminal in Vitrine's folder, then reload this page:

`{TRAIN_COMMAND}`

It takes about five minutes on a laptop for 5,000 products."""


def _none(*_: Any) -> Any:
    return None


def _nothing(*_: Any) -> Sequence[Any]:
    return ()


@dataclass(frozen=True)
class Backend:
    """The functions that the panel calls; tests pass their own."""

    models: Callable[[], Sequence[ModelSpec]]  # that can be chosen now; the first is the default
    classify: Callable[[str, Path | None, str, str, str], Classification]  # by model; the last is a country
    explain: Callable[[str, Path | None, str, str, str, str, Example | None], Explanation | None] = _none
    card: Callable[[ModelSpec], Card | None] = _none
    examples: Callable[..., Sequence[Example]] = (
        _nothing  # that a model can be tried with; by it and the address
    )
    countries: Callable[[str], Sequence[tuple[str, str]]] = _nothing  # names and codes
    languages: Callable[[str], Sequence[tuple[str, str]]] = _nothing  # names and tags
    warm: Callable[[str], Any] = _none  # loads a model, so that the first visitor does not wait for it
    fitting: Callable[[Sequence[ModelSpec], Asked], str] = lambda known, _: known[0].name  # to begin with
    recorded: Callable[[str, str], Recorded | None] = (
        _none  # by dataset and item, for when a model cannot answer
    )


class Events:
    """The panel's events, over a backend."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def on_classify(
        self,
        image: str | None = None,
        name: str | None = None,
        description: str | None = None,
        model: str | None = None,
        country: str | None = None,
    ) -> tuple[dict[str, float], str]:
        """Classify a product: the five most probable categories with their probabilities.

        Give a picture, a name, a description, or several of them; leave the others empty.

        Args:
            image: a photo of the product, its bytes as data:image/png;base64,... of 6 MB at most; no web address
            name: the product's name or title, in any language the model was trained on
            description: the product's description
            model: the name of the model; empty for the newest
            country: a country code, such as cz, to adjust the probabilities to the country's class priors; empty for none
        """
        try:
            chosen = model or _first(self.backend.models())
            path = Path(image) if image else None
            found = self.backend.classify(chosen, path, name or "", description or "", country or "")
        except VitrineError as error:
            raise gr.Error(
                str(error), duration=None, title="Not classified", print_exception=False
            ) from error
        return dict(found.labels), " ".join(found.notes)

    def on_answer(
        self,
        image: str | None,
        name: str,
        description: str,
        chosen: list[str],
        country: str | None,
        known: Sequence[Example] = (),
    ) -> Iterator[tuple[str, str]]:
        """The predictions as they are computed, without explanations.

        Args:
            known: products of a dataset, with their labels.
        """
        specs = {spec.name: spec for spec in self.backend.models()}
        titles = _titles(chosen, list(specs.values()))
        example = _example(known, name, description)
        label = path_text(example.category) if example else ""
        if not titles:
            yield view.row([view.refusal("", "Choose a model above.")]), ""
            return
        shown = [view.waiting(title) for title in titles.values()]
        for place, (model, title) in enumerate(titles.items()):
            try:
                path = Path(image) if image else None
                found = self.backend.classify(model, path, name or "", description or "", country or "")
                sure = example is not None and model in specs and specs[model].dataset == example.dataset
                shown[place] = view.answer(title, found, label, sure)
            except VitrineError as error:
                earlier = self._recorded(example) if isinstance(error, ModelError) else None
                shown[place] = (
                    view.recorded(title, earlier, str(error), label)
                    if earlier
                    else view.refusal(title, str(error))
                )
            yield view.row(shown), ""

    def _recorded(self, example: Example | None) -> Recorded | None:
        """What was said of an example earlier, where a model cannot answer now."""
        return (
            self.backend.recorded(example.dataset, example.item_id) if example and example.item_id else None
        )

    def on_explain(
        self,
        image: str | None,
        name: str,
        description: str,
        chosen: list[str],
        country: str | None,
        language: str | None,
        known: list[Example],
    ) -> Iterator[str]:
        """The explanations, model by model. A model without a prediction has none."""
        path = Path(image) if image else None
        example = _example(known, name, description)
        shown: list[str] = []
        for model, title in _titles(chosen, self.backend.models()).items():
            with suppress(VitrineError):
                told = self.backend.explain(
                    model, path, name or "", description or "", country or "", language or "", example
                )
                shown.append(view.explanation(title, told, view.picture_of(path)))
            yield view.row(shown) if shown else ""

    def on_begin(
        self,
        image: str | None,
        name: str,
        description: str,
        chosen: list[str],
        country: str | None,
        known: Sequence[Example],
    ) -> Iterator[tuple[str, str]]:
        """The answer to what the panel opens with, so that its place is not empty."""
        if image or name or description:
            yield from self.on_answer(image, name, description, chosen, country, known)
        else:
            yield view.HINT, ""

    def on_own(self, name: str, description: str, known: Sequence[Example]) -> tuple[str, str]:
        """The texts after a picture was uploaded: those of an example are not of it."""
        return ("", "") if _example(known, name, description) else (name, description)

    def on_open(self, search: str | None) -> tuple[Any, ...]:
        """The current choices, by the address: its models, or else the one that fits its dataset; its product or text,
        or else the first example."""
        known = self.backend.models()
        asked = Asked.read(search)
        chosen = [name for name in asked.models if name in {spec.name for spec in known}]
        missing = (
            NO_MODEL if not known else NOT_HERE if len(chosen) < len(asked.models) else plain(asked.says)
        )
        chosen = chosen[:SIDE_BY_SIDE] or ([self.backend.fitting(known, asked)] if known else [])
        if known:
            threading.Thread(target=_quietly, args=(self.backend.warm, chosen[0]), daemon=True).start()
        titles = _titles([spec.name for spec in known], known, most=len(known))
        return (
            gr.Dropdown(choices=[(title, name) for name, title in titles.items()], value=chosen, visible=bool(known)),
            gr.Markdown(missing, visible=bool(missing)),
            gr.Button(interactive=bool(known)),
            *(follows := self.on_models(chosen, search)),
            *_question(asked, follows[-1] if known else []),
        )  # fmt: skip

    def on_models(self, chosen: list[str], search: str | None = None) -> tuple[Any, ...]:
        """Cards of the chosen models; examples, countries and languages of the first.

        Args:
            search: the address, whose dataset and filters the examples are of.
        """
        specs = [
            spec for name in chosen[:SIDE_BY_SIDE] for spec in self.backend.models() if spec.name == name
        ]
        first = specs[0].name if specs else None
        shown, countries, languages = [], [], []
        with suppress(VitrineError):  # the dataset was just removed
            shown = list(self.backend.examples(first, Asked.read(search))) if first else []
            countries = list(self.backend.countries(first)) if first else []
            languages = list(self.backend.languages(first)) if first else []
        tags = [tag for _, tag in languages]
        return (
            _cards(self.backend, specs),
            gr.Dropdown(choices=[("No country", ""), *countries], value="", visible=bool(countries)),
            gr.Dropdown(
                choices=[("No other language", ""), *languages],
                value=FAR if FAR in tags else (tags[0] if tags else ""),
                visible=bool(languages),
            ),
            gr.Gallery(
                value=[(str(each.picture or no_picture()), each.name) for each in shown],
                visible=bool(shown),
                elem_id="examples",
                buttons=[],
            ),
            shown,
        )

    def on_example(self, shown: list[Example], chosen: gr.SelectData) -> tuple[str | None, str, str]:
        return _texts(shown[int(chosen.index)])


def _texts(example: Example) -> tuple[str | None, str, str]:
    """Picture, name and description of an example."""
    return str(example.picture) if example.picture else None, example.name, example.description


def _question(asked: Asked, shown: Sequence[Example]) -> tuple[str | None, str, str]:
    """What the panel opens with: the texts of the address, or else the first example."""
    if asked.name or asked.description:
        return None, asked.name, asked.description
    return _texts(shown[0]) if shown else (None, "", "")


def _example(known: Sequence[Example], name: str, description: str) -> Example | None:
    """The example that has these texts; None without any, since a picture alone may be the visitor's own."""
    if not (name or description):
        return None
    return next((each for each in known if (each.name, each.description) == (name, description)), None)


def _cards(backend: Backend, specs: Sequence[ModelSpec]) -> str:
    """The cards of some models side by side."""
    cards = []
    for spec in specs:
        with suppress(VitrineError):  # a run that was deleted just now
            if found := backend.card(spec):
                cards.append(view.card(found))
    return view.row(cards) if cards else ""


def _first(known: Sequence[ModelSpec]) -> str:
    if not known:
        raise VitrineError(f"No model is trained yet. Train one: {TRAIN_COMMAND}")
    return known[0].name


def _titles(chosen: Sequence[str], known: Sequence[ModelSpec], most: int = SIDE_BY_SIDE) -> dict[str, str]:
    """Names and titles of the models chosen; the name stands with a title that two have."""
    titles = [spec.title for spec in known]
    named = {
        spec.name: f"{spec.title}: {spec.name}" if titles.count(spec.title) > 1 else spec.title
        for spec in known
    }
    return {name: named.get(name, name) for name in list(chosen or [])[:most]}


def _quietly(warm: Callable[[str], Any], name: str) -> None:
    """Load ahead; an error is reported by the first request."""
    with suppress(VitrineError):
        warm(name)
