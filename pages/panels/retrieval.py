"""Find products live: a sentence in any language or a picture in, the ten most similar out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from pages.panels.address import OF_THE_PAGE
from pages.panels.photo import photo
from pages.panels.retrieval_compare import MOST_OTHERS
from pages.panels.retrieval_events import SENTENCES, Backend, Events

WAITING = 32  # visitors in the queue at most
SHOWN_CHARACTERS = 20_000  # that the browser lets one type; the encoder reads far fewer


@dataclass(frozen=True)
class _Query:
    """The inputs of a search."""

    text: Any
    picture: Any
    without: Any
    countries: Any
    categories: Any
    filters: Any  # all others, as in an address
    others: Any  # models to compare with
    clear: Any
    button: Any


@dataclass(frozen=True)
class _Results:
    """Where the products found are shown."""

    pictures: Any
    data: Any  # the same products as JSON
    beside: Any  # several models' products side by side, as HTML
    beside_data: Any


@dataclass(frozen=True)
class _Parts:
    """The panel's components."""

    about: Any
    gallery: Any
    query: _Query
    results: _Results
    examples: Any
    shown: Any  # state: the examples that `examples` shows


def build(backend: Backend) -> gr.Blocks:
    """The panel."""
    with gr.Blocks(title="Search", analytics_enabled=False) as panel:
        _connect(panel, _layout(), Events(backend))
    panel.queue(max_size=WAITING)
    return panel


def _layout() -> _Parts:
    """The query to the left, the products found to the right; below each other on a phone."""
    shown = gr.State([])
    about = gr.Markdown()
    gallery = gr.Dropdown([], label="Search in", visible=False, allow_custom_value=True)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280, scale=2):
            query = _query()
        with gr.Column(min_width=280, scale=5):
            results = _results()
    gr.Examples([[sentence] for sentence in SENTENCES], [query.text], label="Example queries")
    examples = gr.Gallery(label="Example pictures", columns=6, height=190, allow_preview=False, visible=False)
    for choice in (query.countries, query.categories, query.others, gallery):
        _accept_any(choice)
    return _Parts(about, gallery, query, results, examples, shown)


def _query() -> _Query:
    text = gr.Textbox(label="Search for", max_length=SHOWN_CHARACTERS, placeholder="červené šaty")
    picture = photo("Similar to this picture", height=220)
    without = gr.Textbox(
        label="Without", max_length=SHOWN_CHARACTERS, placeholder="what results should not look like"
    )
    countries = gr.Dropdown([], label="Countries", multiselect=True, allow_custom_value=True)
    categories = gr.Dropdown([], label="Categories", multiselect=True, allow_custom_value=True)
    filters = gr.Textbox(label="Filters", visible="hidden")
    others = gr.Dropdown(
        [],
        label="Compare with",
        multiselect=True,
        max_choices=MOST_OTHERS,
        visible=False,
        allow_custom_value=True,
    )
    with gr.Row():
        clear = gr.Button("Clear", size="md")
        button = gr.Button("Search", variant="primary", size="md")
    return _Query(text, picture, without, countries, categories, filters, others, clear, button)


def _results() -> _Results:
    pictures = gr.Gallery(
        label="Nearest products", columns=5, height="auto", object_fit="contain", allow_preview=True
    )
    beside = gr.HTML(visible=False)
    with gr.Accordion("As data", open=False):
        data = gr.JSON(label="Products", max_height=320)
        beside_data = gr.JSON(label="Products of each model", max_height=320, visible=False)
    return _Results(pictures, data, beside, beside_data)


def _connect(panel: gr.Blocks, it: _Parts, events: Events) -> None:
    """Which events follow which."""
    query, results = it.query, it.results
    asked = [
        query.text,
        query.picture,
        query.without,
        query.countries,
        query.categories,
        it.gallery,
        query.filters,
    ]
    found = [results.pictures, results.data]
    private: dict[str, Any] = {"api_visibility": "private"}
    queued: dict[str, Any] = {**private, "concurrency_id": "gpu"}
    query.button.click(
        events.search_products, asked, found, api_name="search", concurrency_id="gpu", concurrency_limit=1
    )
    compared = [*asked, query.others], [results.beside, results.beside_data]
    query.button.click(events.comparison.compare_models, *compared, api_name="compare", concurrency_id="gpu")
    for field in (query.text, query.without):
        field.submit(events.search_products, asked, found, **queued)
        field.submit(events.comparison.compare_models, *compared, **queued)
    shown = [results.pictures, results.beside, results.beside_data]
    chosen = query.others.change(events.on_others, query.others, shown, queue=False, **private)
    chosen.then(events.comparison.compare_if_asked, *compared, **queued)
    query.clear.click(
        lambda: ("", None, "", [], [], [], None, "", None),
        None,
        [query.text, query.picture, query.without, query.countries, query.categories, *found, *compared[1]],
        queue=False,
        **private,
    )
    filters = [query.countries, query.categories]
    offered = [it.about, *filters, query.others]
    it.gallery.input(events.on_gallery, it.gallery, offered, queue=False, **private)
    picked = it.examples.select(
        events.on_example, it.shown, [query.picture, query.text], queue=False, **private
    )
    picked.then(events.search_products, asked, found, **queued)
    picked.then(events.comparison.compare_models, *compared, **queued)
    # The address is handed to an event by a script.
    search = gr.Textbox(visible=False)
    question = [query.text, query.picture, query.without]
    opened = panel.load(
        events.on_open, search,
        [it.gallery, it.about, query.button, *filters, it.examples, it.shown, *question, query.filters, query.others],
        queue=False, js=OF_THE_PAGE, **private,
    )  # fmt: skip
    opened.then(events.on_begin, asked, found, **queued)


def _accept_any(choice: gr.Dropdown) -> None:
    """Let programs send any value: the choices are known at a visit, not when the panel is built.

    Otherwise the schema of the tool would allow none at all.
    """
    one = {"type": "string"}
    described = {"type": "array", "items": one} if choice.multiselect else one
    setattr(choice, "api_info", lambda: dict(described))  # noqa: B010 - a method of this one component
