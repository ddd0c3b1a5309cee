"""What the retrieval panel asks, and its events; the layout is in retrieval.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from core.catalog.cohort import Cohort
from core.errors import VitrineError
from pages.components.shared.markdown import plain
from pages.panels.address import Asked
from pages.panels.examples import Example
from pages.panels.retrieval_compare import Comparison, other_choices

RESULTS = 10
SENTENCES = (
    "červené šaty",
    "čierna bunda",
    "μαύρη τσάντα",
    "fehér póló",
    "zapatos marrones",
    "siyah ayakkabı",
    "мъжка риза на карета",
    "blue striped shirt",
    "Black and white striped sneaker.",
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
    dataset: str = ""
    reads_texts: bool = True


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
    # (gallery, text, picture file, text to subtract, countries, categories, k, filters) to products
    search: Callable[[str, str, Path | None, str, Sequence[str], Sequence[str], int, str], Sequence[Found]]
    # products whose pictures can be tried now, by what the address asks; None for what no address asks
    examples: Callable[[Asked], Sequence[Example]] = lambda _: ()
    # the picture that the address asks about
    picture: Callable[[Asked], Path | None] = lambda _: None
    # as `search`, by vectors alone: for models side by side; None is `search`
    by_vectors: Callable[..., Sequence[Found]] | None = None


class Events:
    """The panel's events, over a backend."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.comparison = Comparison(backend.galleries, backend.by_vectors or backend.search)

    def search_products(
        self,
        text: str | None = None,
        image: str | None = None,
        without: str | None = None,
        countries: list[str] | None = None,
        categories: list[str] | None = None,
        gallery: str | None = None,
        filters: str | None = None,
    ) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
        """Find the ten products that are most similar to a sentence, a picture, or both together.

        Args:
            text: what to look for, in any language the encoder knows
            image: a picture to look like, its bytes as data:image/png;base64,... of 6 MB at most; no web address
            without: words for what the products should not be like
            countries: only products of these country codes; empty for all
            categories: only products of these categories; empty for all
            gallery: which dataset and vectors to search; empty for the first
            filters: more filters, as in an address of Browse, such as split=test&label_kind=human; empty for none
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
                filters or "",
            )
        except VitrineError as error:
            raise gr.Error(str(error), duration=None, title="Not searched", print_exception=False) from error
        shown = [(str(each.picture), each.caption) for each in found if each.picture is not None]
        return shown, [dict(each.facts) for each in found]

    def on_open(self, search: str | None) -> tuple[Any, ...]:
        """What there is to search now, and what the address asks: its dataset, filters and question."""
        known = self.backend.galleries()
        asked = Asked.read(search)
        dataset = asked.cohort.dataset if asked.cohort else ""
        first = next((each for each in known if each.dataset == dataset), known[0] if known else None)
        if first is not None and first.dataset != dataset:
            asked = replace(asked, cohort=None)
        if first is not None and first.dataset and asked.cohort is None:
            asked = replace(asked, cohort=Cohort(first.dataset))
        shown = list(self.backend.examples(asked)) if known else []
        return (
            gr.Dropdown(
                choices=[(each.title, each.name) for each in known],
                value=first.name if first else None,
                visible=len(known) > 1,
            ),
            gr.Markdown(" ".join(filter(None, [plain(asked.says), _about(first, dataset)]))),
            gr.Button(interactive=bool(known)),
            *_filters(first, asked.cohort),
            gr.Gallery([(str(each.picture), each.name) for each in shown], visible=bool(shown)),
            shown,
            *self._question(asked, first, shown),
            search or "",
            other_choices(known, first.name if first else None),
        )

    def _question(
        self, asked: Asked, first: Gallery | None, shown: Sequence[Example]
    ) -> tuple[str, str | None, str]:
        """Text, picture and negative text that the panel opens with: those of the address, or else an example."""
        picture = self.backend.picture(asked)
        if asked.q or picture:
            return asked.q, str(picture) if picture else None, asked.without
        if first is None or not first.reads_texts or len(first.countries) < 2:
            return (
                "",
                str(shown[0].picture) if shown else None,
                "",
            )  # the sentences are of clothes, in many languages
        return SENTENCES[0], None, ""

    def on_begin(
        self,
        text: str | None,
        image: str | None,
        without: str | None,
        countries: list[str] | None,
        categories: list[str] | None,
        gallery: str | None,
        filters: str | None,
    ) -> tuple[list[tuple[str, str]] | None, list[dict[str, Any]] | None]:
        """The answer to what the panel opens with, so that its place is not empty."""
        if not (text or image):
            return None, None
        return self.search_products(text, image, without, countries, categories, gallery, filters)

    def on_gallery(self, name: str | None) -> tuple[Any, ...]:
        """The description of a gallery, the filters it offers, and what it can be compared with."""
        known = self.backend.galleries()
        chosen = next((each for each in known if each.name == name), None)
        return gr.Markdown(_about(chosen)), *_filters(chosen), other_choices(known, name)

    def on_others(self, chosen: list[str] | None) -> tuple[Any, Any, Any]:
        """One model's products as a gallery, several models' side by side."""
        several = bool(chosen)
        return gr.Gallery(visible=not several), gr.HTML(visible=several), gr.JSON(visible=several)

    def on_example(self, shown: list[Example], picked: gr.SelectData) -> tuple[str, str]:
        """The picture of an example as the query, without a text."""
        return str(shown[int(picked.index)].picture), ""


def _about(chosen: Gallery | None, wanted: str = "") -> str:
    """What is searched, and whether it is another dataset than the one that the address names."""
    if chosen is None:
        return NOTHING
    other = f"**{wanted}** has no vectors yet. " if wanted and chosen.dataset != wanted else ""
    return other + chosen.about


def _filters(chosen: Gallery | None, cohort: Cohort | None = None) -> tuple[Any, Any]:
    """The choices of countries and categories, with those of the address chosen."""
    countries = list(chosen.countries) if chosen else []
    categories = list(chosen.categories) if chosen else []
    among = cohort.to_query() if cohort else {}
    return (
        gr.Dropdown(
            choices=countries,
            value=[each for each in among.get("geo", []) if each in countries],
            visible=len(countries) > 1,
        ),
        gr.Dropdown(
            choices=categories,
            value=[each for each in among.get("category", []) if each in categories],
            visible=len(categories) > 1,
        ),
    )
