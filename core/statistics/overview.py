"""All displays by subject, with default choices, for pages, reports and tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics import (
    columns,
    comparison,
    hierarchy,
    label_sources,
    languages,
    long_tail,
    pictures,
    shift,
    text_length,
    words,
)
from core.statistics.display import Display
from core.statistics.papers import TABLES

Make = Callable[[Products, Cohort | None], Display]


@dataclass(frozen=True)
class Subject:
    key: str  # in a URL
    title: str
    line: str  # description
    displays: tuple[Make, ...]


SUBJECTS = (
    Subject("columns", "Columns", "The content of each column, missing values, repeated values.", (
        columns.contents,
        lambda p, c: columns.repeats(p, c, "image_id"),
        lambda p, c: columns.repeats(p, c, "item_id"),
    )),
    Subject("long-tail", "Long tail", "Class imbalance: products per category.", (
        long_tail.per_category, long_tail.rank_frequency, long_tail.shapes, long_tail.balance, long_tail.extremes,
    )),
    Subject("shift", "Shift", "Distribution shift between splits, countries and label sources.", (
        shift.distribution, lambda p, c: shift.distribution(p, c, "category"), shift.every_column, shift.movers,
    )),
    Subject("texts", "Text", "Lengths of names and descriptions, repeated texts, detected languages.", (
        lambda p, c: text_length.lengths(p, c, "name"),
        lambda p, c: text_length.lengths(p, c, "description"),
        lambda p, c: text_length.lengths(p, c, "name", "words"),
        lambda p, c: text_length.lengths_by(p, c, "name"),
        text_length.repeated,
        languages.declared,
    )),
    Subject("labels", "Label sources", "Human and machine labels by source, and pictures with conflicting labels.", (
        label_sources.shares,
        lambda p, c: label_sources.machine_by(p, c, "category"),
        lambda p, c: label_sources.machine_by(p, c, "geo"),
        lambda p, c: label_sources.crossed(p, c, "geo"),
        lambda p, c: label_sources.crossed(p, c, "category"),
        label_sources.conflicts,
    )),
    Subject("pictures", "Pictures", "Sizes, shapes, formats, light and colour, measured from the files.", (
        pictures.resolutions,
        lambda p, c: pictures.spread(p, c, "aspect"),
        lambda p, c: pictures.spread(p, c, "bytes"),
        lambda p, c: pictures.spread(p, c, "brightness"),
        pictures.colours, pictures.formats, pictures.problems,
    )),
    Subject("hierarchy", "Hierarchy", "The tree of categories and the size of its branches.", (
        hierarchy.shape,
        lambda p, c: hierarchy.shape(p, c, "sunburst"),
        lambda p, c: hierarchy.shape(p, c, "icicle"),
        hierarchy.classes,
    )),
    Subject("words", "Words", "The most frequent words, and those specific to a class or country.", (
        words.frequent, words.cloud, words.specific, lambda p, c: words.specific(p, c, by="geo"),
    )),
    Subject("beside", "Beside others", "The dataset beside those of the papers' comparison tables.", tuple(
        partial(comparison.beside, table=table.name) for table in TABLES
    )),
)  # fmt: skip


def report(products: Products, cohort: Cohort | None = None) -> list[str]:
    """One line per statistic, for the command line: its title, or the reason why there is none."""
    lines = []
    for subject in SUBJECTS:
        lines.append(subject.title)
        for make in subject.displays:
            display = make(products, cohort)
            lines.append(f"  {display.heading}: {display.cannot or display.title}")
    return lines
