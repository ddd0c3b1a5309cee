"""A translator against copying the source and a word-by-word lexicon, and the published way against the right one.

    python -m benchmarks.translation --make demo-texts --items 30000      # the built-in dataset's texts, without pictures
    python -m benchmarks.translation --dataset demo-texts --model DIR --pairs cz-sk,sk-cz,cz-hu

The lexicon is learned from as many sentences as the small translator's trainer draws (seed 1); the built-in dataset's seed is
0. Prints Markdown; translations are stored with the dataset as `vitrine translate` stores them.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.demo import archive, structure
from core.languages import translations
from core.languages.lexicon import Lexicon
from core.languages.pairs import between, country_pairs
from core.languages.scores import Scores
from core.languages.translator import MODES, Copy, open_translator
from trainers.translation import PRESETS, Drawn


class WordByWord(Copy):
    """A lexicon of each pair of languages, learned when it is first asked for."""

    name = digest = "lexicon"

    def __init__(self) -> None:
        self.sentences = Drawn(PRESETS["tiny"].drawn, 1, PRESETS["tiny"].countries).sentences
        self.countries = {"cs": "cz", "sk": "sk", "ro": "ro", "hu": "hu", "es": "es", "et": "ee"}

    def translate(self, texts: Any, source: str, target: str, mode: Any) -> list[str]:
        first, second = self.countries[source], self.countries[target]
        known = Lexicon((sentence[first], sentence[second]) for sentence in self.sentences)
        return [known.translate(text) for text in texts]


def make(name: str, items: int, seed: int) -> None:
    """Import the texts of the built-in dataset."""
    plan = structure.plan(items, seed)
    frames = []
    for split in ("train", "test"):
        lines = b"".join(archive.csv_lines(plan, split)).decode()
        frames.append(pd.read_csv(io.StringIO(lines), dtype=str, keep_default_na=False).assign(split=split))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.csv"
        pd.concat(frames).drop(columns="category").to_csv(path, index=False)
        import_dataset("table", [str(path)], name)


def written(scores: Scores) -> str:
    """One cell of the table."""
    low, high = scores.bleu_interval
    return f"{scores.bleu:.1f} ({low:.1f} to {high:.1f}) / {scores.chrf:.1f} / {scores.macro:.1f}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--make")
    parser.add_argument("--items", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dataset")
    parser.add_argument("--model")
    parser.add_argument("--pairs", default="cz-sk,sk-cz,cz-hu,hu-cz,cz-ro,ro-cz,sk-hu,hu-ro")
    given = parser.parse_args()
    if given.make:
        return make(given.make, given.items, given.seed)
    products = Products.open(given.dataset)
    found = country_pairs(products)
    network = open_translator(given.model, cpu=True)
    ways = [
        ("copy", Copy(), "right"),
        ("lexicon", WordByWord(), "right"),
        *((mode, network, mode) for mode in MODES),
    ]
    print("| pair | texts | " + " | ".join(name for name, _, _ in ways) + " |")
    print("|---|---|" + "---|" * len(ways))
    started = time.perf_counter()
    for pair in given.pairs.split(","):
        source, target = pair.split("-")
        rows = between(found, source, target)["row_a"].unique().tolist()
        cells, n = [], 0
        for _, model, mode in ways:
            described = translations.describe(products, source, target, model, mode)  # type: ignore[arg-type]
            scores = translations.scored(translations.translate(products, described, model, rows), found)
            cells.append(written(scores) if scores else "")
            n = scores.n if scores else 0
        print(f"| {pair} | {n} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nBLEU (95% interval) / chrF / published macro, percent. {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
