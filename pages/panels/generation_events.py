"""What the generation panel asks, and its events; the layout is in generation.py."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PIL import Image

from core.errors import UsageError, VitrineError
from pages.panels import generation_view as view

if TYPE_CHECKING:
    from core.generation.sampling import Drawing, Step

TIME_LIMIT_S = 120.0  # of one request
SHOW_EVERY_S = 0.25  # at least between two views of the emerging pictures
MOST_PICTURES = 8
OWN = 24  # pictures of a visitor's own that are shown
AS_TYPED = "as typed"


@dataclass(frozen=True)
class Backend:
    """The functions that the panel calls; tests pass their own."""

    draw: Callable[[Drawing, Sequence[str]], Iterator[Step]]
    hint: Callable[[str], str]
    languages: Callable[[str], Sequence[tuple[str, str, str, bool]]]  # name, tag, text, translated
    nearest: Callable[[Any], Sequence[Sequence[tuple[str, str]]]]  # of (n, size, size, 3) pictures
    card: Callable[[], str]
    model: Callable[[], str]


class Events:
    """The panel's events, over a backend."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def on_open(self) -> str:
        try:
            return self.backend.card()
        except VitrineError as error:
            return str(error)

    def on_draw(
        self,
        phrase: Any,
        language: Any,
        seed: Any,
        steps: Any,
        guidance: Any,
        sampler: Any,
        count: Any,
        own: Any,
    ) -> Iterator[tuple[str, Any, str]]:
        """The pictures as they emerge; then the visitor's own, with these."""
        own = _tiles(own)
        try:
            asked = drawing(phrase, seed, steps, guidance, sampler, count)
            asked, said = self._translated(asked, language)
            says = " ".join(part for part in (said, self.backend.hint(asked.phrase)) if part)
            for tiles, line in self._emerging(asked, says):
                if tiles and tiles[0].download:
                    own = [*tiles, *own][:OWN]
                yield view.grid(tiles, line), own, view.grid(own, "Drawn by you in this window", wide=False)
        except VitrineError as error:
            yield view.refusal(str(error)), own, _own(own)

    def on_languages(self, phrase: Any, seed: Any, steps: Any, guidance: Any, sampler: Any) -> Iterator[str]:
        """The phrase in all languages, one picture each of the same seed."""
        try:
            asked = drawing(phrase, seed, steps, guidance, sampler, 1)
            known = self.backend.languages(asked.phrase)
            translated = all(one[3] for one in known)
            says = (
                "The same phrase in thirteen languages, translated by the lexicon; the same seed."
                if translated
                else "The lexicon has no word of this phrase: it is drawn as typed for every language."
            )
            captions = [f"{name}: {text}" for name, _, text, _ in known]
            for tiles, line in self._emerging(asked, says, [text for _, _, text, _ in known], captions):
                yield view.grid(tiles, line, wide=False)
        except VitrineError as error:
            yield view.refusal(str(error))

    def on_compare(
        self, phrase: Any, seed: Any, steps: Any, guidance: Any, sampler: Any,
        other_steps: Any, other_guidance: Any, other_sampler: Any,
    ) -> Iterator[str]:  # fmt: skip
        """The same two pictures with two settings, below each other."""
        try:
            shown = ""
            for these in ((steps, guidance, sampler), (other_steps, other_guidance, other_sampler)):
                asked = drawing(phrase, seed, *these, 2)
                begun, now = time.monotonic(), ""
                says = f"{asked.sampler}, {asked.steps} steps, guidance {asked.guidance:g}"
                for tiles, line in self._emerging(asked, says):
                    now = view.grid(tiles, line)
                    yield shown + now
                shown += f"{now}<p>{time.monotonic() - begun:.1f} s</p>"
                yield shown
        except VitrineError as error:
            yield view.refusal(str(error))

    def _translated(self, asked: Drawing, language: Any) -> tuple[Drawing, str]:
        if not language or language == AS_TYPED:
            return asked, ""
        for name, _, text, translated in self.backend.languages(asked.phrase):
            if name == language:
                said = (
                    f"{name}: {text}."
                    if translated
                    else "The lexicon cannot translate this phrase; drawn as typed."
                )
                return replace(asked, phrase=text), said
        raise UsageError("There is no such language. Choose another one.")

    def _emerging(
        self, asked: Drawing, says: str, phrases: Sequence[str] = (), captions: Sequence[str] = ()
    ) -> Iterator[tuple[list[view.Tile], str]]:
        """Tiles and a line of words, a few times a second, the finished pictures last."""
        from core.generation.sampling import noted

        until, last = time.monotonic() + TIME_LIMIT_S, 0.0
        for step in self.backend.draw(asked, phrases):
            now = time.monotonic()
            if now > until:
                raise UsageError(
                    f"This takes more than {TIME_LIMIT_S:.0f} s. Ask for fewer steps or pictures."
                )
            n = len(step.pictures)
            names = captions or [f"{asked.phrase}, seed {asked.seed + index}" for index in range(n)]
            if not step.last:
                if now - last < SHOW_EVERY_S:
                    continue
                last = now
                tiles = [
                    view.Tile(view.png(Image.fromarray(one)), name)
                    for one, name in zip(step.pictures, names, strict=True)
                ]
                yield tiles, f"Step {step.done} of {step.total}. {says}"
                continue
            near = self.backend.nearest(step.pictures)
            tiles = []
            for index, (one, name) in enumerate(zip(step.pictures, names, strict=True)):
                mine = replace(asked, phrase=phrases[index], seed=asked.seed - index) if phrases else asked
                source = view.png(*noted(one, mine, self.backend.model(), index))
                tiles.append(
                    view.Tile(
                        source, name, f"generated-{asked.seed + index}.png", near[index] if near else ()
                    )
                )
            yield tiles, f"Generated pictures, not photographs of products. {says}"


def drawing(phrase: Any, seed: Any, steps: Any, guidance: Any, sampler: Any, count: Any) -> Drawing:
    """What the fields say; a program may send anything.

    Raises:
        UsageError: a number is none, or something is out of its range.
    """
    from core.generation.sampling import Drawing

    whole = [
        _number(value, name) for value, name in ((seed, "The seed"), (steps, "Steps"), (count, "Pictures"))
    ]
    if any(value != int(value) for value in whole):
        raise UsageError("Seed, steps and pictures are whole numbers.")
    if whole[2] > MOST_PICTURES:
        raise UsageError(f"{MOST_PICTURES} pictures at a time are the most.")
    text = str(phrase or "").replace("\0", "")
    return Drawing(
        text, int(whole[0]), int(whole[1]), _number(guidance, "Guidance"), str(sampler), int(whole[2])
    ).check()


def _number(value: Any, name: str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} must be a number.") from error
    if not math.isfinite(found) or isinstance(value, bool):
        raise UsageError(f"{name} must be a number.")
    return found


def _tiles(own: Any) -> list[view.Tile]:
    return [tile for tile in own if isinstance(tile, view.Tile)] if isinstance(own, list) else []


def _own(own: Sequence[view.Tile]) -> str:
    return view.grid(own, "Drawn by you in this window", wide=False) if own else ""
