"""Find products live: a sentence in any language or a picture in, the ten likest out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import VitrineError
from pages.panels.examples import Example
from pages.panels.photo import photo

RESULTS = 10
WAITING = 32  # visitors in the queue at most
SHOWN_CHARACTERS = 20_000  # that the browser lets one type; the encoder reads far fewer
SENTENCES = (
    "červené šaty",
    "čierna bunda",
    "μαύρη τσάντα",
    "fehér póló",
    "zapatos marrones",
    "siyah ayakkabı",
    "мъжка риза на карета",
    "blue striped shirt",
    "红色连衣裙",
)
NOTHING = """### Nothing to search yet
Add a dataset on the Home page and compute its vectors, in a terminal in Vitrine's folder, then reload this page:

`vitrine embed NAME --encoder clip-tiny`"""


@dataclass(frozen=True)
class Gallery:
    """What can be searched: a dataset with one set of vectors."""

    name: str  # dataset and vectors, as `search` takes it
    title: str
    about: str  # what the encoder was trained on
    countries: Sequence[str]
    categories: Sequence[str]


@dataclass(frozen=True)
class Found:
    """One product, nearest first."""

    picture: Path | None
    caption: str
    facts: Mapping[str, Any]  # item_id, image_id, score and so on


def build(
    galleries: Callable[[], Sequence[Gallery]],
    search: Callable[[str, str, Path | None, str, Sequence[str], Sequence[str], int], Sequence[Found]],
    examples: Callable[[], Sequence[Example]] = tuple,
) -> gr.Blocks:
    """The panel.

    Args:
        galleries: what can be searched now, asked at each visit; the first is the default.
        search: (gallery, text, picture file, what to leave out, countries, categories, k) to products.
        examples: products whose pictures can be tried, asked at each visit.
    """

    def search_products(
        text: str | None = None,
        image: str | None = None,
        without: str | None = None,
        countries: list[str] | None = None,
        categories: list[str] | None = None,
        gallery: str | None = None,
    ) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
        """Find the ten products that are most like a sentence, a picture, or both together.

        Args:
            text: what to look for, in any language the encoder knows
            image: a picture to look like, its bytes as data:image/png;base64,... of 6 MB at most; no web address
            without: words for what the products should not be like
            countries: only products of these country codes; empty for all
            categories: only products of these categories; empty for all
            gallery: which dataset and vectors to search; empty for the first
        """
        try:
            known = galleries()
            chosen = gallery or (known[0].name if known else "")
            if not chosen:
                raise VitrineError("Nothing to search yet: no dataset has vectors.")
            found = search(
                chosen,
                text or "",
                Path(image) if image else None,
                without or "",
                countries or [],
                categories or [],
                RESULTS,
            )
        except VitrineError as error:
            raise gr.Error(str(error), duration=None, title="Not searched", print_exception=False) from error
        shown = [(str(each.picture), each.caption) for each in found if each.picture is not None]
        return shown, [dict(each.facts) for each in found]

    def on_open() -> tuple[Any, ...]:
        """What there is to search now."""
        known = galleries()
        shown = list(examples()) if known else []
        first = known[0] if known else None
        return (
            gr.Dropdown(
                choices=[(each.title, each.name) for each in known],
                value=first.name if first else None,
                visible=len(known) > 1,
            ),
            gr.Markdown(first.about if first else NOTHING),
            gr.Button(interactive=bool(known)),
            *_filters(first),
            gr.Gallery([(str(each.picture), each.name) for each in shown], visible=bool(shown)),
            shown,
        )

    def on_gallery(name: str | None) -> tuple[Any, ...]:
        chosen = next((each for each in galleries() if each.name == name), None)
        return gr.Markdown(chosen.about if chosen else NOTHING), *_filters(chosen)

    def on_example(shown: list[Example], picked: gr.SelectData) -> tuple[str, str]:
        return str(shown[int(picked.index)].picture), ""

    with gr.Blocks(title="Search", analytics_enabled=False) as panel:
        kept = gr.State([])
        about = gr.Markdown()
        gallery = gr.Dropdown([], label="Search in", visible=False, allow_custom_value=True)
        with gr.Row(equal_height=False):
            with gr.Column(min_width=280, scale=2):
                text = gr.Textbox(label="Search for", max_length=SHOWN_CHARACTERS, placeholder="červené šaty")
                picture = photo("Similar to this picture", height=220)
                without = gr.Textbox(
                    label="Without",
                    max_length=SHOWN_CHARACTERS,
                    placeholder="what results should not look like",
                )
                countries = gr.Dropdown([], label="Countries", multiselect=True, allow_custom_value=True)
                categories = gr.Dropdown([], label="Categories", multiselect=True, allow_custom_value=True)
                with gr.Row():
                    clear = gr.Button("Clear", size="md")
                    button = gr.Button("Search", variant="primary", size="md")
            with gr.Column(min_width=280, scale=5):
                results = gr.Gallery(
                    label="Nearest products",
                    columns=5,
                    height="auto",
                    object_fit="contain",
                    allow_preview=True,
                )
                with gr.Accordion("As data", open=False):
                    data = gr.JSON(label="Products", max_height=320)
        gr.Examples([[sentence] for sentence in SENTENCES], [text], label="Example queries")
        tried = gr.Gallery(
            label="Example pictures", columns=6, height=190, allow_preview=False, visible=False
        )

        for choice in (countries, categories, gallery):
            _free(choice)
        asked = [text, picture, without, countries, categories, gallery]
        given = [results, data]
        button.click(
            search_products, asked, given, api_name="search", concurrency_id="gpu", concurrency_limit=1
        )
        for field in (text, without):
            field.submit(search_products, asked, given, api_visibility="private", concurrency_id="gpu")
        clear.click(
            lambda: ("", None, "", [], [], [], None),
            None,
            [text, picture, without, countries, categories, results, data],
            api_visibility="private",
            queue=False,
        )
        gallery.change(
            on_gallery, gallery, [about, countries, categories], api_visibility="private", queue=False
        )
        tried.select(on_example, kept, [picture, text], api_visibility="private", queue=False).then(
            search_products, asked, given, api_visibility="private", concurrency_id="gpu"
        )
        panel.load(
            on_open,
            None,
            [gallery, about, button, countries, categories, tried, kept],
            api_visibility="private",
            queue=False,
        )
    panel.queue(max_size=WAITING)
    return panel


def _free(choice: gr.Dropdown) -> None:
    """Let programs give any value: what there is to choose is known at a visit, not when the panel is built.

    Otherwise the schema of the tool would allow none at all.
    """
    one = {"type": "string"}
    described = {"type": "array", "items": one} if choice.multiselect else one
    setattr(choice, "api_info", lambda: dict(described))  # noqa: B010 - a method of this one component


def _filters(chosen: Gallery | None) -> tuple[Any, Any]:
    countries = list(chosen.countries) if chosen else []
    categories = list(chosen.categories) if chosen else []
    return (
        gr.Dropdown(choices=countries, value=[], visible=len(countries) > 1),
        gr.Dropdown(choices=categories, value=[], visible=len(categories) > 1),
    )
