"""The generation panel's events over a small backend: what emerges, what is refused, what is escaped."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import ModelError
from core.generation.sampling import Drawing, Step
from pages.panels import generation_events as events_of
from pages.panels import picture_generator
from pages.panels.generation_events import Backend, Events

closed: list[int] = []


def draw(asked: Drawing, phrases: Sequence[str]) -> Iterator[Step]:
    pictures = np.zeros((len(phrases) or asked.count, 8, 8, 3), np.uint8)
    try:
        for done in range(1, 2 * asked.steps + 1):
            yield Step("base", done, 2 * asked.steps, pictures)
    finally:
        closed.append(1)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Events:
    monkeypatch.setattr(events_of, "SHOW_EVERY_S", 0.0)
    near = [[("/images/demo/1?w=160", "Training picture, cosine 0.91")]] * 13
    return Events(
        Backend(
            draw, lambda _: "", picture_generator.languages, lambda _: near, lambda: "card", lambda: "toy"
        )
    )


def drawn(events: Events, *given: Any) -> list[tuple[str, Any, str]]:
    return list(events.on_draw(*given))


def test_a_picture_emerges_and_says_what_it_is(events: Events) -> None:
    shown = drawn(events, "red dress", "as typed", 5, 2, 3.0, "ddim", 2, [])
    assert "Step 1 of 4" in shown[0][0] and "Download" not in shown[0][0]
    last, own, gallery = shown[-1]
    assert last.count("Download PNG") == 2 and "/images/demo/1?w=160" in last and "cosine 0.91" in last
    assert len(own) == 2 and gallery.count("<figure>") == 2
    source = re.findall(r'href="data:image/png;base64,([^"]+)"', last)[1]
    note = json.loads(Image.open(io.BytesIO(base64.b64decode(source))).text["vitrine"])  # type: ignore[attr-defined]
    assert (
        note["generated"] and note["seed"] == 6 and note["phrase"] == "red dress" and note["model"] == "toy"
    )


def test_a_phrase_is_drawn_in_a_language_and_in_all(events: Events) -> None:
    assert "Spanish" in drawn(events, "red dress", "Spanish", 0, 1, 3, "ddim", 1, [])[-1][0]
    every = list(events.on_languages("red dress", 0, 1, 3, "ddim"))[-1]
    assert every.count("<figure>") == 13 and "translated by the lexicon" in every and "Greek: " in every
    assert "as typed" in list(events.on_languages("quantum physics", 0, 1, 3, "ddim"))[-1]


def test_two_settings_stand_side_by_side(events: Events) -> None:
    last = list(events.on_compare("hat", 0, 1, 3, "ddim", 2, 1, "dpm-solver++"))[-1]
    assert "ddim, 1 steps, guidance 3" in last and "dpm-solver++, 2 steps, guidance 1" in last


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("", "", 0, 20, 3, "ddim", 4), "Type what to draw"),
        (("x" * 10_000, "", 0, 20, 3, "ddim", 4), "10,000 characters"),
        (("a", "", "seven", 20, 3, "ddim", 4), "The seed must be a number"),
        (("a", "", 1.5, 20, 3, "ddim", 4), "whole numbers"),
        (("a", "", 0, 5_000, 3, "ddim", 4), "Steps must be"),
        (("a", "", 0, 0, 3, "ddim", 4), "Steps must be"),
        (("a", "", 0, 20, 100, "ddim", 4), "Guidance must be"),
        (("a", "", 0, 20, float("nan"), "ddim", 4), "Guidance must be a number"),
        (("a", "", 0, 20, 3, "<b>", 4), "&lt;b&gt;"),
        (("a", "", 0, 20, 3, "ddim", 1_000), "8 pictures at a time"),
        (("a", "Klingon", 0, 20, 3, "ddim", 1), "no such language"),
        (({"a": 1}, "", None, 20, 3, "ddim", 1), "must be a number"),
    ],
)
def test_what_cannot_be_drawn_is_said(events: Events, given: tuple[Any, ...], says: str) -> None:
    (shown,) = drawn(events, *given, "no list")
    assert says in shown[0] and "<b>" not in shown[0]


def test_a_phrase_is_escaped(events: Events) -> None:
    assert "<script>" not in drawn(events, "<script>alert(1)</script>", "", 0, 1, 3, "ddim", 1, None)[-1][0]


def test_who_leaves_stops_the_work(events: Events) -> None:
    closed.clear()
    drawing = events.on_draw("red dress", "", 0, 50, 3, "ddim", 1, [])
    next(drawing)
    drawing.close()  # type: ignore[attr-defined]
    assert closed


def test_a_request_has_a_time_limit(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_of, "TIME_LIMIT_S", -1.0)
    assert "takes more than" in drawn(events, "red dress", "", 0, 2, 3, "ddim", 1, [])[-1][0]


def test_missing_weights_are_said(events: Events) -> None:
    def card() -> str:
        raise ModelError("There are no weights.")

    assert (
        Events(Backend(draw, str, lambda _: [], lambda _: [], card, str)).on_open() == "There are no weights."
    )
