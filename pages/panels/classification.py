"""Classify a product live: a picture, a name, a description, or all of them, by up to three models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pages.panels import classification_view as view
from pages.panels.address import OF_THE_PAGE
from pages.panels.classification_events import SIDE_BY_SIDE, Backend, Events
from pages.panels.photo import photo

CLASSES = 5  # shown
WAITING = 32  # visitors in the queue at most
SHOWN_CHARACTERS = 20_000  # that the browser lets one type; the model reads far fewer
TO_THE_ANSWERS = (
    "() => { if (innerWidth < 700) document.getElementById('answers').scrollIntoView({behavior: 'smooth'}); }"
)


@dataclass(frozen=True)
class _Parts:
    """The panel's components."""

    kept: Any
    nothing: Any
    models: Any
    picture: Any
    name: Any
    description: Any
    clear: Any
    stop: Any
    button: Any
    country: Any
    language: Any
    answers: Any
    reasons: Any
    gallery: Any
    cards: Any


def build(backend: Backend) -> gr.Blocks:
    """The panel."""
    events = Events(backend)
    with gr.Blocks(title="Classify", analytics_enabled=False) as panel:
        parts = _layout()
        _program(events.on_classify, parts.picture, parts.name, parts.description)
        _connect(panel, parts, events)
    panel.queue(max_size=WAITING)
    return panel


def _layout() -> _Parts:
    """Inputs to the left, answers to the right; below each other on a phone."""
    kept = gr.State([])
    nothing = gr.Markdown(visible=False)
    models = _chooser(
        f"Models, up to {SIDE_BY_SIDE} side by side", multiselect=True, max_choices=SIDE_BY_SIDE
    )
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280, scale=2):
            picture = photo(height=280, buttons=[])
            name = gr.Textbox(label="Name", max_length=SHOWN_CHARACTERS, placeholder="Red summer dress")
            description = gr.Textbox(label="Description", lines=2, max_lines=6, max_length=SHOWN_CHARACTERS)
            with gr.Row():
                clear = gr.Button("Clear", size="md", min_width=80)
                stop = gr.Button("Cancel", size="md", min_width=80)
                button = gr.Button("Classify", variant="primary", size="md", min_width=120, interactive=False)
            with gr.Accordion("Country, other languages", open=False):
                country = _chooser(
                    "Adjust to this country's shops",
                    info="The country is not a model input. This reweights the probabilities by what the country's shops sell.",
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
    return _Parts(
        kept,
        nothing,
        models,
        picture,
        name,
        description,
        clear,
        stop,
        button,
        country,
        language,
        answers,
        reasons,
        gallery,
        cards,
    )


def _connect(panel: gr.Blocks, it: _Parts, events: Events) -> None:
    """Which events follow which."""
    asked = [it.picture, it.name, it.description, it.models, it.country, it.kept]
    told = [*asked[:-1], it.language, it.kept]
    private: dict[str, Any] = {"api_visibility": "private"}
    queued: dict[str, Any] = {**private, "concurrency_id": "gpu"}
    picked = it.gallery.select(
        events.on_example, it.kept, [it.picture, it.name, it.description], queue=False, **private
    )
    running = []
    for asking in (it.button.click, it.name.submit, it.country.input, picked.then):
        answering = asking(events.on_answer, asked, [it.answers, it.reasons], **queued)
        explaining = answering.success(events.on_explain, told, it.reasons, **queued, show_progress="minimal")
        running += [answering, explaining]
    running.append(it.language.input(events.on_explain, told, it.reasons, **queued, show_progress="minimal"))
    it.button.click(None, js=TO_THE_ANSWERS, queue=False, **private)
    it.stop.click(_stopped, it.answers, it.answers, cancels=running, queue=False, **private)
    it.clear.click(
        lambda: (None, "", "", view.HINT, ""), None, [it.picture, it.name, it.description, it.answers, it.reasons],
        cancels=running, queue=False, **private,
    )  # fmt: skip
    follows = [it.cards, it.country, it.language, it.gallery, it.kept]
    # The address is passed with each event: an input that is not shown keeps no value.
    search = gr.Textbox(visible=False)
    it.models.input(
        events.on_models, [it.models, search], follows, queue=False, js=f"(models) => [models, ({OF_THE_PAGE})()]", **private
    )  # fmt: skip
    it.picture.upload(
        events.on_own, [it.name, it.description, it.kept], [it.name, it.description], queue=False, **private
    )
    opened = panel.load(
        events.on_open, search, [it.models, it.nothing, it.button, *follows, it.picture, it.name, it.description],
        queue=False, js=OF_THE_PAGE, **private,
    )  # fmt: skip
    begun = opened.then(events.on_begin, asked, [it.answers, it.reasons], **queued)
    explained = begun.success(events.on_explain, told, it.reasons, **queued, show_progress="minimal")
    running += [begun, explained]


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


def _stopped(shown: str | None) -> str:
    """The answers before a cancellation stay."""
    return (shown or "").replace("Reading…", "Cancelled.")
