"""What the retrieval panel asks, and its events; the layout is in retrieval.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import VitrineError
from pages.panels.examples import Example

RESULTS = 10
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


@dataclass(frozen=True)
class Backend:
    """The functions that the panel calls; tests pass their own."""

    galleries: Callable[[], Sequence[Gallery]]  # that can be searched now; the first is the default
    # (gallery, text, picture file, text to subtract, countries, categories, k) to products
    search: Callable[[str, str, Path | None, str, Sequence[str], Sequence[str], int], Sequence[Found]]
    examples: Callable[[], Sequence[Example]] = tuple  # products whose pictures can be tried now


class Events:
    """The panel's events, over a backend."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def search_products(
        self,
        text: str | None = None,
        image: str | None = None,
        without: str | None = None,
        countries: list[str] | None = None,
        categories: list[str] | None = None,
        gallery: str | None = None,
    ) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
        """Find the ten products that are most similar to a sentence, a picture, or both together.

        Args:
            text: what to look for, in any language the encoder knows
            image: a picture to look like, its bytes as data:image/png;base64,... of 6 MB at most; no web address
            without: words for what the products should not be like
            countries: only products of these country codes; empty for all
            categories: only products of these categories; empty for all
            gallery: which dataset and vectors to search; empty for the first
        """
        try:
            known = self.backend.galleries()
            chosen = gallery or (known[0].name if known else "")
            if not chosen:
                raise VitrineError("Nothing to search yet: no dataset has vectors.")
            found = self.backend.search(
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

    def on_open(self) -> tuple[Any, ...]:
        """What there is to search now."""
        known = self.backend.galleries()
        shown = list(self.backend.examples()) if known else []
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

    def on_gallery(self, name: str | None) -> tuple[Any, ...]:
        """The description of a gallery and the filters it offers."""
        chosen = next((each for each in self.backend.galleries() if each.name == name), None)
        return gr.Markdown(chosen.about if chosen else NOTHING), *_filters(chosen)

    def on_example(self, shown: list[Example], picked: gr.SelectData) -> tuple[str, str]:
        """The picture of an example as the query, without a text."""
        return str(shown[int(picked.index)].picture), ""


def _filters(chosen: Gallery | None) -> tuple[Any, Any]:
    countries = list(chosen.countries) if chosen else []
    categories = list(chosen.categories) if chosen else []
    return (
        gr.Dropdown(choices=countries, value=[], visible=len(countries) > 1),
        gr.Dropdown(choices=categories, value=[], visible=len(categories) > 1),
    )
