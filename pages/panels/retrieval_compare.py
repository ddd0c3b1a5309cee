"""The same query to up to four models, side by side, with the right results framed where the dataset knows them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import UsageError, VitrineError
from core.settings import ASSETS

CSS = (ASSETS / "retrieval.css").read_text(encoding="utf-8")
MOST_OTHERS = 3  # beside the one that is searched
RESULTS = 10  # of each model


@dataclass(frozen=True)
class Column:
    """What one model found, or why it found nothing."""

    name: str  # of the gallery
    title: str
    found: Sequence[Any]  # of pages.panels.retrieval_events.Found
    error: str = ""


class Comparison:
    """Asks several galleries the same, over the panel's own functions."""

    def __init__(self, galleries: Callable[[], Sequence[Any]], search: Callable[..., Sequence[Any]]) -> None:
        """
        Args:
            galleries, search: as `pages.panels.retrieval_events.Backend` has them.
        """
        self.galleries, self.search = galleries, search

    def compare_models(
        self,
        text: str | None = None,
        image: str | None = None,
        without: str | None = None,
        countries: list[str] | None = None,
        categories: list[str] | None = None,
        gallery: str | None = None,
        filters: str | None = None,
        others: list[str] | None = None,
    ) -> tuple[str, list[dict[str, Any]]]:
        """Find the ten products that are most similar to a query, by each of up to four models.

        Args:
            text: what to look for, in any language the encoders know
            image: a picture to look like, its bytes as data:image/png;base64,... of 6 MB at most; no web address
            without: words for what the products should not be like
            countries: only products of these country codes; empty for all
            categories: only products of these categories; empty for all
            gallery: the first dataset and vectors to search; empty for the first that there are
            filters: more filters, as in an address of Browse, such as split=test&label_kind=human; empty for none
            others: up to three more, of the same dataset
        """
        if not others:
            return "", []
        try:
            names = self._named(gallery, others)
            given = (
                text or "",
                Path(image) if image else None,
                without or "",
                countries or [],
                categories or [],
            )
            columns = [self._column(name, title, given, filters or "") for name, title in names]
        except VitrineError as error:
            raise gr.Error(str(error), duration=None, title="Not compared", print_exception=False) from error
        return drawn(columns), [
            {"gallery": one.name, "error": one.error, "products": [dict(each.facts) for each in one.found]}
            for one in columns
        ]

    def compare_if_asked(
        self, text: str | None, image: str | None, *others: Any
    ) -> tuple[str, list[dict[str, Any]]]:
        """The same where there is a query already: choosing models asks again, and is no error without one."""
        if not (text or "").strip() and not image:
            return "", []
        return self.compare_models(text, image, *others)

    def _named(self, gallery: str | None, others: list[str]) -> list[tuple[str, str]]:
        """Names and titles of what is asked, each once.

        Raises:
            UsageError: there are too many, or one is not there.
        """
        known = {each.name: each.title for each in self.galleries()}
        asked = list(dict.fromkeys([gallery or next(iter(known), ""), *others]))
        if len(asked) > MOST_OTHERS + 1:
            raise UsageError(f"{len(asked)} models are asked; {MOST_OTHERS + 1} at most.")
        for name in asked:
            if name not in known:
                raise UsageError(
                    f"{name[:200]!r} cannot be searched. There is: {', '.join(known) or 'nothing yet'}."
                )
        return [(name, known[name]) for name in asked]

    def _column(self, name: str, title: str, given: tuple[Any, ...], filters: str) -> Column:
        """One model's results; its error is its own, and leaves the others."""
        try:
            return Column(name, title, self.search(name, *given, RESULTS, filters))
        except VitrineError as error:
            return Column(name, title, [], str(error))


def drawn(columns: Sequence[Column]) -> str:
    """The columns as HTML; all text of datasets and errors is escaped."""
    return f'<div class="vr-row">{"".join(_column(one) for one in columns)}</div>'


def _column(one: Column) -> str:
    head = f"<h3>{escape(one.title)}</h3>"
    if one.error:
        refused = f'<p class="vr-refused" role="alert"><b>Not searched.</b> {escape(one.error)}</p>'
        return f'<section class="vr-model">{head}{refused}</section>'
    flags = [each.facts.get("right") for each in one.found]
    told = [flag for flag in flags if flag is not None]
    says = f"{sum(told)} of {len(one.found)} right" if told else f"{len(one.found)} products"
    cards = "".join(_card(each) for each in one.found)
    return f'<section class="vr-model">{head}<p>{says}</p><ol class="vr-cards">{cards}</ol></section>'


def _card(each: Any) -> str:
    right = each.facts.get("right")
    picture = '<span class="vr-none"></span>'
    if each.picture is not None:
        data = base64.b64encode(Path(each.picture).read_bytes()).decode()
        picture = f'<img alt="" src="data:image/webp;base64,{data}">'
    sign = "<b>✓ Right.</b> " if right else ""
    kind = ' class="vr-right"' if right else ""
    return f"<li{kind}><figure>{picture}<figcaption>{sign}{escape(each.caption)}</figcaption></figure></li>"


def other_choices(known: Sequence[Any], chosen: str | None) -> gr.Dropdown:
    """What can stand beside a gallery: the same dataset by other models."""
    first = next((each for each in known if each.name == chosen), known[0] if known else None)
    dataset = first.name.partition(" / ")[0] if first else ""
    others = [
        (each.title, each.name)
        for each in known
        if first and each.name != first.name and each.name.partition(" / ")[0] == dataset
    ]
    return gr.Dropdown(choices=others, value=[], visible=bool(others))
