"""Classify a product live: a picture, a name, a description, or all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import VitrineError
from core.models import TRAIN_COMMAND, ModelSpec
from pages.panels.photo import photo

if TYPE_CHECKING:
    from core.models.classifier import Classification

CLASSES = 5  # shown
WAITING = 32  # visitors in the queue at most
SHOWN_CHARACTERS = 20_000  # that the browser lets one type; the model reads far fewer

NO_MODEL = f"""### No model is trained yet
Train one on a dataset that you have added, in a terminal in Vitrine's folder, then reload this page:

`{TRAIN_COMMAND}`

It takes about five minutes on a laptop for 5,000 products."""


@dataclass(frozen=True)
class Example:
    """A product that a visitor can try."""

    picture: Path
    name: str
    description: str


def build(
    models: Callable[[], Sequence[ModelSpec]],
    classify: Callable[[str, Path | None, str, str], Classification],
    examples: Callable[[], Sequence[Example]] = tuple,
    warm: Callable[[str], Any] | None = None,
) -> gr.Blocks:
    """The panel.

    Args:
        models: what can be chosen now; asked at each visit, the first is the default.
        classify: (model, picture file, name, description) to labels with probabilities.
        examples: products of an open dataset, asked at each visit.
        warm: loads a model, so that the first visitor does not wait for it.
    """

    def on_classify(
        image: str | None = None,
        name: str | None = None,
        description: str | None = None,
        model: str | None = None,
    ) -> tuple[dict[str, float], str]:
        """Say what kind of product this is: the five likeliest categories with their probabilities.

        Give a picture, a name, a description, or several of them; what is missing may be left empty.

        Args:
            image: a photo of the product
            name: the product's name or title, in any language the model was trained on
            description: the product's description
            model: the name of the model; empty for the newest
        """
        try:
            chosen = model or _first(models())
            found = classify(chosen, Path(image) if image else None, name or "", description or "")
        except VitrineError as error:
            raise gr.Error(
                str(error), duration=None, title="Not classified", print_exception=False
            ) from error
        return dict(found.labels), " ".join(found.notes)

    def on_open() -> tuple[Any, ...]:
        """What there is to choose from now."""
        known = models()
        shown = list(examples()) if known else []
        if known and warm is not None:
            threading.Thread(target=_quietly, args=(warm, known[0].name), daemon=True).start()
        choices = [(_choice(spec, known), spec.name) for spec in known]
        return (
            gr.Dropdown(choices=choices, value=known[0].name if known else None, visible=len(known) > 1),
            gr.Markdown(_about(known[0]) if known else NO_MODEL),
            gr.Button(interactive=bool(known)),
            gr.Gallery(
                value=[(str(example.picture), example.name) for example in shown], visible=bool(shown)
            ),
            shown,
        )

    def on_model(name: str) -> str:
        return next((_about(spec) for spec in models() if spec.name == name), NO_MODEL)

    def on_example(shown: list[Example], chosen: gr.SelectData) -> tuple[str, str, str]:
        example = shown[int(chosen.index)]
        return str(example.picture), example.name, example.description

    with gr.Blocks(title="Classify", analytics_enabled=False) as panel:
        kept = gr.State([])
        about = gr.Markdown()
        model = gr.Dropdown([], label="Model", visible=False, allow_custom_value=True)
        with gr.Row(equal_height=False):
            with gr.Column(min_width=280):
                picture = photo(height=300)
                name = gr.Textbox(label="Name", max_length=SHOWN_CHARACTERS, placeholder="Red summer dress")
                description = gr.Textbox(
                    label="Description", lines=2, max_lines=6, max_length=SHOWN_CHARACTERS
                )
                with gr.Row():
                    clear = gr.Button("Clear", size="md")
                    button = gr.Button("Classify", variant="primary", size="md")
            with gr.Column(min_width=280):
                answer = gr.Label(label="Likeliest categories", num_top_classes=CLASSES)
                note = gr.Markdown()
        gallery = gr.Gallery(
            label="Or try one of these", columns=6, height=190, allow_preview=False, visible=False
        )

        asked = [picture, name, description, model]
        button.click(
            on_classify, asked, [answer, note], api_name="classify", concurrency_id="gpu", concurrency_limit=1
        )
        name.submit(on_classify, asked, [answer, note], api_visibility="private", concurrency_id="gpu")
        clear.click(
            lambda: (None, "", "", None, ""),
            None,
            [picture, name, description, answer, note],
            api_visibility="private",
            queue=False,
        )
        model.change(on_model, model, about, api_visibility="private", queue=False)
        gallery.select(
            on_example, kept, [picture, name, description], api_visibility="private", queue=False
        ).then(on_classify, asked, [answer, note], api_visibility="private", concurrency_id="gpu")
        panel.load(
            on_open, None, [model, about, button, gallery, kept], api_visibility="private", queue=False
        )
    panel.queue(max_size=WAITING)
    return panel


def _first(known: Sequence[ModelSpec]) -> str:
    if not known:
        raise VitrineError(f"No model is trained yet. Train one: {TRAIN_COMMAND}")
    return known[0].name


def _choice(spec: ModelSpec, known: Sequence[ModelSpec]) -> str:
    """The title, with the name where two have the same."""
    same = sum(other.title == spec.title for other in known)
    return f"{spec.title}: {spec.name}" if same > 1 else spec.title


def _about(spec: ModelSpec) -> str:
    return f"**{spec.title}**, trained on {spec.trained_on}."


def _quietly(warm: Callable[[str], Any], name: str) -> None:
    """Load ahead; what goes wrong is said when somebody asks."""
    try:
        warm(name)
    except VitrineError:
        return
