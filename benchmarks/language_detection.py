"""Which language a text is in: letters and function words, fastText's model, and both, on texts whose language is known.

    PYTHONPATH=. python benchmarks/language_detection.py DATASET... [--names taxonomy_names.csv.gz]

The language of a dataset's text is the declared one; in the built-in dataset about 3% are in another on purpose.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd

from core.catalog.products import Products
from core.statistics import languages
from core.statistics.language_model import _model, language_of

EVERY = 7  # of the names, one is read


def lists(text: str) -> str:
    """Without the model."""
    model, languages.language_of = languages.language_of, lambda text, known: None  # type: ignore[assignment]
    try:
        return languages.detect(text)
    finally:
        languages.language_of = model


def raw(text: str) -> str:
    """The model's first answer."""
    return str(_model().predict(" ".join(text.lower().split()), k=1)[0][0].removeprefix("__label__"))


def sure(text: str) -> str:
    """The model's answer among the thirteen languages, English and Chinese, where it is sure."""
    return language_of(text, {*languages.LETTERS, "el", "bg", "zh"}) or languages.UNDECIDED


METHODS: dict[str, Callable[[str], str]] = {
    "lists": lists, "model, first answer": raw, "model, where sure": sure, "lists, then model": languages.detect,
}  # fmt: skip


def main() -> None:
    """Print one line per kind of text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="*")
    parser.add_argument("--names")
    given = parser.parse_args()
    texts: dict[str, list[tuple[str, str]]] = {}
    for name in given.datasets:
        frame = Products.open(name).frame(
            "SELECT coalesce(name, '') AS name, coalesce(description, '') AS description, language FROM cohort"
        )
        known = frame["language"].astype(str).tolist()
        both = (frame["name"] + " " + frame["description"]).tolist()
        texts[f"{name}, name and description"] = list(zip(both, known, strict=True))
        texts[f"{name}, names"] = list(zip(frame["name"], known, strict=True))
        there = frame[frame["description"] != ""]
        texts[f"{name}, descriptions"] = list(
            zip(there["description"], there["language"].astype(str), strict=True)
        )
    if given.names:
        table = pd.read_csv(given.names)
        for what, of in (
            ("leaves", lambda path: path.split(" > ")[-1]),
            ("paths", lambda path: path.replace(" > ", ", ")),
        ):
            texts[f"taxonomy, {what}"] = [
                (of(path), column.partition("-")[0])
                for column in table.columns[1:]
                for path in table[column].dropna().iloc[::EVERY]
            ]
    print(f"{'':36}{'texts':>8}" + "".join(f"{name:>24}" for name in METHODS) + "   (right / wrong)")
    for what, rows in texts.items():
        wanted = np.array([language for _, language in rows])
        line = f"{what:36}{len(rows):>8,}"
        for method in METHODS.values():
            read = np.array([method(text) for text, _ in rows])
            wrong = (read != wanted) & (read != languages.UNDECIDED)
            line += f"{f'{np.mean(read == wanted):.3f} / {np.mean(wrong):.3f}':>24}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
