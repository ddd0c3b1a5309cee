"""Draw a product from a phrase, live."""

from __future__ import annotations

from typing import Any

import gradio as gr

from core.generation.limits import GUIDANCE, SAMPLERS
from pages.panels import generation_view as view
from pages.panels.generation_events import AS_TYPED, MOST_PICTURES, Backend, Events

WAITING = 32  # visitors in the queue at most
MOST_STEPS = 100  # that the slider offers
EXAMPLES = (
    "red dress",
    "modré džíny",
    "černé tričko",
    "žlutý deštník",
    "μαύρη τσάντα",
    "piros cipő",
    "zapatos marrones",
)


def build(backend: Backend, languages: list[str]) -> gr.Blocks:
    """The panel; languages are names that the phrase can be translated to."""
    events = Events(backend)
    with gr.Blocks(title="Generate", analytics_enabled=False) as panel:
        own = gr.State([])
        with gr.Row(equal_height=False):
            with gr.Column(min_width=280, scale=2):
                asked, other, buttons = _inputs(languages)
            with gr.Column(min_width=280, scale=5):
                shown = gr.HTML(view.HINT, min_height=260, elem_id="drawn")
        mine = gr.HTML()
        with gr.Accordion("About this model", open=False):
            card = gr.Markdown()
        _connect(panel, events, asked, other, buttons, own, shown, mine, card)
    panel.queue(max_size=WAITING)
    return panel


def _inputs(languages: list[str]) -> tuple[list[Any], list[Any], list[Any]]:
    phrase = gr.Textbox(label="Phrase", placeholder="red dress", max_length=20_000)
    gr.Examples([[text] for text in EXAMPLES], [phrase], label="Examples")
    with gr.Row():
        draw = gr.Button("Draw", variant="primary", size="md", min_width=90)
        stop = gr.Button("Cancel", size="md", min_width=90)
    every = gr.Button("In 13 languages", size="md", min_width=120)
    language = gr.Dropdown([AS_TYPED, *languages], value=AS_TYPED, label="Language")
    count = gr.Slider(1, MOST_PICTURES, 4, step=1, label="Pictures")
    seed = gr.Number(0, label="Seed", precision=0)
    with gr.Accordion("Steps, guidance, sampler", open=False):
        steps, guidance, sampler = _settings(20, 3.0)
    with gr.Accordion("Compare two settings", open=False):
        other = _settings(5, 1.0)
        compare = gr.Button("Compare", size="md")
    return [phrase, language, seed, steps, guidance, sampler, count], other, [draw, stop, every, compare]


def _settings(steps: int, guidance: float) -> list[Any]:
    return [
        gr.Slider(1, MOST_STEPS, steps, step=1, label="Steps of each stage"),
        gr.Slider(0, GUIDANCE, guidance, step=0.5, label="Guidance (1: none)"),
        gr.Dropdown(list(SAMPLERS), value=SAMPLERS[0], label="Sampler"),
    ]


def _connect(
    panel: gr.Blocks, events: Events, asked: list[Any], other: list[Any], buttons: list[Any],
    own: Any, shown: Any, mine: Any, card: Any,
) -> None:  # fmt: skip
    private: dict[str, Any] = {"api_visibility": "private"}
    queued: dict[str, Any] = {
        **private,
        "concurrency_id": "gpu",
        "concurrency_limit": 1,
        "show_progress": "minimal",
    }
    draw, stop, every, compare = buttons
    phrase, _, seed, steps, guidance, sampler, _ = asked
    running = [
        start(events.on_draw, [*asked, own], [shown, own, mine], **queued)
        for start in (draw.click, phrase.submit)
    ]
    plain = [phrase, seed, steps, guidance, sampler]
    running.append(every.click(events.on_languages, plain, shown, **queued))
    running.append(compare.click(events.on_compare, [*plain, *other], shown, **queued))
    stop.click(_cancelled, shown, shown, cancels=running, queue=False, **private)
    panel.load(events.on_open, None, card, queue=False, **private)


def _cancelled(shown: Any) -> str:
    """What has emerged so far stays."""
    return str(shown or "").replace("Step ", "Cancelled at step ", 1)
