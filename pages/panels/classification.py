"""Classify a product live: a picture, a name, a description, or all of them, by up to three models."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import VitrineError
from core.models.registry import TRAIN_COMMAND, ModelSpec
from pages.panels import classification_view as view
from pages.panels.examples import Example
from pages.panels.photo import photo

if TYPE_CHECKING:
    from core.models.cards import Card
    from core.models.classifier import Classification
    from core.models.explain import Explanation

CLASSES = 5  # shown
SIDE_BY_SIDE = 3  # models
WAITING = 32  # visitors in the queue at most
SHOWN_CHARACTERS = 20_000  # that the browser lets one type; the model reads far fewer
TO_THE_ANSWERS = (
    "() => { if (innerWidth < 700) document.getElementById('answers').scrollIntoView({behavior: 'smooth'}); }"
)
NAMED = "() => new URLSearchParams(location.search).getAll('model').join('\\n')"  # in the address
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
    examples: Callable[[str], Sequence[Example]] = _nothing  # that a model can be tried with
    countries: Callable[[str], Sequence[tuple[str, str]]] = _nothing  # names and codes
    languages: Callable[[str], Sequence[tuple[str, str]]] = _nothing  # names and tags
    warm: Callable[[str], Any] = _none  # loads a model, so that the first visitor does not wait for it


def build(backend: Backend) -> gr.Blocks:
    """The panel."""

    def on_classify(
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
            chosen = model or _first(backend.models())
            path = Path(image) if image else None
            found = backend.classify(chosen, path, name or "", description or "", country or "")
        except VitrineError as error:
            raise gr.Error(
                str(error), duration=None, title="Not classified", print_exception=False
            ) from error
        return dict(found.labels), " ".join(found.notes)

    def on_answer(
        image: str | None, name: str, description: str, chosen: list[str], country: str | None
    ) -> Iterator[tuple[str, str]]:
        """The predictions as they are computed, without explanations."""
        titles = _titles(chosen, backend.models())
        if not titles:
            yield view.row([view.refusal("", "Choose a model above.")]), ""
            return
        shown = [view.waiting(title) for title in titles.values()]
        for place, (model, title) in enumerate(titles.items()):
            try:
                path = Path(image) if image else None
                found = backend.classify(model, path, name or "", description or "", country or "")
                shown[place] = view.answer(title, found)
            except VitrineError as error:
                shown[place] = view.refusal(title, str(error))
            yield view.row(shown), ""

    def on_explain(
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
        example = next((each for each in known if (each.name, each.description) == (name, description)), None)
        shown: list[str] = []
        for model, title in _titles(chosen, backend.models()).items():
            with suppress(VitrineError):
                told = backend.explain(
                    model, path, name or "", description or "", country or "", language or "", example
                )
                shown.append(view.explanation(title, told, view.picture_of(path)))
            yield view.row(shown) if shown else ""

    def on_open(named: str | None) -> tuple[Any, ...]:
        """The current choices; selected are the models in the address, one per line, or else the first."""
        known = backend.models()
        asked = list(dict.fromkeys((named or "").splitlines()))
        chosen = [name for name in asked if name in {spec.name for spec in known}]
        missing = NO_MODEL if not known else NOT_HERE if len(chosen) < len(asked) else ""
        chosen = chosen[:SIDE_BY_SIDE] or [spec.name for spec in known[:1]]
        if known:
            threading.Thread(target=_quietly, args=(backend.warm, chosen[0]), daemon=True).start()
        titles = _titles([spec.name for spec in known], known, most=len(known))
        return (
            gr.Dropdown(choices=[(title, name) for name, title in titles.items()], value=chosen, visible=bool(known)),
            gr.Markdown(missing, visible=bool(missing)),
            gr.Button(interactive=bool(known)),
            *on_models(chosen),
        )  # fmt: skip

    def on_models(chosen: list[str]) -> tuple[Any, ...]:
        """Cards of the chosen models; examples, countries and languages of the first."""
        specs = [spec for name in chosen[:SIDE_BY_SIDE] for spec in backend.models() if spec.name == name]
        first = specs[0].name if specs else None
        shown, countries, languages = [], [], []
        with suppress(VitrineError):  # the dataset was just removed
            shown = list(backend.examples(first)) if first else []
            countries = list(backend.countries(first)) if first else []
            languages = list(backend.languages(first)) if first else []
        tags = [tag for _, tag in languages]
        return (
            _cards(backend, specs),
            gr.Dropdown(choices=[("No country", ""), *countries], value="", visible=bool(countries)),
            gr.Dropdown(
                choices=[("No other language", ""), *languages],
                value=FAR if FAR in tags else (tags[0] if tags else ""),
                visible=bool(languages),
            ),
            gr.Gallery(
                value=[(str(example.picture), example.name) for example in shown],
                visible=bool(shown),
                elem_id="examples",
                buttons=[],
            ),
            shown,
        )

    def on_example(shown: list[Example], chosen: gr.SelectData) -> tuple[str, str, str]:
        example = shown[int(chosen.index)]
        return str(example.picture), example.name, example.description

    with gr.Blocks(title="Classify", analytics_enabled=False) as panel:
        kept = gr.State([])
        nothing = gr.Markdown(visible=False)
        models = _chooser(
            f"Models, up to {SIDE_BY_SIDE} side by side", multiselect=True, max_choices=SIDE_BY_SIDE
        )
        with gr.Row(equal_height=False):
            with gr.Column(min_width=280, scale=2):
                picture = photo(height=280, buttons=[])
                name = gr.Textbox(label="Name", max_length=SHOWN_CHARACTERS, placeholder="Red summer dress")
                description = gr.Textbox(
                    label="Description", lines=2, max_lines=6, max_length=SHOWN_CHARACTERS
                )
                with gr.Row():
                    clear = gr.Button("Clear", size="md", min_width=80)
                    stop = gr.Button("Cancel", size="md", min_width=80)
                    button = gr.Button(
                        "Classify", variant="primary", size="md", min_width=120, interactive=False
                    )
                with gr.Accordion("Country, other languages", open=False):
                    country = _chooser(
                        "Adjust to a country",
                        info="The country is not a model input. This reweights the probabilities by the country's class priors.",
                    )  # fmt: skip
                    language = _chooser(
                        "Counterfactual: text in",
                        info="The text of the same product if it is known, else of another product of its category.",
                    )  # fmt: skip
            with gr.Column(min_width=280, scale=5):
                answers = gr.HTML(view.HINT, min_height=120, elem_id="answers")
                reasons = gr.HTML(elem_id="reasons")
                gallery = gr.Gallery(
                    label="Example products",
                    show_label=False,
                    columns=6,
                    height=200,
                    object_fit="contain",
                    allow_preview=False,
                    visible=False,
                )
        cards = gr.HTML(elem_id="cards")
        _program(on_classify, picture, name, description)

        asked = [picture, name, description, models, country]
        told = [*asked, language, kept]
        private: dict[str, Any] = {"api_visibility": "private"}
        queued: dict[str, Any] = {**private, "concurrency_id": "gpu"}
        picked = gallery.select(on_example, kept, [picture, name, description], queue=False, **private)
        running = []
        for asking in (button.click, name.submit, country.input, picked.then):
            answering = asking(on_answer, asked, [answers, reasons], **queued)
            explaining = answering.success(on_explain, told, reasons, **queued, show_progress="minimal")
            running += [answering, explaining]
        running.append(language.input(on_explain, told, reasons, **queued, show_progress="minimal"))
        button.click(None, js=TO_THE_ANSWERS, queue=False, **private)
        stop.click(_stopped, answers, answers, cancels=running, queue=False, **private)
        clear.click(
            lambda: (None, "", "", view.HINT, ""), None, [picture, name, description, answers, reasons],
            cancels=running, queue=False, **private,
        )  # fmt: skip
        follows = [cards, country, language, gallery, kept]
        models.input(on_models, models, follows, queue=False, **private)  # on_open brings its own
        named = gr.Textbox(visible=False)
        panel.load(on_open, named, [models, nothing, button, *follows], queue=False, js=NAMED, **private)
    panel.queue(max_size=WAITING)
    return panel


def _chooser(label: str, **options: Any) -> gr.Dropdown:
    """A choice that is filled when the page opens, and that takes whatever a page from before a restart sends."""
    made = gr.Dropdown([], label=label, visible=False, **options)
    made.preprocess = lambda payload: payload  # type: ignore[method-assign]
    return made


def _program(on_classify: Callable[..., Any], picture: Any, name: Any, description: Any) -> None:
    """The one event for programs, with plain answers; nothing of it is seen."""
    model, country = gr.Textbox(visible=False), gr.Textbox(visible=False)
    label, note = gr.Label(num_top_classes=CLASSES, visible=False), gr.Markdown(visible=False)
    gr.Button(visible=False).click(
        on_classify, [picture, name, description, model, country], [label, note],
        api_name="classify", concurrency_id="gpu", concurrency_limit=1,
    )  # fmt: skip


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


def _stopped(shown: str | None) -> str:
    """What was answered before somebody cancelled stays."""
    return (shown or "").replace("Reading…", "Cancelled.")


def _quietly(warm: Callable[[str], Any], name: str) -> None:
    """Load ahead; what goes wrong is said when somebody asks."""
    with suppress(VitrineError):
        warm(name)
