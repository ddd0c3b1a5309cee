"""Pictures in one folder a colour, without any text: the qualitative set of the incorrect-pairs paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.progress import Progress
from core.sources import folder
from core.sources.reading import Reading, ReadOptions, SourceSpec


def read(paths: Sequence[str], options: ReadOptions, progress: Progress) -> Reading:
    """Open the folder: its folders are colours, which become the categories; products have no name."""
    return replace(folder.read(paths, options, progress, named=False), licence=SPEC.licence)


SPEC = SourceSpec(
    name="digikala",
    title="Digikala, pictures by colour",
    homepage="https://www.kaggle.com/datasets/masouduut94/digikala-color-classification",
    licence="unknown: ask its publisher",
    accepts="a folder with one folder of pictures a colour; products without texts",
    read=read,
)
