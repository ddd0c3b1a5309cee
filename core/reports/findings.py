"""Which figures of the Statistics page say something of a dataset: those that deviate by a fixed rule each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.progress import Progress
from core.statistics import columns, label_sources, languages, long_tail, pictures, shift, text_length
from core.statistics.display import Display

FEWEST = 20  # texts from which on a median or a share is compared
Make = Callable[[Products, Cohort | None], Display]


@dataclass(frozen=True)
class Rule:
    """One figure and when it says something.

    Attributes:
        make: the figure.
        subject: the title of its subject on the Statistics page.
        says: when it is shown, in words; docs/guide/report.md holds the same.
        deviates: whether it does; asked only of a figure that could be drawn.
    """

    make: Make
    subject: str
    says: str
    deviates: Callable[[Display], bool]


@dataclass(frozen=True)
class Finding:
    """A figure that was looked at."""

    display: Display
    subject: str
    says_something: bool


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _a_gap(display: Display) -> bool:
    """A column that holds something lacks 1% or more."""
    total = sum(of["rows"] for of in display.values.values())
    for column in columns.DESCRIPTIONS:
        missing = sum(of["missing"][column] for of in display.values.values())
        if missing < total and _share(missing, total) >= 0.01:
            return True
    return False


def _shared(display: Display) -> bool:
    return bool(
        display.values["repeated_across_splits"]
        or _share(display.values["products_sharing"], display.values["ids"]) >= 0.01
    )


def _tailed(display: Display) -> bool:
    counts = display.table["total"]
    return bool(counts.max() >= 10 * counts.min())


def _uneven(display: Display) -> bool:
    of = display.values["all"]
    return bool(of["tail"]["classes"] >= 0.1 * of["classes"] or of["effective_classes"] < 0.5 * of["classes"])


def _shifted(display: Display) -> bool:
    moved, expected = (display.values.get(key) for key in ("total_variation", "total_variation_by_chance"))
    if moved is None or expected is None or shift.by_chance(display.values["total_variation_p"]):
        return False
    return bool(moved - expected >= 0.02)


def _dependent(display: Display) -> bool:
    table = display.table[display.table["q_value"].notna()]
    differing = table[table["q_value"].astype(float) < shift.CHANCE]
    return bool((differing["cramers_v_corrected"].astype(float) >= 0.1).any())


def _moving(display: Display) -> bool:
    table = display.table
    sure = table[table["q_value"].astype(float) < shift.CHANCE]
    return bool((sure["difference"].abs() >= 0.02).any())


def _lengths_differ(display: Display) -> bool:
    train, test = (display.values.get(split) or {} for split in ("train", "test"))
    if min(train.get("n", 0), test.get("n", 0)) < FEWEST:
        return False
    return bool(abs(test["median"] - train["median"]) >= 0.1 * train["median"])


def _groups_differ(display: Display) -> bool:
    medians = display.table.loc[display.table["n"] >= FEWEST, "median"]
    return bool(len(medians) > 1 and medians.max() >= 1.5 * max(1, medians.min()))


def _repeats(display: Display) -> bool:
    table = display.table
    return bool((table["repeated share"] >= 0.05).any() or (table["shared share"] >= 0.01).any())


def _misdeclared(display: Display) -> bool:
    read, right = display.values["compared"], display.values["as_declared"]
    return bool(read >= FEWEST and _share(read - right, read) >= 0.02)


def _by_machine(display: Display) -> bool:
    over_all = display.values["machine_share"]
    sure = display.table[display.table["q_value"].astype(float) < 0.05]
    return bool(((sure["machine share"] - over_all).abs() >= 0.1).any())


def _troubled(display: Display) -> bool:
    return bool(display.values["broken"] or display.values["unreadable"])


def _sizes_differ(display: Display) -> bool:
    counts: pd.Series[Any] = display.table["pictures"]
    return bool(counts.max() < 0.9 * counts.sum())


RULES = (
    Rule(columns.contents, "Columns", "a column that is filled at all lacks a value in 1% of the products or more", _a_gap),
    Rule(lambda p, c: columns.repeats(p, c, "image_id"), "Columns",
         "1% of the products or more share a picture, or one picture lies in two splits", _shared),
    Rule(lambda p, c: columns.repeats(p, c, "item_id"), "Columns",
         "1% of the products or more share an item_id, or one lies in two splits", _shared),
    Rule(long_tail.rank_frequency, "Long tail", "the largest category has ten times the products of the smallest or more", _tailed),
    Rule(long_tail.balance, "Long tail",
         "a tenth of the categories or more are tail, or they are as diverse as fewer than half as many equal ones", _uneven),
    Rule(shift.distribution, "Shift",
         "countries differ between splits more than by chance (p < 0.05), by 2 points of total variation or more beyond it", _shifted),
    Rule(lambda p, c: shift.distribution(p, c, "category"), "Shift",
         "categories differ between splits more than by chance (p < 0.05), by 2 points of total variation or more beyond it", _shifted),
    Rule(shift.every_column, "Shift", "a column depends on the split (q < 0.05) with a corrected Cramér's V of 0.1 or more", _dependent),
    Rule(shift.movers, "Shift",
         "in a country whose categories shift (q < 0.05) one of them changes its share by 2 points or more", _moving),
    Rule(lambda p, c: text_length.lengths(p, c, "name"), "Text", "the median name of test is 10% longer or shorter than that of train (20 names each or more)", _lengths_differ),
    Rule(lambda p, c: text_length.lengths(p, c, "description"), "Text",
         "the median description of test is 10% longer or shorter than that of train (20 each or more)", _lengths_differ),
    Rule(lambda p, c: text_length.lengths_by(p, c, "name"), "Text",
         "the median name of one country (20 names or more) is 1.5 times as long as that of another", _groups_differ),
    Rule(text_length.repeated, "Text", "5% of a split's texts or more are repeated, or 1% stand in another split too", _repeats),
    Rule(languages.declared, "Text", "2% of the identified texts or more (of 20 at least) are not in the declared language", _misdeclared),
    Rule(label_sources.shares, "Label sources", "the labels have more than one source", lambda display: True),
    Rule(lambda p, c: label_sources.machine_by(p, c, "category"), "Label sources",
         "the share of machine labels of a category is 10 points off the average (q < 0.05)", _by_machine),
    Rule(lambda p, c: label_sources.machine_by(p, c, "geo"), "Label sources",
         "the share of machine labels of a country is 10 points off the average (q < 0.05)", _by_machine),
    Rule(label_sources.conflicts, "Label sources", "a picture carries two different categories", lambda display: True),
    Rule(pictures.resolutions, "Pictures", "the most frequent resolution is that of fewer than 90% of the pictures", _sizes_differ),
    Rule(pictures.problems, "Pictures", "a picture is missing or cannot be decoded", _troubled),
)  # fmt: skip


def findings(products: Products, cohort: Cohort, progress: Progress) -> list[Finding]:
    """Every figure of RULES, and whether it says something; in their order."""
    found = []
    for done, rule in enumerate(RULES):
        progress(done, len(RULES), "Looking at the figures")
        display = rule.make(products, cohort)
        says = not display.cannot and display.draw is not None and rule.deviates(display)
        found.append(Finding(display, rule.subject, says))
    return found
