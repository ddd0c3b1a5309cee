"""Every display by subject, as the pages show them without any choice made: what a test or a report walks through."""

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
    line: str  # what it is for
    displays: tuple[Make, ...]


SUBJECTS = (
    Subject("columns", "Columns", "What each column holds, what is missing, and what repeats.", (
        columns.contents,
        lambda p, c: columns.repeats(p, c, "image_id"),
        lambda p, c: columns.repeats(p, c, "item_id"),
    )),
    Subject("long-tail", "Long tail", "How unevenly products are spread over categories.", (
        long_tail.per_category, long_tail.rank_frequency, long_tail.shapes, long_tail.balance, long_tail.extremes,
    )),
    Subject("shift", "Shift", "How countries, splits and sources differ from each other.", (
        shift.distribution, lambda p, c: shift.distribution(p, c, "category"), shift.every_column, shift.movers,
    )),
    Subject("texts", "Text", "How long names and descriptions are, which repeat, and what language they read like.", (
        lambda p, c: text_length.lengths(p, c, "name"),
        lambda p, c: text_length.lengths(p, c, "description"),
        lambda p, c: text_length.lengths(p, c, "name", "words"),
        lambda p, c: text_length.lengths_by(p, c, "name"),
        text_length.repeated,
        languages.declared,
    )),
    Subject("labels", "Label sources", "Who gave the labels, where machines did, and which pictures carry two.", (
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
    Subject("hierarchy", "Hierarchy", "The tree of categories and what hangs on each branch.", (
        hierarchy.shape,
        lambda p, c: hierarchy.shape(p, c, "sunburst"),
        lambda p, c: hierarchy.shape(p, c, "icicle"),
        hierarchy.classes,
    )),
    Subject("words", "Words", "The words that texts use most, and those that mark a class or a country.", (
        words.frequent, words.cloud, words.specific, lambda p, c: words.specific(p, c, by="geo"),
    )),
    Subject("beside", "Beside others", "The dataset among those that the papers compare with.", tuple(
        partial(comparison.beside, table=table.name) for table in TABLES
    )),
)  # fmt: skip


def report(products: Products, cohort: Cohort | None = None) -> list[str]:
    """Every statistic in a line, for the command line: the title, or why there is none."""
    lines = []
    for subject in SUBJECTS:
        lines.append(subject.title)
        for make in subject.displays:
            display = make(products, cohort)
            lines.append(f"  {display.heading}: {display.cannot or display.title}")
    return lines
