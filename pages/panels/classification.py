"""Classify a product live: a picture, a name, a description, or all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import VitrineError
from core.models import TRAIN_COMMAND, ModelSpec
from pages.panels.photo import photo

if TYPE_CHECKING:
    from core.models.classifier import Classification, Explanation

CLASSES = 5  # shown
SIDES = ("picture", "text")
BESIDE = 2  # other models that can be asked as well
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
    explain: Callable[[str, Path | None, str, str], Explanation] | None = None,
) -> gr.Blocks:
    """The panel.

    Args:
        models: what can be chosen now; asked at each visit, the first is the default.
        classify: (model, picture file, name, description) to labels with probabilities.
        examples: products of an open dataset, asked at each visit.
        warm: loads a model, so that the first visitor does not wait for it.
        explain: what each input would have said alone; without it nothing of that is shown.
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

    def on_answered(
        image: str | None, name: str, description: str, model: str, others: list[str]
    ) -> list[Any]:
        """What decided, and what other models say. What cannot be told stays hidden: the answer stands."""
        path, texts = (Path(image) if image else None), (name or "", description or "")
        shown: list[Any] = [gr.Label(visible=False)] * 2 + [gr.Markdown(visible=False)]
        with suppress(VitrineError):
            if explain is not None:
                found = explain(model or _first(models()), path, *texts)
                if found.alone:
                    alone = [gr.Label(value=dict(found.alone[side]), visible=True) for side in SIDES]
                    shown = [*alone, gr.Markdown(_shares(found.shares), visible=bool(found.shares))]
        beside: list[Any] = []
        titles = {spec.name: _choice(spec, models()) for spec in models()}
        for other in (others or [])[:BESIDE]:
            with suppress(VitrineError):
                said = classify(other, path, *texts)
                label = titles.get(other, other)
                beside.append(gr.Label(value=dict(said.labels), label=label, visible=True))
        beside += [gr.Label(visible=False)] * (BESIDE - len(beside))
        return [*shown, *beside]

    def on_open() -> tuple[Any, ...]:
        """What there is to choose from now."""
        known = models()
        shown = list(examples()) if known else []
        if known and warm is not None:
            threading.Thread(target=_quietly, args=(warm, known[0].name), daemon=True).start()
        choices = [(_choice(spec, known), spec.name) for spec in known]
        return (
            gr.Dropdown(choices=choices, value=known[0].name if known else None, visible=len(known) > 1),
            gr.Dropdown(choices=choices, visible=len(known) > 1),
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
        with gr.Row():
            model = gr.Dropdown([], label="Model", visible=False, allow_custom_value=True)
            others = gr.Dropdown(
                [], label=f"Beside it, up to {BESIDE} others", visible=False, multiselect=True,
                max_choices=BESIDE, allow_custom_value=True,
            )  # fmt: skip
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
                shares = gr.Markdown(visible=False)
        with gr.Row():
            alone = [
                gr.Label(label=f"From the {side} alone", num_top_classes=3, visible=False) for side in SIDES
            ]
        with gr.Row():
            beside = [gr.Label(num_top_classes=CLASSES, visible=False) for _ in range(BESIDE)]
        gallery = gr.Gallery(
            label="Or try one of these", columns=6, height=190, allow_preview=False, visible=False
        )

        asked = [picture, name, description, model]
        answered = [*alone, shares, *beside]
        clicked = button.click(
            on_classify, asked, [answer, note], api_name="classify", concurrency_id="gpu", concurrency_limit=1
        )
        entered = name.submit(
            on_classify, asked, [answer, note], api_visibility="private", concurrency_id="gpu"
        )
        clear.click(
            lambda: (None, "", "", None, "", *on_answered(None, "", "", "", [])),
            None,
            [picture, name, description, answer, note, *answered],
            api_visibility="private",
            queue=False,
        )
        model.change(on_model, model, about, api_visibility="private", queue=False)
        picked = gallery.select(
            on_example, kept, [picture, name, description], api_visibility="private", queue=False
        ).then(on_classify, asked, [answer, note], api_visibility="private", concurrency_id="gpu")
        for asking in (clicked, entered, picked):
            asking.success(
                on_answered, [*asked, others], answered, api_visibility="private", concurrency_id="gpu"
            )
        panel.load(
            on_open,
            None,
            [model, others, about, button, gallery, kept],
            api_visibility="private",
            queue=False,
        )
    panel.queue(max_size=WAITING)
    return panel


def _first(known: Sequence[ModelSpec]) -> str:
    if not known:
        raise VitrineError(f"No model is trained yet. Train one: {TRAIN_COMMAND}")
    return known[0].name


def _shares(shares: dict[str, float]) -> str:
    """How much each input brought to the answer, in words."""
    parts = [f"the {side} brought {shares[side]:.0%}" for side in SIDES if side in shares]
    return f"To this answer {', '.join(parts)}."


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
